/** Saves of another program at the very moments at which a file is written or begins to be watched. */
import type * as Fs from 'node:fs';
import type * as FsPromises from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createDocument } from '../../../src/lib/sxe/load-tree.js';
import { EditingSession } from '../../../src/lib/sxe/session/editing-session.js';
import { LiveFile } from '../../../src/lib/sxe/session/live-file.js';
import { WatchedFile } from '../../../src/lib/sxe/session/watched-file.js';
import { FakeRoom } from './fake-room.js';
import { VirtualClock } from './virtual-clock.js';

/** What happens just before the real thing does. */
const before: { rename?: (() => void) | undefined; watch?: (() => void) | undefined } = {};

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof FsPromises>();
  const rename: typeof real.rename = async (from, to) => {
    const act = before.rename;
    before.rename = undefined;
    act?.();
    await real.rename(from, to);
  };
  return { ...real, rename };
});
vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof Fs>();
  const watch = (...args: Parameters<typeof real.watch>): Fs.FSWatcher => {
    before.watch?.();
    before.watch = undefined;
    return real.watch(...args);
  };
  return { ...real, watch };
});

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'xmppctl-watched-'));
  file = path.join(dir, 'a.xml');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

it('leaves what another program saves between the last look and the writing', async () => {
  await writeFile(file, 'old');
  using watched = await WatchedFile.at(file);
  // Opened and written as it is, not put in its place as a whole.
  before.rename = () => writeFileSync(file, 'saved');
  expect(await watched.write('new', 'old')).toBe(false);
  expect(await readFile(file, 'utf8')).toBe('saved');
  expect(await watched.write('newer', 'saved')).toBe(true);
  expect(await readFile(file, 'utf8')).toBe('newer');
  expect(await readdir(dir)).toEqual(['a.xml']);
});

function share(text: string): EditingSession {
  const clock = new VirtualClock();
  const channel = new FakeRoom(clock, () => 0).enter('a');
  return EditingSession.share(
    channel,
    'urn:xmpp:jingle:apps:xml',
    (name, site) => createDocument(text, name, site),
    { surroundings: { clock, newSite: () => 'site0000a' } },
  );
}

it('merges such a save with what was to be written', async () => {
  const editing = share('<doc><p>one</p><p>two</p></doc>');
  using live = await LiveFile.open(file, editing, () => undefined);
  await live.sync();
  before.rename = () => writeFileSync(file, '<doc><p>one, mine</p><p>two</p></doc>\n');
  editing.apply('<doc><p>one</p><p>two, theirs</p></doc>');
  await live.sync();
  const both = '<doc><p>one, mine</p><p>two, theirs</p></doc>\n';
  await vi.waitFor(async () => expect(await readFile(file, 'utf8')).toBe(both));
  expect(editing.text).toBe(both);
  await editing.close();
});

it('sees what is saved after the first writing and before the watching begins', async () => {
  const editing = share('<doc><p>one</p></doc>');
  before.watch = () => writeFileSync(file, '<doc><p>one and two</p></doc>\n');
  using _live = await LiveFile.open(file, editing, () => undefined);
  expect(before.watch).toBeUndefined();
  await vi.waitFor(() => expect(editing.text).toBe('<doc><p>one and two</p></doc>\n'));
  await editing.close();
});
