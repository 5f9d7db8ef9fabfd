import { describe, expect, it } from 'vitest';
import { traceExample } from '../../../src/lib/help/trace-page.js';
import { readTrace } from '../../../src/lib/trace/read-trace.js';
import { encodeRecord, recordBytes, type TraceRecord } from '../../../src/lib/trace/record.js';

describe('the documented format of traces', () => {
  it('has an example that is a trace, in the very form that is written', async () => {
    const records: TraceRecord[] = [];
    for await (const batch of readTrace(
      (async function* () {
        await Promise.resolve();
        yield Buffer.from(`${traceExample}\n`);
      })(),
      { name: 'the example', warn: expect.unreachable },
    ))
      records.push(...batch);
    expect(records.map(encodeRecord).join('')).toBe(`${traceExample}\n`);
    expect(new Set(records.map(({ kind }) => kind))).toEqual(
      new Set(['header', 'connection', 'event', 'data']),
    );
    const received = records.flatMap((record) =>
      record.kind === 'data' && record.dir === 'in' ? [recordBytes(record)] : [],
    );
    expect(Buffer.concat(received).toString()).toContain('<message><body>Grüße</body></message>');
  });
});
