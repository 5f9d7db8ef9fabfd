import { defineCommand } from '../../lib/command/definition.js';
import { keepBookmark, readBookmarks } from '../../lib/bookmarks/bookmarks.js';
import {
  isKeptInStep,
  oldPlaces,
  readOldBookmarks,
  removeOldBookmarks,
  type OldPlace,
} from '../../lib/bookmarks/old-bookmarks.js';
import type { Context } from '../../lib/context.js';
import { safeText } from '../../lib/output/safe-text.js';

export interface ConvertOptions {
  isDry: boolean;
  removesOld: boolean;
}

export const command = defineCommand({
  path: 'bookmarks convert',
  summary: 'bring bookmarks of older clients (XEP-0049, XEP-0048) to where newer ones look (XEP-0402)',
  description:
    'Rooms that are kept in private storage or in the node storage:bookmarks, and not yet in urn:xmpp:bookmarks:1, are added there with their names, nicknames and passwords; what is there stays as it is. Prints the address of each room that was added. Addresses of web pages have no place there: they are named, and stay where they are. Many servers keep both in step by themselves; then there is nothing to do.',
  examples: [
    { does: 'see what would be added', line: 'xmppctl bookmarks convert --dry-run' },
    { does: 'convert, and remove the old ones', line: 'xmppctl bookmarks convert --remove-old' },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object a line: room, from (private or pep).' }],
  exitCodes: { 5: 'the server does not take them' },
  build: (command) =>
    command
      .option('--dry-run', 'print what would be added, and change nothing')
      .option(
        '--remove-old',
        'remove the old ones, unless the server keeps both in step, or something would be lost',
      ),
  parse: (_args, flags): ConvertOptions => ({
    isDry: flags.dryRun === true,
    removesOld: flags.removeOld === true,
  }),
  run: runConvert,
});

/** @throws StanzaError */
export async function runConvert({ isDry, removesOld }: ConvertOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  output.goesOnUnread = true;
  await using session = await context.connect();
  const there = new Set<string>();
  for await (const { room } of readBookmarks(session, { signal })) there.add(room.toString());
  const emptied: OldPlace[] = [];
  for (const place of oldPlaces) {
    const { rooms, urls } = await readOldBookmarks(session, place, { signal });
    for (const { room, ...change } of rooms) {
      if (there.has(room.toString())) continue;
      there.add(room.toString());
      if (!isDry) await keepBookmark(session, room, change, { signal });
      await output.item({ room: room.toString(), from: place }, (shown) =>
        safeText(shown.room, { singleLine: true }),
      );
    }
    for (const { url } of urls)
      output.warn(`${safeText(url, { singleLine: true })} is a web page, and stays where it is`);
    if (rooms.length > 0 && urls.length === 0) emptied.push(place);
  }
  await output.flush();
  if (!removesOld || isDry || emptied.length === 0) return;
  if (await isKeptInStep(session, { signal })) {
    output.note('the server keeps old and new bookmarks in step: the old ones are not removed');
    return;
  }
  for (const place of emptied) await removeOldBookmarks(session, place, { signal });
}
