import { describe, expect, it } from 'vitest';
import {
  destinationOf,
  nominate,
  portNumber,
  priorityOf,
  usable,
  type Candidate,
} from '../../../../src/lib/bytestreams/socks5/candidates.js';

const candidate = (over: Partial<Candidate>): Candidate => ({
  cid: 'c',
  host: '192.0.2.1',
  jid: 'romeo@montague.lit/orchard',
  port: 5086,
  priority: 1,
  type: 'direct',
  ...over,
});

describe('the hash that stands for a stream', () => {
  // The values of XEP-0260 §2.2.
  it.each([
    ['romeo@montague.lit/orchard', 'juliet@capulet.lit/balcony', '972b7bf47291ca609517f67f86b5081086052dad'],
    ['juliet@capulet.lit/balcony', 'romeo@montague.lit/orchard', '1a12fb7bc625e55f3ed5b29a53dbe0e4aa7d80ba'],
  ])('from %s to %s', (from, to, hash) => {
    expect(destinationOf('vj3hs98y', from, to)).toBe(hash);
  });
});

describe('priorities', () => {
  it('rank types before ranks, and ranks before salt', () => {
    expect(priorityOf('direct', 255, 0)).toBeGreaterThan(priorityOf('assisted', 0, 127));
    expect(priorityOf('assisted', 255, 0)).toBeGreaterThan(priorityOf('proxy', 0, 127));
    expect(priorityOf('direct', 1, 0)).toBeGreaterThan(priorityOf('direct', 2, 127));
  });

  it('stay within the type, and never equal those of clients that disagree on ties', () => {
    const theirs = [
      ...Array.from({ length: 10 }, (_, index) => 126 * 65_536 + 32_768 - index),
      ...[10_000, 5000, 0].flatMap((local) => [126 * 65_536 + local, 10 * 65_536 + local]),
    ];
    for (let salt = 0; salt < 128; salt += 1) {
      for (const rank of [0, 1, 7, 255, 1000]) {
        const priority = priorityOf('direct', rank, salt);
        expect(priority >> 16).toBe(126);
        // Dino's odd ones are met only by the 127th address of a machine.
        if (rank < 100) expect(theirs).not.toContain(priority);
      }
    }
  });
});

describe('candidates worth trying', () => {
  it('come best first, each place once', () => {
    const list = [
      candidate({ cid: 'low', priority: 1 }),
      candidate({ cid: 'high', priority: 9, host: '2001:db8::1' }),
      candidate({ cid: 'again', priority: 0 }),
    ];
    expect(usable(list).map(({ cid }) => cid)).toEqual(['high', 'low']);
  });

  it.each(['fe80::1%v0', 'fe80::1', 'FE80::2', '', 'a b', 'x;y', 'a'.repeat(300), '\u001b[2J', '../etc'])(
    'are not %j',
    (host) => {
      expect(usable([candidate({ host })])).toEqual([]);
    },
  );

  it.each(['192.0.2.1', '2001:db8::1', 'proxy.example.org', 'bücher.example', 'fd77::1', '123.456.7.8'])(
    'may be %s',
    (host) => {
      expect(usable([candidate({ host })])).toHaveLength(1);
    },
  );
});

describe('of two connections', () => {
  it.each([
    [undefined, undefined, true, 'none'],
    [5, undefined, true, 'ours'],
    [undefined, 5, false, 'theirs'],
    [6, 5, false, 'ours'],
    [5, 6, true, 'theirs'],
    [5, 5, true, 'tie-ours'],
    [5, 5, false, 'tie-theirs'],
  ] as const)('%s and %s, as the initiator: %s: %s', (ours, theirs, isInitiator, expected) => {
    expect(nominate(ours, theirs, isInitiator)).toBe(expected);
  });
});

describe('ports', () => {
  it.each([
    ['1080', 1080],
    ['65535', 65_535],
    ['0', undefined],
    ['65536', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s is %s', (text, expected) => {
    expect(portNumber(text)).toBe(expected);
  });
});
