import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { nameOption } from './sandbox-flags.js';

export interface StopOptions {
  name: string | undefined;
  isForAll: boolean;
}

export const command = defineCommand({
  path: 'sandbox stop',
  summary: 'end a throw-away server and remove everything of it',
  examples: [{ does: 'end whatever is running', line: 'xmppctl sandbox stop --all' }],
  exitCodes: { 1: 'none is running; with --all that is fine' },
  needs: 'nothing',
  build: (command) => command.addOption(nameOption).option('--all', 'end all of them'),
  parse: (_args, { name, all }): StopOptions => ({ name, isForAll: all === true }),
  run: runStop,
});

export async function runStop({ name, isForAll }: StopOptions, { env, output }: Context): Promise<void> {
  const { endSandbox, findRecord, readRecords } = await import('../../lib/sandbox/running-sandboxes.js');
  const records = isForAll ? await readRecords(env) : [await findRecord(env, name)];
  for (const record of records) {
    using _activity = output.activity(`ending ${record.name}`);
    await endSandbox(env, record);
    output.note(`${record.name} has ended`);
  }
}
