import { describe, expect, it } from 'vitest';
import { createDocument } from '../../../src/lib/sxe/load-tree.js';
import type { Surroundings } from '../../../src/lib/sxe/session/clock.js';
import { EditingSession } from '../../../src/lib/sxe/session/editing-session.js';
import { encodeSxe } from '../../../src/lib/sxe/stanzas.js';
import { serialize } from '../../../src/lib/xml/serialize.js';
import { FakeRoom } from './fake-room.js';
import { VirtualClock } from './virtual-clock.js';

const APPLICATION = 'urn:xmpp:jingle:apps:xml';
/** What servers take at least. */
const MAX_STANZA_BYTES = 65_536;

function inRoom(text: string) {
  const clock = new VirtualClock();
  const room = new FakeRoom(clock, () => 0.5);
  let sites = 0;
  const surroundings: Surroundings = { clock, newSite: () => `site${String(++sites).padStart(5, '0')}` };
  let longest = 0;
  const pass = room.pass.bind(room);
  room.pass = (from, to, content, id) => {
    const stanza = encodeSxe({ session: 's', id, content });
    longest = Math.max(longest, Buffer.byteLength(serialize(stanza)));
    pass(from, to, content, id);
  };
  const share = () => {
    const channel = room.enter('a');
    const make = (name: string, site: string) => createDocument(text, name, site);
    return { channel, editing: EditingSession.share(channel, APPLICATION, make, { surroundings }) };
  };
  const join = (name: string) => {
    const channel = room.enter(name);
    return { channel, editing: EditingSession.join(channel, APPLICATION, { surroundings }) };
  };
  return { clock, room, share, join, longestStanza: () => longest };
}

describe('an editing session', () => {
  it('gets the document from another one when who sends it vanishes in the middle of it', async () => {
    const { clock, room, share, join } = inRoom(`<doc>${'<p>one</p>'.repeat(2000)}</doc>`);
    const a = share();
    const b = join('b');
    await clock.pass(5_000);
    expect(b.editing.text).toBe(a.editing.text);
    const c = join('c');
    let pieces = 0;
    const pass = room.pass.bind(room);
    room.pass = (from, to, content, id) => {
      const isPiece = to === 'c' && content.kind === 'state';
      if (isPiece) pieces += 1;
      if (isPiece && pieces === 2) {
        from.cut();
        room.remove(from.name, from);
      } else pass(from, to, content, id);
    };
    await clock.pass(60_000);
    expect(pieces).toBeGreaterThan(4);
    expect(c.editing.text).toBe(b.editing.text);
  });

  it('takes edits that are made while the document is sent', async () => {
    const { clock, room, share, join } = inRoom(`<doc>${'<p>one</p>'.repeat(2000)}<q/></doc>`);
    const a = share();
    const b = join('b');
    await clock.pass(5_000);
    const c = join('c');
    const pass = room.pass.bind(room);
    let hasEdited = false;
    room.pass = (from, to, content, id) => {
      pass(from, to, content, id);
      if (hasEdited || to !== 'c' || content.kind !== 'state') return;
      hasEdited = true;
      b.editing.apply(b.editing.text.replace('<q/>', '<q>two</q>'));
      a.editing.apply(a.editing.text.replace('one', 'three'));
    };
    await clock.pass(10_000);
    expect(hasEdited).toBe(true);
    expect(c.editing.text).toContain('three');
    expect(c.editing.text).toContain('<q>two</q>');
    expect(a.editing.text).toBe(c.editing.text);
  });

  it('ends when nobody sends the document', async () => {
    const { clock, join } = inRoom('<doc/>');
    const { editing } = join('b');
    const first = editing.events.next();
    await Promise.all([expect(first).rejects.toThrow('nobody in the session'), clock.pass(20_000)]);
  });

  it('shares texts that are longer than a stanza, and changes them', async () => {
    const long = (letter: string) => `${letter.repeat(9)}&😀 `.repeat(8_000);
    const { clock, share, join, longestStanza } = inRoom(
      `<doc a="${'x'.repeat(90_000)}">${'y<z/>'.repeat(2)}`
        .replaceAll('y', '&quot;'.repeat(30_000))
        .concat(`<!--${'- '.repeat(40_000)}--></doc>`),
    );
    const a = share();
    const b = join('b');
    await clock.pass(5_000);
    expect(b.editing.text).toBe(a.editing.text);
    // Both at once, so that what the conflict undoes has to be said again.
    const [mine, theirs] = [escaped(long('m')), escaped(long('t'))];
    a.editing.apply(a.editing.text.replace('<z/>', `${mine}<z/>`));
    b.editing.apply(b.editing.text.replace('<z/>', `${theirs}<z/>`));
    await clock.pass(30_000);
    expect(a.editing.text).toContain(mine);
    expect(a.editing.text).toContain(theirs);
    expect(b.editing.text).toBe(a.editing.text);
    const c = join('c');
    await clock.pass(5_000);
    expect(c.editing.text).toBe(a.editing.text);
    expect(longestStanza()).toBeLessThan(MAX_STANZA_BYTES);
  });

  it('refuses what cannot be sent in pieces, before anything is sent', () => {
    const { share } = inRoom(`<doc><?a ${'x'.repeat(30_000)}?></doc>`);
    expect(share).toThrow('a processing instruction is too long to be sent: it has more than 24000 bytes');
    const named = inRoom(`<doc xmlns="${'x'.repeat(30_000)}"/>`);
    expect(named.share).toThrow('a namespace is too long to be sent');
    expect(inRoom(`<doc>${'x'.repeat(17 * 1024 * 1024)}</doc>`).share).toThrow('cannot be shared: too-long');
  });
});

const escaped = (text: string): string => text.replaceAll('&', '&amp;');
