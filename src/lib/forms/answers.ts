/**
 * Filling in a data form (XEP-0004 §3.2, §3.3): answers by field name become a form of type `submit`.
 */
import { UsageError } from '../errors.js';
import { JID } from '../jid/jid.js';
import type { DataForm, DataFormInput, FormField } from './stanzas.js';

/** Field name → values. One value for a single field; any number for a multi field. */
export type Answers = Readonly<Record<string, readonly string[]>>;

/**
 * `key=value` words as typed; the same key again adds a value.
 * @throws UsageError a word without `=` or without a key
 */
export function parseAnswers(words: readonly string[]): Answers {
  const answers = new Map<string, string[]>();
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals < 1) throw new UsageError(`"${word}" is not key=value`);
    const key = word.slice(0, equals);
    answers.set(key, [...(answers.get(key) ?? []), word.slice(equals + 1)]);
  }
  return Object.fromEntries(answers);
}

/**
 * The form to send back. Fields that are not answered keep the value the form came with; hidden fields always do,
 * unless they are answered by name.
 * @throws UsageError naming the field: unknown, without a required answer, or with one that its type does not allow
 */
export function fillForm(form: DataForm, answers: Answers): DataFormInput {
  const fields = form.fields.filter((field) => field.name !== undefined && field.type !== 'fixed');
  const known = new Set(fields.map(({ name }) => name));
  for (const name of Object.keys(answers)) {
    if (known.has(name)) continue;
    const offered = fields.filter(({ type }) => type !== 'hidden').map((field) => field.name);
    throw new UsageError(`the form has no field "${name}"`, { hint: `it has: ${offered.join(', ')}` });
  }
  return {
    type: 'submit',
    fields: fields.flatMap((field) => {
      const name = field.name ?? '';
      const given = Object.hasOwn(answers, name) ? answers[name] : undefined;
      const values = given?.map((value) => checkValue(field, value)) ?? field.values;
      if (values.length > 1 && !isMulti(field)) {
        throw new UsageError(`the field "${name}" takes one value, not ${values.length}`);
      }
      if (field.isRequired && values.every((value) => value === '')) {
        throw new UsageError(
          `the field "${name}" must be filled in${field.label ? `: ${field.label}` : ''}`,
          {
            ...(field.options.length > 0 && { hint: `one of: ${optionValues(field).join(', ')}` }),
          },
        );
      }
      // XEP-0004 §3.3: a field that is not required and not filled in may be left out.
      if (values.length === 0) return [];
      return [{ name, ...(field.type === 'hidden' && { type: 'hidden' }), values }];
    }),
  };
}

/** The required fields that have no value yet: what has to be asked for. */
export function unansweredFields(form: DataForm, answers: Answers): FormField[] {
  return form.fields.filter(
    (field) =>
      field.isRequired &&
      field.name !== undefined &&
      field.type !== 'hidden' &&
      (answers[field.name] ?? field.values).every((value) => value === ''),
  );
}

function isMulti(field: FormField): boolean {
  return field.type?.endsWith('-multi') === true || field.type === 'hidden';
}

function optionValues(field: FormField): string[] {
  return field.options.map(({ value }) => value);
}

/** The value as the form wants it. */
function checkValue(field: FormField, value: string): string {
  const refuse = (problem: string): never => {
    throw new UsageError(`the field "${field.name ?? ''}" ${problem}, not "${value}"`);
  };
  switch (field.type) {
    case 'boolean':
      if (/^(1|true|yes|on)$/i.test(value)) return '1';
      if (/^(0|false|no|off)$/i.test(value)) return '0';
      return refuse('takes yes or no');
    case 'jid-single':
    case 'jid-multi':
      try {
        return JID.parse(value).toString();
      } catch {
        return refuse('takes an address');
      }
    case 'list-single':
    case 'list-multi': {
      const allowed = optionValues(field);
      return allowed.length === 0 || allowed.includes(value)
        ? value
        : refuse(`takes one of ${allowed.join(', ')}`);
    }
    case 'text-multi':
      return value;
    default:
      return /[\r\n]/.test(value) ? refuse('takes a single line') : value;
  }
}
