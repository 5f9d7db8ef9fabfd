import type { Context } from '../../lib/context.js';
import { safeText } from '../../lib/output/safe-text.js';
import { changesBy } from '../../lib/sxe/changes-by.js';
import { defineJoinCommand } from './join-command.js';
import { withJoined, type JoinOptions } from './sxe-flags.js';

export const command = defineJoinCommand(
  {
    path: 'sxe history',
    summary: 'list who has written and changed what in the document of a session',
    description:
      'Joins the session, prints a line for each part of the document, and leaves: who wrote it, who changed it last, how often it was changed, where it is, and what it says, with tabs between them. What was removed is not there any more.',
    examples: [
      {
        does: 'what somebody has changed',
        line: 'xmppctl sxe history orchard@chat.example.org --json | jq -r \'select(.lastModifiedBy == "romeo") | .path\'',
      },
    ],
    sections: [
      {
        title: 'JSON OUTPUT',
        text: 'One object a line: path, rid, creator, lastModifiedBy, version (0: as it was written), text.',
      },
    ],
  },
  runHistory,
);

/** @throws NegativeError @throws StanzaError @throws TimeoutError */
export async function runHistory(options: JoinOptions, context: Context): Promise<void> {
  const { output } = context;
  await withJoined(options, context, async (editing) => {
    for (const change of changesBy(editing.participant.document)) {
      await output.item(change, ({ creator, lastModifiedBy, version, path, text }) =>
        [creator, lastModifiedBy, String(version), path, text]
          .map((part) => safeText(part, { singleLine: true }))
          .join('\t'),
      );
    }
    await output.flush();
  });
}
