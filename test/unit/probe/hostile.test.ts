/** Servers that mean harm: each probe ends soon, with little memory, and has something to say. */
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../../../src/lib/sandbox/certificates.js';
import { defaultLimits } from '../../../src/lib/probe/wire/budget.js';
import { startProbedServer, type ProbedServerOptions } from '../../support/probed-server.js';
import { at, probeEndpoints } from '../../support/probe-run.js';

const domain = 'fake.test';
const authority = createAuthority('Fake authority');
const good = authority.issue({ commonName: domain, names: [domain] });
const header = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='abcdefgh' from='${domain}' version='1.0' xml:lang='en'>`;

/** Small, so that a test does not wait as long as people do. */
const limits = { ...defaultLimits, stepMs: 400, totalMs: 4000 };

async function probe(options: Partial<ProbedServerOptions>) {
  await using server = await startProbedServer({
    domain,
    tls: { cert: good.cert, key: good.key },
    ...options,
  });
  const result = await probeEndpoints(domain, [at('xmpp-client', server), at('xmpps-client', server)], {
    extraRoots: [authority.cert],
    limits,
  });
  return { result, connections: server.connections() };
}

const flood = (socket: Socket, data: string | Buffer): void => {
  const write = (): void => {
    while (!socket.destroyed && socket.writable && socket.write(data));
    if (!socket.destroyed) socket.once('drain', write);
  };
  write();
};

describe('a server that', () => {
  it.concurrent.each<[string, (socket: Socket) => void]>([
    ['says nothing', () => undefined],
    ['closes at once', (socket) => socket.destroy()],
    ['is a web server', (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n<html>')],
    [
      'sends features without end',
      (socket) => {
        socket.write(`${header}<stream:features>`);
        flood(socket, `<x xmlns='${'a'.repeat(1000)}'/>`.repeat(50));
      },
    ],
    [
      'sends white space without end',
      (socket) => {
        socket.write(header);
        flood(socket, ' '.repeat(65_536));
      },
    ],
    [
      'nests without end',
      (socket) => {
        socket.write(`${header}<stream:features>`);
        flood(socket, '<a>'.repeat(10_000));
      },
    ],
    [
      'sends TLS records without end',
      (socket) => flood(socket, Buffer.concat([Buffer.from([22, 3, 3, 0x40, 0]), Buffer.alloc(0x4000)])),
    ],
    ['sends alerts without end', (socket) => flood(socket, Buffer.from([21, 3, 3, 0, 2, 1, 0]))],
    [
      'sends entities',
      (socket) => void socket.write(`<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]>${header}&b;`),
    ],
    [
      'sends a stanza error of escape sequences',
      (socket) =>
        void socket.write(
          `${header}<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>\u0085\u202eevil</text></stream:error>`,
        ),
    ],
  ])('%s', async (_name, onConnection) => {
    const { result, connections } = await probe({ onConnection });
    const worst = result.findings.filter(({ status }) => status === 'fail').map(({ check }) => check.id);
    expect(worst.length).toBeGreaterThan(0);
    expect(result.grades.overall).toBe('F');
    // It is left alone when it does not speak XMPP; with direct TLS every version is tried.
    expect(connections).toBeLessThan(40);
  });

  it('sends one byte at a time', async () => {
    const text = `${header}<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>`;
    const { result } = await probe({
      onConnection: (socket) => {
        let at = 0;
        const timer = setInterval(() => socket.write(text[at++ % text.length] ?? ' '), 20);
        socket.on('close', () => clearInterval(timer));
      },
    });
    expect(result.grades.overall).toBe('F');
  });

  it('refuses after some connections is reported with what was seen until then', async () => {
    let count = 0;
    await using inner = await startProbedServer({ domain, tls: { cert: good.cert, key: good.key } });
    const { connect } = await import('node:net');
    await using server = await startProbedServer({
      domain,
      tls: { cert: good.cert, key: good.key },
      onConnection: (socket) => {
        count += 1;
        if (count > 15) {
          socket.destroy();
          return;
        }
        const upstream = connect(inner.port, '127.0.0.1');
        upstream.on('error', () => undefined);
        socket.pipe(upstream).pipe(socket);
        socket.on('close', () => upstream.destroy());
      },
    });
    const result = await probeEndpoints(domain, [at('xmpp-client', server)], {
      extraRoots: [authority.cert],
      limits,
    });
    const statuses = (id: string) =>
      result.findings.filter(({ check }) => check.id === id).map(({ status }) => status);
    expect(statuses('starttls.offered')).toEqual(['pass']);
    expect(statuses('starttls.required')).toEqual(['pass']);
    expect(result.findings.filter(({ status }) => status === 'skip').length).toBeGreaterThan(10);
  });

  it('runs out of the budget of connections is reported as not measured', async () => {
    await using server = await startProbedServer({ domain, tls: { cert: good.cert, key: good.key } });
    const result = await probeEndpoints(domain, [at('xmpp-client', server)], {
      extraRoots: [authority.cert],
      limits: { ...limits, connections: 6 },
    });
    expect(server.connections()).toBeLessThanOrEqual(6);
    expect(result.findings.filter(({ status }) => status === 'fail')).toEqual([]);
  });

  it('is stopped in the middle', async () => {
    const stop = new AbortController();
    await using server = await startProbedServer({
      domain,
      tls: { cert: good.cert, key: good.key },
      onConnection: () => stop.abort(),
    });
    await expect(
      probeEndpoints(domain, [at('xmpp-client', server)], { signal: stop.signal }),
    ).rejects.toMatchObject({ name: expect.stringMatching(/Interrupted|Abort/) as string });
  });
});
