import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
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

export const command = defineCommand({
  path: 'sxe export',
  summary: 'print the document of a session as it is now',
  description: 'Joins the session, prints its document, and leaves.',
  examples: [{ does: 'save it', line: 'xmppctl sxe export orchard@chat.example.org > minutes.xhtml' }],
  sections: [{ title: 'JSON OUTPUT', text: 'One object: document (XML text).' }],
  exitCodes: joinExitCodes,
  completes: joinCompletes,
  build: (command) =>
    command
      .argument('<where>', whereText)
      .addOption(nickOption)
      .addOption(roomPasswordOption)
      .addOption(sessionOption),
  parse: ([where], flags): JoinOptions => joinOptionsOf(where, flags),
  run: runExport,
});

/** @throws NegativeError @throws StanzaError @throws TimeoutError */
export async function runExport(options: JoinOptions, context: Context): Promise<void> {
  const { output } = context;
  await withJoined(options, context, async (editing) => {
    if (output.isJson) await output.result({ document: editing.text }, () => '');
    else await output.bytes(Buffer.from(editing.text));
  });
}
