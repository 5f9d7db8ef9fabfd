import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainStyle } from '../../../src/lib/output/style.js';
import { PrettySink } from '../../../src/lib/trace/pretty-sink.js';
import {
  encodeRecord,
  recordBytes,
  type DataRecord,
  type TraceRecord,
} from '../../../src/lib/trace/record.js';
import { createTracer, type TraceSink } from '../../../src/lib/trace/tracer.js';
import { exchanges, SECRET, streamHeader } from './secret-exchanges.js';

/** Keeps what it is given as the lines of a file, and as records read back from them. */
class MemorySink implements TraceSink {
  lines = '';

  write(record: TraceRecord): void {
    this.lines += encodeRecord(record);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  get records(): TraceRecord[] {
    return this.lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as TraceRecord);
  }

  get data(): DataRecord[] {
    return this.records.filter((record): record is DataRecord => record.kind === 'data');
  }
}

function bytesOf(records: readonly DataRecord[], dir: 'in' | 'out'): Buffer {
  return Buffer.concat(records.filter((record) => record.dir === dir).map(recordBytes));
}

describe('createTracer', () => {
  it('begins with a header and numbers and times what follows', async () => {
    const sink = new MemorySink();
    let clock = 1000;
    const tracer = createTracer({
      sinks: [sink],
      redact: true,
      now: () => clock,
      startedAt: new Date('2026-01-31T10:00:00Z'),
      tool: 'xmppctl 1.2.3',
    });
    clock += 1.5;
    const first = tracer.connection('c2s alice@example.org');
    clock += 0.0004;
    first.event('tcp', { address: '::1', port: 5222, family: 6 });
    clock += 10;
    const second = tracer.connection('component echo.example.org');
    second.data('out', Buffer.from('<a/>'));
    first.data('in', Buffer.from('<b/>'));
    await tracer.close();
    expect(sink.records).toEqual([
      {
        kind: 'header',
        format: 'xmppctl-trace',
        version: 1,
        started: '2026-01-31T10:00:00.000Z',
        tool: 'xmppctl 1.2.3',
        redacted: true,
      },
      { n: 1, t: 1.5, kind: 'connection', conn: 1, label: 'c2s alice@example.org' },
      {
        n: 2,
        t: 1.5,
        conn: 1,
        kind: 'event',
        name: 'tcp',
        detail: { address: '::1', port: 5222, family: 6 },
      },
      { n: 3, t: 11.5, kind: 'connection', conn: 2, label: 'component echo.example.org' },
      { n: 4, t: 11.5, conn: 2, kind: 'data', dir: 'out', text: '<a/>' },
      { n: 5, t: 11.5, conn: 1, kind: 'data', dir: 'in', text: '<b/>' },
    ]);
  });

  it('keeps every byte and every boundary, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.boolean(), (chunks, redact) => {
        const sink = new MemorySink();
        const connection = createTracer({ sinks: [sink], redact }).connection('any');
        // Without `<` there is nothing that could be a secret.
        const sent = redact
          ? chunks.map((chunk) => chunk.map((byte) => (byte === 0x3c ? 0x20 : byte)))
          : chunks;
        for (const chunk of sent) connection.data('out', chunk);
        expect(sink.data.map((record) => [...recordBytes(record)])).toEqual(sent.map((chunk) => [...chunk]));
      }),
    );
  });

  it('keeps characters that are split over packets', () => {
    const text = `${streamHeader}<message><body>Grüße 🎉 日本</body></message>`;
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const sink = new MemorySink();
      const connection = createTracer({ sinks: [sink], redact: true }).connection('any');
      connection.data('in', bytes.subarray(0, cut));
      connection.data('out', Buffer.from('<r/>'));
      connection.data('in', bytes.subarray(cut));
      expect(bytesOf(sink.data, 'in').toString()).toBe(text);
      expect(sink.data[0]?.base64 !== undefined).toBe(!text.startsWith(bytes.subarray(0, cut).toString()));
    }
  });

  it('lets no secret reach a sink: not as it is, not in base64, not in hex, wherever it is cut', () => {
    const secret = Buffer.from(SECRET);
    const hidden = [
      SECRET,
      Buffer.from(SECRET, 'base64').toString(),
      secret.toString('hex'),
      // Base64 of the secret at each of the three places it can have in a longer text.
      ...[0, 1, 2].map((shift) =>
        Buffer.concat([Buffer.alloc(shift), secret])
          .toString('base64')
          .slice(4, -4),
      ),
    ];
    for (const [name, exchange] of Object.entries(exchanges)) {
      const bytes = Buffer.from(`${streamHeader}<b>\u00fc</b>${exchange}<iq/>`);
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        const sink = new MemorySink();
        const stderr = new PassThrough();
        const tracer = createTracer({
          sinks: [sink, new PrettySink({ stream: stderr, style: plainStyle })],
          redact: true,
        });
        const connection = tracer.connection('any');
        connection.data('out', bytes.subarray(0, cut));
        connection.data('out', bytes.subarray(cut));
        const output = [
          sink.lines,
          ...sink.data.map((record) => Buffer.from(recordBytes(record)).toString('latin1')),
          String(stderr.read()),
        ].join('\n');
        for (const form of hidden) expect(output.includes(form), `${name}, cut at ${cut}`).toBe(false);
        expect(output).toContain('[redacted]');
      }
    }
  });

  it('lets a secret that is nowhere near UTF-8 not through either', () => {
    const sink = new MemorySink();
    const connection = createTracer({ sinks: [sink], redact: true }).connection('any');
    connection.data('out', Buffer.from(`<x>\u00ff</x><password>${SECRET}\u00ff</password>`, 'latin1'));
    expect(bytesOf(sink.data, 'out').toString('latin1')).toBe('<x>\u00ff</x><password>[redacted]</password>');
    expect(sink.data[0]?.redacted).toEqual([{ at: 18, bytes: SECRET.length + 1, reason: 'password' }]);
  });

  it('records secrets only when it is told to', () => {
    const sink = new MemorySink();
    createTracer({ sinks: [sink], redact: false })
      .connection('any')
      .data('out', Buffer.from(`<password>${SECRET}</password>`));
    expect(sink.records[0]).toMatchObject({ redacted: false });
    expect(sink.data[0]?.text).toContain(SECRET);
  });

  it('takes secrets out of the facts of events', () => {
    const sink = new MemorySink();
    const connection = createTracer({ sinks: [sink], redact: true }).connection('any');
    connection.event('sasl', {
      mechanism: 'PLAIN',
      password: SECRET,
      nested: [{ token: SECRET }],
      at: new Date(0),
    });
    expect(sink.lines).not.toContain(SECRET);
    expect(sink.lines).toContain('"mechanism":"PLAIN"');
  });

  it('hands out what was held back when it is closed, and takes nothing after that', async () => {
    const sink = new MemorySink();
    const tracer = createTracer({ sinks: [sink], redact: true });
    const connection = tracer.connection('any');
    connection.data('out', Buffer.from('<password>x<'));
    await tracer.close();
    connection.data('out', Buffer.from('late'));
    connection.event('close', { clean: true });
    expect(bytesOf(sink.data, 'out').toString()).toBe('<password>[redacted]<');
    expect(sink.lines).not.toContain('late');
    expect(sink.lines).not.toContain('close');
  });
});
