/** Reads a report back from JSON. */
import { UsageError } from '../../errors.js';
import { isRecord } from '../../json-object.js';
import { REPORT_SCHEMA, type ProbeReport } from './report.js';

/** @param name of the file, for the error. @throws UsageError it is no report of probe */
export function readReport(text: string, name: string): ProbeReport {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${name} is not JSON`, {
      hint: 'xmppctl probe DOMAIN --json writes a report',
      cause: error,
    });
  }
  if (!isReport(document)) {
    throw new UsageError(`${name} is no report of the schema ${REPORT_SCHEMA}`, {
      hint: 'xmppctl probe DOMAIN --json writes one',
    });
  }
  return document;
}

/** As deep as is read from it: a file may have been written by anybody. */
function isReport(value: unknown): value is ProbeReport {
  if (!isRecord(value) || value['schema'] !== REPORT_SCHEMA) return false;
  const { target, grades, checks, skipped } = value;
  const areChecks = (list: unknown, ...keys: string[]): boolean =>
    Array.isArray(list) &&
    list.every((one: unknown) => isRecord(one) && keys.every((key) => typeof one[key] === 'string'));
  return (
    isRecord(target) &&
    typeof target['domain'] === 'string' &&
    isRecord(grades) &&
    typeof grades['overall'] === 'string' &&
    ['security', 'federation', 'compliance', 'abuse'].every((axis) => {
      const grade = grades[axis];
      return isRecord(grade) && typeof grade['grade'] === 'string';
    }) &&
    areChecks(checks, 'id', 'status', 'observed') &&
    areChecks(skipped, 'id', 'reason')
  );
}
