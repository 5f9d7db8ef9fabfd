import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveFile, type LiveFileEvent } from '../../../src/lib/sxe/session/live-file.js';
import { createDocument } from '../../../src/lib/sxe/load-tree.js';
import { EditingSession } from '../../../src/lib/sxe/session/editing-session.js';
import { realSurroundings } from '../../../src/lib/sxe/session/clock.js';
import { FakeRoom } from './fake-room.js';
import { VirtualClock } from './virtual-clock.js';

const TEXT = '<doc><p>one</p><p>two</p></doc>';

describe('a live file', () => {
  let dir: string;
  let file: string;
  let editing: EditingSession;
  let live: LiveFile;
  const events: LiveFileEvent[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'xmppctl-live-'));
    file = path.join(dir, 'a.xml');
    events.length = 0;
    const channel = new FakeRoom(new VirtualClock(), () => 0).enter('a');
    const surroundings = { ...realSurroundings, clock: new VirtualClock() };
    editing = EditingSession.share(
      channel,
      'urn:xmpp:jingle:apps:xml',
      (name, site) => createDocument(TEXT, name, site),
      { surroundings },
    );
    live = await LiveFile.open(file, editing, (event) => void events.push(event));
  });

  afterEach(async () => {
    live[Symbol.dispose]();
    await editing.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('takes nothing from a file that is empty, half written, or gone', async () => {
    for (const half of ['', '<doc><p>on']) {
      await writeFile(file, half);
      await live.sync();
      editing.apply(editing.text.replace('two', 'two more'));
      await live.sync();
      expect(editing.text).toContain('<p>one</p>');
      expect(await readFile(file, 'utf8')).toBe(half);
      await writeFile(file, TEXT.replace('one', 'one and'));
      await vi.waitFor(async () => expect(await readFile(file, 'utf8')).toContain('two more'));
      expect(editing.text).toContain('one and');
      editing.apply(TEXT);
      await live.sync();
    }
    await rm(file);
    await live.sync();
    expect(editing.text).toBe(`${TEXT}\n`);
  });

  it('explains once what is no document, and keeps it', async () => {
    await writeFile(file, '<doc><p>broken</doc>');
    await vi.waitFor(() => expect(events).toHaveLength(1));
    expect(events[0]).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('not well-formed') as string,
    });
    await live.sync();
    expect(events).toHaveLength(1);
    expect(editing.text).toBe(`${TEXT}\n`);
    expect(await readFile(file, 'utf8')).toBe('<doc><p>broken</doc>');
  });

  it('leaves what is not decided between its marks', async () => {
    const marked = '<<<<<<< this file\n<doc>x</doc>\n=======\n<doc>y</doc>\n>>>>>>> the others\n';
    await writeFile(file, marked);
    await live.sync();
    editing.apply('<doc>z</doc>');
    await live.sync();
    expect(await readFile(file, 'utf8')).toBe(marked);
  });

  it('keeps the mode of the file, and a link', async () => {
    live[Symbol.dispose]();
    const link = path.join(dir, 'link.xml');
    await symlink(file, link);
    await chmod(file, 0o600);
    using linked = await LiveFile.open(link, editing, () => undefined);
    editing.apply('<doc>changed</doc>');
    await linked.sync();
    expect(await readFile(file, 'utf8')).toBe('<doc>changed</doc>\n');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(link, 'utf8')).toBe('<doc>changed</doc>\n');
  });
});
