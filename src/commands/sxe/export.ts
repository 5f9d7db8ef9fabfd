import type { Context } from '../../lib/context.js';
import { defineJoinCommand } from './join-command.js';
import { withJoined, type JoinOptions } from './sxe-flags.js';

export const command = defineJoinCommand(
  {
    path: 'sxe export',
    summary: 'print the document of a session as it is now',
    description: 'Joins the session, prints its document, and leaves.',
    examples: [{ does: 'save it', line: 'xmppctl sxe export orchard@chat.example.org > minutes.xhtml' }],
    sections: [{ title: 'JSON OUTPUT', text: 'One object: document (XML text).' }],
  },
  runExport,
);

/** @throws NegativeError @throws StanzaError @throws TimeoutError */
export async function runExport(options: JoinOptions, context: Context): Promise<void> {
  const { output } = context;
  await withJoined(options, context, async (editing) => {
    if (output.isJson) await output.result({ document: editing.text }, () => '');
    else await output.bytes(Buffer.from(editing.text));
  });
}
