import { describe, expect, it } from 'vitest';
import { IqPairing, type TracedIq } from '../../../src/lib/trace/iq-pairing.js';

function iq(facts: Partial<TracedIq>): TracedIq {
  return {
    conn: 1,
    dir: 'out',
    n: 1,
    endedAt: 0,
    type: 'get',
    id: 'a',
    from: undefined,
    to: undefined,
    ...facts,
  };
}

const reply = (facts: Partial<TracedIq>): TracedIq =>
  iq({ dir: 'in', type: 'result', endedAt: 2.5, ...facts });

describe('IqPairing', () => {
  it.each<[string, Partial<TracedIq>, Partial<TracedIq>]>([
    ['the entity that was asked', { to: 'bob@b/x' }, { from: 'bob@b/x' }],
    ['the same address in another case', { to: 'Bob@B/x' }, { from: 'bob@b/x' }],
    ['the server, without a sender', {}, {}],
    ['the own account', {}, { from: 'alice@a', to: 'alice@a/r' }],
    ['the own server', {}, { from: 'a', to: 'alice@a/r' }],
    ['the own account, asked by name', { to: 'alice@a' }, { to: 'alice@a/r' }],
    ['an error', { to: 'bob@b' }, { type: 'error', from: 'bob@b' }],
    [
      'us, to a request that came in',
      { dir: 'in', from: 'bob@b/x', to: 'alice@a/r' },
      { dir: 'out', to: 'bob@b/x' },
    ],
  ])('takes a reply from %s', (_whom, request, answer) => {
    const pairing = new IqPairing();
    expect(pairing.observe(iq({ n: 3, endedAt: 1, ...request }))).toBeUndefined();
    expect(pairing.observe(reply(answer))).toEqual({ replyTo: 3, rttMs: 1.5 });
  });

  it.each<[string, Partial<TracedIq>, Partial<TracedIq>]>([
    ['somebody else', { to: 'bob@b/x' }, { from: 'mallory@m', to: 'alice@a/r' }],
    ['a stranger where the server was asked', {}, { from: 'mallory@m', to: 'alice@a/r' }],
    ['another connection', { to: 'bob@b' }, { conn: 2, from: 'bob@b' }],
    ['the same direction', { to: 'bob@b' }, { dir: 'out', from: 'bob@b' }],
    ['us, but to somebody else', { dir: 'in', from: 'bob@b/x' }, { dir: 'out', to: 'bob@b/y' }],
    ['another id', { to: 'bob@b' }, { id: 'b', from: 'bob@b' }],
  ])('takes no reply from %s', (_whom, request, answer) => {
    const pairing = new IqPairing();
    pairing.observe(iq(request));
    expect(pairing.observe(reply(answer))).toBeUndefined();
  });

  it('keeps requests with the same id to different entities apart', () => {
    const pairing = new IqPairing();
    pairing.observe(iq({ n: 1, to: 'a@a' }));
    pairing.observe(iq({ n: 2, to: 'b@b' }));
    expect(pairing.observe(reply({ from: 'b@b' }))?.replyTo).toBe(2);
    expect(pairing.observe(reply({ from: 'a@a' }))?.replyTo).toBe(1);
    expect(pairing.observe(reply({ from: 'a@a' }))).toBeUndefined();
  });

  it('gives up the oldest requests when nobody answers', () => {
    const pairing = new IqPairing();
    for (let index = 0; index <= 100_000; index += 1) pairing.observe(iq({ id: String(index), to: 'a@a' }));
    expect(pairing.observe(reply({ id: '0', from: 'a@a' }))).toBeUndefined();
    expect(pairing.observe(reply({ id: '1', from: 'a@a' }))).toBeDefined();
  });
});
