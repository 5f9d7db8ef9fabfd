import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { keepAlive, openLiveFile, tellerOf } from './keep-alive.js';
import { schemaOption, schemaSection } from './schema-option.js';
import {
  joinCompletes,
  joinExitCodes,
  joinOptionsOf,
  nickOption,
  roomPasswordOption,
  sessionOption,
  whereText,
  withJoined,
  type JoinOptions,
} from './sxe-flags.js';

export interface JoinCommandOptions extends JoinOptions {
  /** Kept as the document. */
  liveFile: string | undefined;
  overwrites: boolean;
}

export const command = defineCommand({
  path: 'sxe join',
  summary: 'take part in a session, with a file that is kept as its document',
  description: [
    'Joins the session in a room, or waits until an account offers one, and goes on until it is interrupted or the session is over. With --live the file is kept as the document, in both directions, as xmppctl sxe share does it. Without it the events are printed, and who joins later can get the document from here.',
    'When the connection is lost and comes back, what was missed is fetched, and what was written meanwhile is sent. That holds as well when everybody loses it at once, as with a restart of the server.',
  ].join('\n\n'),
  examples: [
    { does: 'in a room', line: 'xmppctl sxe join orchard@chat.example.org --live minutes.xhtml' },
    {
      does: 'when somebody offers a session',
      line: 'xmppctl sxe join juliet@example.org --live drawing.svg',
    },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object a line, as of xmppctl sxe share.' }, schemaSection],
  exitCodes: { ...joinExitCodes, 7: 'the file cannot be written, or the schema is none' },
  completes: { ...joinCompletes, '--live': 'file', '--schema': 'file' },
  build: (command) =>
    command
      .argument('<where>', whereText)
      .addOption(nickOption)
      .addOption(roomPasswordOption)
      .addOption(sessionOption)
      .option('--live <file>', 'keep this file as the document, in both directions')
      .option('--overwrite', 'also a file that is there and says something else')
      .addOption(schemaOption),
  parse: ([where], flags): JoinCommandOptions => ({
    ...joinOptionsOf(where, flags),
    liveFile: flags.live,
    overwrites: flags.overwrite === true,
    schemaFile: flags.schema,
  }),
  run: runJoin,
});

/** @throws UsageError the file says something else @throws NegativeError @throws StanzaError @throws FileError */
export async function runJoin(
  { liveFile, overwrites, ...options }: JoinCommandOptions,
  context: Context,
): Promise<void> {
  await withJoined(options, context, async (editing) => {
    if (liveFile !== undefined && !overwrites && existsSync(liveFile)) {
      if ((await readFile(liveFile, 'utf8')) !== editing.text) {
        throw new UsageError(`${liveFile} is there and says something else`, {
          hint: '--overwrite replaces it',
        });
      }
    }
    const teller = tellerOf(context.output);
    using live = liveFile === undefined ? undefined : await openLiveFile(editing, liveFile, teller);
    await keepAlive(editing, live, teller, context.signal);
  });
}
