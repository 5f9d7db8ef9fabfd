import { describe, expect, it } from 'vitest';
import { Histogram } from '../../../src/lib/trace-analysis/histogram.js';
import { TraceCounter } from '../../../src/lib/trace-analysis/stats.js';
import type { TraceRecord } from '../../../src/lib/trace/record.js';
import { managed, recordTrace } from '../../support/recorded-trace.js';

describe('trace stats', () => {
  it('counts what crossed', () => {
    const counter = new TraceCounter();
    counter.push(
      recordTrace([
        { name: 'tcp', detail: { address: '192.0.2.1' } },
        { name: 'tls', detail: { version: 'TLSv1.3' } },
        ...managed,
        "→<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
        "←<message><body>ü</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>",
        "←<iq type='result' id='1'/>",
        "←<r xmlns='urn:xmpp:sm:3'/>",
        "→<a xmlns='urn:xmpp:sm:3' h='2'/>",
        { gap: [20, 29] },
      ]),
    );
    const stats = counter.end();
    expect(stats).toMatchObject({ records: 18, missing: 10, durationMs: 18, tool: 'xmppctl 0.1.0' });
    expect(stats.connections).toHaveLength(1);
    expect(stats.connections[0]).toMatchObject({
      conn: 1,
      label: 'c2s alice@example.org',
      durationMs: 17,
      stanzas: {
        iq: { in: 2, out: 2 },
        message: { in: 1, out: 0 },
        stream: { in: 4, out: 2 },
        nonza: { in: 3, out: 3 },
      },
      namespaces: [
        { namespace: 'urn:ietf:params:xml:ns:xmpp-bind', count: 2 },
        { namespace: 'http://jabber.org/protocol/chatstates', count: 1 },
        { namespace: 'urn:xmpp:ping', count: 1 },
      ],
      roundTrips: { count: 2, p50Ms: 1, p95Ms: 2, maxMs: 2 },
      management: {
        requests: { in: 1, out: 0 },
        acknowledgements: { in: 0, out: 1 },
        lastH: { out: 2 },
        isResumed: false,
      },
      phases: { connectedMs: 1, tlsMs: 2, authenticatedMs: 6, boundMs: 10 },
    });
  });

  it('counts bytes as they crossed, with what was taken out', () => {
    const counter = new TraceCounter();
    const data = (n: number, more: object): TraceRecord => ({
      n,
      t: n,
      conn: 1,
      kind: 'data',
      dir: 'out',
      ...more,
    });
    counter.push([
      data(1, { text: 'ü[redacted]', redacted: [{ at: 2, bytes: 100, reason: 'sasl' }] }),
      data(2, { text: '', redacted: [{ at: 0, bytes: 7, reason: 'sasl', continued: true }] }),
      data(3, { base64: 'AAEC' }),
    ]);
    expect(counter.end().connections[0]?.bytes).toEqual({ in: 0, out: 2 + 100 + 7 + 3 });
  });

  it('does not fill memory with namespaces that somebody makes up', () => {
    const counter = new TraceCounter();
    counter.push(
      recordTrace([
        `←${Array.from({ length: 3000 }, (_, i) => `<message><x xmlns='n${i}'/></message>`).join('')}`,
      ]),
    );
    expect(counter.end().connections[0]?.namespaces[0]).toEqual({ namespace: '(others)', count: 2000 });
  });
});

describe('Histogram', () => {
  it('finds percentiles to within a hundredth', () => {
    const histogram = new Histogram();
    for (let value = 1; value <= 10_000; value += 1) histogram.add(value / 7);
    expect(histogram.percentile(0.5) / (5000 / 7)).toBeCloseTo(1, 2);
    expect(histogram.percentile(0.95) / (9500 / 7)).toBeCloseTo(1, 2);
    expect(histogram.max).toBeCloseTo(10_000 / 7);
  });

  it('is exact for what is far apart, and has nothing of nothing', () => {
    const histogram = new Histogram();
    expect(histogram.percentile(0.5)).toBe(0);
    for (const value of [0, 1, 100]) histogram.add(value);
    expect([0.1, 0.5, 0.95].map((share) => histogram.percentile(share))).toEqual([0, 1, 100]);
  });
});
