import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TimeoutError } from '../../../src/lib/errors.js';
import { createDocument } from '../../../src/lib/sxe/load-tree.js';
import { compileSchema } from '../../../src/lib/sxe/schema/compile-schema.js';
import type { Schema } from '../../../src/lib/sxe/schema/schema.js';
import type { EditingEvent } from '../../../src/lib/sxe/session/editing-event.js';
import { EditingSession } from '../../../src/lib/sxe/session/editing-session.js';
import { LiveFile, type LiveFileEvent } from '../../../src/lib/sxe/session/live-file.js';
import { FakeRoom } from './fake-room.js';
import { BY_RNG } from './minutes-schemas.js';
import { VirtualClock } from './virtual-clock.js';

const APPLICATION = 'urn:xmpp:jingle:apps:xml';
const GOOD = '<doc><p>one</p></doc>';

describe('a session with a schema', () => {
  let dir: string;
  let schema: Schema;

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'xmppctl-guard-'));
    await writeFile(path.join(dir, 's.rng'), BY_RNG);
    const findFault = compileSchema(path.join(dir, 's.rng'));
    schema = { check: (text) => Promise.resolve(findFault(text)) };
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  /** Some participants in a room; the first one begins with a text. */
  async function meet(text: string, ...schemas: (Schema | undefined)[]) {
    const clock = new VirtualClock();
    const room = new FakeRoom(clock, () => 0.5);
    const all = [];
    for (const [index, own] of schemas.entries()) {
      const name = 'abc'.charAt(index);
      const channel = room.enter(name);
      const surroundings = { clock, newSite: () => `site0000${name}` };
      const make = (owner: string, site: string) => createDocument(text, owner, site);
      const editing =
        index === 0
          ? EditingSession.share(channel, APPLICATION, make, { surroundings, schema: own })
          : EditingSession.join(channel, APPLICATION, { surroundings, schema: own });
      const events: EditingEvent[] = [];
      void (async () => {
        for await (const event of editing.events) events.push(event);
      })();
      await clock.pass(5_000);
      all.push({ name, channel, editing, events, kinds: () => events.map(({ kind }) => kind) });
    }
    const [a, b, c] = all;
    if (!a || !b || !c) throw new RangeError('three are needed');
    const change = (from: string, to: string) => a.editing.apply(a.editing.text.replace(from, to));
    return { clock, a, b, c, all, change };
  }

  it('is corrected by one of those who have it, who says why', async () => {
    const { clock, a, b, c, all, change } = await meet(GOOD, undefined, schema, schema);
    change('</doc>', '<p>two</p><q/></doc>');
    await clock.pass(5_000);
    for (const { editing } of all) expect(editing.text.trim()).toBe('<doc><p>one</p><p>two</p></doc>');
    expect(b.kinds()).toContain('corrected');
    expect(c.kinds()).not.toContain('corrected');
    expect(c.kinds()).toEqual(expect.arrayContaining(['invalid', 'valid']));
    expect(a.events.find(({ kind }) => kind === 'taken-back')).toMatchObject({
      name: 'b',
      reason: expect.stringContaining('q') as string,
    });
  });

  it('is corrected by the next one when that one has left', async () => {
    const { clock, a, b, c, change } = await meet(GOOD, undefined, schema, schema);
    await b.editing.close();
    await clock.pass(1_000);
    change('</doc>', '<q/></doc>');
    await clock.pass(5_000);
    expect(c.kinds()).toContain('corrected');
    expect(a.editing.text.trim()).toBe(GOOD);
  });

  it('is corrected when two have done what fits alone and not together', async () => {
    const { clock, a, b, c } = await meet(GOOD, schema, schema, schema);
    a.editing.apply('<doc><title>A</title><p>one</p></doc>');
    c.editing.apply('<doc><title>C</title><p>one</p></doc>');
    await clock.pass(5_000);
    expect(a.editing.text).toMatch(/^<doc><title>[AC]<\/title><p>one<\/p><\/doc>\n$/);
    expect([b.editing.text, c.editing.text]).toEqual([a.editing.text, a.editing.text]);
    expect([...b.kinds(), ...c.kinds()]).not.toContain('corrected');
  });

  it('is left as it is when it was not valid from the beginning, until it is', async () => {
    const bad = '<doc><q>one</q></doc>';
    const { clock, a, b, c, change } = await meet(bad, undefined, schema, schema);
    change('one', 'one and more');
    await clock.pass(5_000);
    expect(a.editing.text).toContain('<q>one and more</q>');
    expect(b.kinds()).toContain('invalid');
    // A step to what is valid may be sent.
    expect(await c.editing.judge('<doc><q/><p/></doc>')).toBeUndefined();
    a.editing.apply('<doc><p>one and more</p></doc>');
    await clock.pass(5_000);
    expect(b.kinds().at(-1)).toBe('valid');
    expect(await c.editing.judge('<doc><q/><p/></doc>')).toContain('line 1');
    change('</doc>', '<q/></doc>');
    await clock.pass(5_000);
    expect(a.editing.text.trim()).toBe('<doc><p>one and more</p></doc>');
  });

  it('is not corrected for ever when somebody does not give in', async () => {
    const { clock, a, b, change } = await meet(GOOD, undefined, schema, undefined);
    for (let round = 0; round < 100; round++) {
      if (!a.editing.text.includes('<q/>')) change('</doc>', '<q/></doc>');
      await clock.pass(1_000);
    }
    const corrections = b.kinds().filter((kind) => kind === 'corrected').length;
    expect(corrections).toBeGreaterThanOrEqual(10);
    expect(corrections).toBeLessThanOrEqual(20);
    await clock.pass(120_000);
    expect(a.editing.text.trim()).toBe(GOOD);
  });

  it('takes for valid what cannot be checked', async () => {
    const slow: Schema = { check: () => Promise.reject(new TimeoutError('timed out')) };
    const { clock, a, b, change } = await meet(GOOD, undefined, slow, undefined);
    change('</doc>', '<q/></doc>');
    await clock.pass(5_000);
    expect(a.editing.text).toContain('<q/>');
    expect(b.kinds()).not.toContain('invalid');
  });

  it('keeps what is saved and not valid, says on which line, and sends what is mended', async () => {
    const { clock, a, b } = await meet(GOOD, undefined, schema, undefined);
    const file = path.join(dir, 'live.xml');
    const events: LiveFileEvent[] = [];
    using _live = await LiveFile.open(file, b.editing, (event) => void events.push(event));
    const bad = '<doc>\n<p>one</p>\n<q/>\n</doc>\n';
    await writeFile(file, bad);
    await vi.waitFor(() => expect(events.map(({ kind }) => kind)).toContain('refused'));
    expect(events.at(-1)).toMatchObject({ reason: expect.stringMatching(/^not valid: line 3: /) as string });
    await clock.pass(5_000);
    expect(a.editing.text.trim()).toBe(GOOD);
    expect(await readFile(file, 'utf8')).toBe(bad);
    await writeFile(file, bad.replace('<q/>', '<p>two</p>'));
    await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ kind: 'sent' }));
    await clock.pass(5_000);
    expect(a.editing.text).toContain('<p>two</p>');
  });
});
