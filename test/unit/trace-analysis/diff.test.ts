import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignLists } from '../../../src/lib/trace-analysis/diff/align.js';
import { diffRecordings, type Difference } from '../../../src/lib/trace-analysis/diff/diff.js';
import { RecordingLoader, type RecordedConnection } from '../../../src/lib/trace-analysis/diff/recording.js';
import { login, managed, nest, recordTrace, type Line } from '../../support/recorded-trace.js';

function load(...connections: readonly (readonly Line[])[]): RecordedConnection[] {
  const loader = new RecordingLoader();
  loader.push(recordTrace(...connections));
  return loader.end();
}

const diff = (a: readonly Line[], b: readonly Line[]): Difference[] =>
  diffRecordings(load([...login, ...a]), load([...login, ...b]));

const ping = (id: string): Line =>
  `→<iq type='get' id='${id}' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>`;
const pong = (id: string): Line => `←<iq type='result' id='${id}' from='example.org'/>`;

describe('trace diff', () => {
  it('sees no difference in ids, times, resources, counters, order of attributes and features, or what came in between', () => {
    const features = (list: string): Line => `←<stream:features>${list}</stream:features>`;
    const a: Line[] = [
      features("<sm xmlns='urn:xmpp:sm:3'/><csi xmlns='urn:xmpp:csi:0'/>"),
      ping('1'),
      "←<presence from='bob@b.org/x1'/>",
      "←<presence from='eve@b.org/x1'/>",
      "←<message id='m1' type='chat' from='bob@b.org/x1'><body>hi</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-31T10:00:00Z'/></message>",
      pong('1'),
      "→<a xmlns='urn:xmpp:sm:3' h='1'/>",
    ];
    const b: Line[] = [
      features("<csi xmlns='urn:xmpp:csi:0'/><sm xmlns='urn:xmpp:sm:3'/>"),
      "←<presence from='eve@b.org/x2'/>",
      ping('other'),
      pong('other'),
      "←<message from='bob@b.org/x2' type='chat' id='m2'><body>hi</body><delay stamp='2027-02-01T11:00:00Z' xmlns='urn:xmpp:delay'/></message>",
      "←<presence from='bob@b.org/x2'/>",
    ];
    expect(diff(a, b)).toEqual([]);
  });

  it('compares the same client on two servers', () => {
    const moved = managed.map((line): Line =>
      typeof line === 'string' ? (line.replaceAll('example.org', 'other.net') as Line) : line,
    );
    expect(diffRecordings(load(managed), load(moved))).toEqual([]);
  });

  it('says what only one has, with the reply', () => {
    expect(diff([ping('1'), pong('1')], [])).toEqual([
      { kind: 'only', only: 'a', conn: 1, dir: 'out', n: 10, what: 'iq get {urn:xmpp:ping}ping' },
      { kind: 'only', only: 'a', conn: 1, dir: 'in', n: 11, what: 'iq result' },
    ]);
  });

  it('says by path what changed', () => {
    const features = (mechanisms: readonly string[]): Line =>
      `←<stream:features><mechanisms xmlns='m'>${mechanisms.map((name) => `<mechanism>${name}</mechanism>`).join('')}</mechanisms></stream:features>`;
    expect(diff([features(['A', 'B'])], [features(['C', 'A'])])).toMatchObject([
      {
        kind: 'changed',
        a: 10,
        b: 10,
        changes: [
          { path: 'features/mechanisms/mechanism', a: '<mechanism xmlns="m">B</mechanism>' },
          { path: 'features/mechanisms/mechanism', b: '<mechanism xmlns="m">C</mechanism>' },
        ],
      },
    ]);
    const message = (attributes: string, body: string): Line =>
      `→<message ${attributes}><body>${body}</body></message>`;
    expect(diff([message("type='chat' to='b@c'", 'hi')], [message("type='chat'", 'ho')])).toMatchObject([
      {
        changes: [
          { path: 'message@to', a: 'b@c' },
          { path: 'message/body (text)', a: 'hi', b: 'ho' },
        ],
      },
    ]);
    const items = (list: string): Line => `→<message><list xmlns='l'>${list}</list></message>`;
    expect(diff([items("<a i='1'/><a i='2'/>")], [items("<a i='2'/><a i='1'/>")])).toMatchObject([
      { changes: [{ path: 'message/list/a (order)' }] },
    ]);
  });

  it('compares a reply that became an error', () => {
    const [difference] = diff(
      [ping('1'), pong('1')],
      [ping('1'), "←<iq type='error' id='1' from='example.org'><error type='cancel'/></iq>"],
    );
    expect(difference).toMatchObject({ kind: 'changed', dir: 'in', a: 11, b: 11 });
  });

  it('compares what a handshake agreed on', () => {
    const tls = (version: string): Line => ({
      name: 'tls',
      detail: { version, cipher: 'X', certificate: {} },
    });
    expect(diff([tls('TLSv1.2')], [tls('TLSv1.3')])).toMatchObject([
      { changes: [{ path: 'tls@version', a: 'TLSv1.2', b: 'TLSv1.3' }] },
    ]);
  });

  it('takes names that every object has something under for names', () => {
    const event = { name: '__proto__' as 'tls', detail: { version: '1' } };
    expect(diff([event], [event])).toEqual([]);
    const [difference] = diff(['→<message><x/></message>'], ["→<message><x constructor='1'/></message>"]);
    expect(difference).toMatchObject({ changes: [{ path: 'message/x@constructor', b: '1' }] });
  });

  it('misses a connection', () => {
    expect(diffRecordings(load(login, login), load(login))).toEqual([
      { kind: 'connection', only: 'a', conn: 2, label: 'c2s alice@example.org' },
    ]);
  });

  it('bears what is nested to hurt', () => {
    expect(diff([`→${nest(100_000)}` as Line], [`→${nest(100_000)}` as Line])).toEqual([]);
  });
});

describe('alignLists', () => {
  it('finds a longest common subsequence', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });
    fc.assert(
      fc.property(letters, letters, (a, b) => {
        const pairs = alignLists(a, b);
        expect(pairs.every(([i, j]) => a[i] === b[j])).toBe(true);
        for (const [index, [i, j]] of pairs.entries()) {
          const [nextI, nextJ] = pairs[index + 1] ?? [a.length, b.length];
          expect(nextI > i && nextJ > j).toBe(true);
        }
        expect(pairs).toHaveLength(longest(a, b));
      }),
    );
  });

  it('aligns what has little in common in bounded memory', () => {
    const a = Array.from({ length: 20_000 }, (_, index) => `a${index}`);
    const b = a.map((text, index) => (index % 3 === 0 ? text : `b${index}`));
    expect(alignLists(a, b)).toHaveLength(6667);
  });
});

function longest(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const x of a) {
    const next = [0];
    for (const [j, y] of b.entries())
      next.push(x === y ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0));
    row = next;
  }
  return row[b.length] ?? 0;
}
