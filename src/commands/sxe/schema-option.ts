/** `--schema` of the commands that take part in a session. */
import { Option } from '@commander-js/extra-typings';
import { UsageError } from '../../lib/errors.js';
import { describeFault, ThreadedSchema } from '../../lib/sxe/schema/schema.js';

export const schemaOption = new Option(
  '--schema <file>',
  'keep the document valid: RELAX NG (XML syntax) or XML Schema',
);

export const schemaSection = {
  title: 'SCHEMAS',
  text: 'With --schema what is saved here and is not valid is explained and not sent. When others make the document not valid, of all participants with a schema the one with the lowest name takes back what made it so, and as little else as it can, and tells them why. A document that is not valid when one joins is left as it is until somebody has made it valid; as long as it is not valid, everything that is saved is sent. The schema may include other files; nothing is fetched from the network.',
};

/** Undefined: there is none. @throws FileError it cannot be read, or is no schema */
export async function openSchema(file: string | undefined): Promise<ThreadedSchema | undefined> {
  return file === undefined ? undefined : ThreadedSchema.open(file);
}

/** @throws UsageError a document that a session would begin with is not valid */
export async function refuseInvalid(
  schema: ThreadedSchema | undefined,
  text: string,
  file: string,
): Promise<void> {
  const fault = await schema?.check(text);
  if (fault) throw new UsageError(`${file} is not valid: ${describeFault(fault)}`);
}
