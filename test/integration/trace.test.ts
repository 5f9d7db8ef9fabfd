/** What the tracer records of real streams, held against what a relay in the middle saw. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createReadStream } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { JID } from '../../src/lib/jid/jid.js';
import { plainStyle } from '../../src/lib/output/style.js';
import { connect } from '../../src/lib/session/connect.js';
import { openTracer } from '../../src/lib/trace/open-tracer.js';
import { readTrace } from '../../src/lib/trace/read-trace.js';
import { recordBytes, type DataRecord, type TraceRecord } from '../../src/lib/trace/record.js';
import { TraceView, type TraceEntry } from '../../src/lib/trace/view-trace.js';
import { xml } from '../../src/lib/xml/element.js';
import { accountOptions, type Carriage } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';

/** A TCP relay that keeps what crosses it. */
class RecordingRelay implements AsyncDisposable {
  readonly sent: Buffer[] = [];
  readonly received: Buffer[] = [];
  readonly #sockets: Socket[] = [];
  readonly #server = createServer((client) => {
    const upstream = connectTcp(this.port, this.host);
    this.#sockets.push(client, upstream);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.on('data', (chunk: Buffer) => this.sent.push(chunk));
    upstream.on('data', (chunk: Buffer) => this.received.push(chunk));
    client.pipe(upstream);
    upstream.pipe(client);
  });

  constructor(
    private readonly host: string,
    private readonly port: number,
  ) {}

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describeOnEachServer('the tracer', (server) => {
  let folder = '';
  let file = '';
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-trace-'));
    file = path.join(folder, 'a.trace');
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const open = (redact: boolean) =>
    openTracer({ target: file, redact, stderr: process.stderr, style: plainStyle, warn: expect.unreachable });

  async function read(): Promise<{ records: TraceRecord[]; entries: TraceEntry[] }> {
    const records: TraceRecord[] = [];
    const view = new TraceView({});
    const entries: TraceEntry[] = [];
    for await (const batch of readTrace(createReadStream(file), { name: file, warn: expect.unreachable })) {
      records.push(...batch);
      entries.push(...view.push(batch));
    }
    return { records, entries: [...entries, ...view.end()] };
  }

  function bytesOf(records: readonly TraceRecord[], dir: 'in' | 'out'): string {
    return Buffer.concat(
      records
        .filter((record): record is DataRecord => record.kind === 'data' && record.dir === dir)
        .map(recordBytes),
    ).toString('latin1');
  }

  it.each([true, false])('records exactly what crossed, redacting: %s', async (redact) => {
    const { sandbox } = server;
    await using relay = new RecordingRelay(sandbox.host, sandbox.ports.component);
    const port = await relay.listen();
    const tracer = await open(redact);
    {
      await using session = await connect({
        kind: 'component',
        jid: JID.parse(sandbox.components[0] ?? ''),
        credentials: { password: () => Promise.resolve(sandbox.componentSecret) },
        service: `xmpp://127.0.0.1:${port}`,
        allowPlain: true,
        timeoutMs: 20_000,
        tracer,
      });
      for (let index = 0; index < 200; index += 1) {
        await session.send(
          xml(
            'message',
            { to: sandbox.accounts['alice']?.jid, from: session.jid.toString() },
            xml('body', {}, `Nr. ${index}: Grüße 🎉 ${'日本語 '.repeat(index)}`),
          ),
        );
      }
      await session.request({
        type: 'get',
        to: sandbox.domain,
        payload: xml('ping', { xmlns: 'urn:xmpp:ping' }),
      });
    }
    await tracer.close();
    const { records } = await read();
    const hide = (bytes: Buffer[]): string => {
      const text = Buffer.concat(bytes).toString('latin1');
      return redact ? text.replace(/(<handshake[^>]*>)[^<]+/, '$1[redacted]') : text;
    };
    expect(bytesOf(records, 'out')).toBe(hide(relay.sent));
    expect(bytesOf(records, 'in')).toBe(hide(relay.received));
    expect(bytesOf(records, 'out').includes('[redacted]')).toBe(redact);
  });

  it.each<Carriage>(['starttls', 'tls', 'websocket'])('shows a whole session over %s', async (carriage) => {
    const { sandbox } = server;
    const tracer = await open(true);
    {
      await using session = await connect(accountOptions(sandbox, 'alice', { tracer }, carriage));
      await session.request({ type: 'get', payload: xml('ping', { xmlns: 'urn:xmpp:ping' }) });
    }
    await tracer.close();
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain(sandbox.accounts['alice']?.password);
    const { records, entries } = await read();
    const names = records.flatMap((record) => (record.kind === 'event' ? [record.name] : []));
    for (const name of ['tcp', 'tls', 'stream', 'sasl', 'bind', 'close']) expect(names).toContain(name);
    const stanzas = entries.flatMap((entry) => (entry.kind === 'event' ? [] : [entry]));
    for (const { stanza } of stanzas) {
      expect(stanza.unit.kind).not.toBe('other');
      expect(stanza.unit.kind).not.toBe('incomplete');
    }
    const hidden = records.flatMap((record) => (record.kind === 'data' ? (record.redacted ?? []) : []));
    expect(new Set(hidden.map(({ reason }) => reason))).toContain('sasl');
    const ping = stanzas.find(
      ({ stanza }) => stanza.hasNamespace('urn:xmpp:ping') && stanza.unit.dir === 'out',
    );
    const pong = stanzas.find(({ pair }) => pair !== undefined && pair.replyTo === ping?.stanza.unit.n);
    expect(pong?.stanza.attribute('type')).toBe('result');
    expect(pong?.pair?.rttMs).toBeGreaterThan(0);
  });
});
