import { describe, expect, it } from 'vitest';
import { DnsError, InterruptedError, TimeoutError, UsageError } from '../../../../src/lib/errors.js';
import {
  findEndpoints,
  parseService,
  SERVER_SERVICES,
  toHostName,
} from '../../../../src/lib/session/transport/endpoints.js';
import { a, srv, startFakeDns } from '../../../support/fake-dns.js';

const timeoutMs = 5000;

describe('parseService', () => {
  it.each([
    ['xmpp://chat.example.org', { kind: 'tcp', host: 'chat.example.org', port: 5222 }],
    ['xmpp://chat.example.org:5269/', { kind: 'tcp', host: 'chat.example.org', port: 5269 }],
    ['xmpps://Chat.Example.ORG', { kind: 'tls', host: 'chat.example.org', port: 5223 }],
    ['xmpps://[::1]:443', { kind: 'tls', host: '::1', port: 443 }],
    ['[2001:db8::1]', { kind: 'tcp', host: '2001:db8::1', port: 5222 }],
    ['::1', { kind: 'tcp', host: '::1', port: 5222 }],
    ['127.0.0.1:1234', { kind: 'tcp', host: '127.0.0.1', port: 1234 }],
    ['localhost', { kind: 'tcp', host: 'localhost', port: 5222 }],
    ['bücher.example:5222', { kind: 'tcp', host: 'xn--bcher-kva.example', port: 5222 }],
  ])('reads %s', (service, endpoint) => {
    expect(parseService(service)).toEqual({ ...endpoint, source: 'service' });
  });

  it('reads WebSocket URLs', () => {
    expect(parseService('wss://example.org/xmpp-websocket')).toEqual({
      kind: 'websocket',
      url: 'wss://example.org/xmpp-websocket',
      source: 'service',
    });
  });

  it('takes another default port for a component', () => {
    expect(parseService('localhost', 5347)).toMatchObject({ port: 5347 });
  });

  it.each([
    '',
    'http://example.org',
    'xmpp://',
    'host:99999',
    'host:0',
    'a b',
    'xmpp://u@host',
    'wss://',
    'host:port',
  ])('refuses %j', (service) => {
    expect(() => parseService(service)).toThrow(UsageError);
  });
});

describe('toHostName', () => {
  it('writes A-labels, and leaves addresses alone', () => {
    expect(toHostName('Bücher.example.')).toBe('xn--bcher-kva.example');
    expect(toHostName('XN--bcher-kva.example')).toBe('xn--bcher-kva.example');
    expect(toHostName('[::1]')).toBe('::1');
    expect(toHostName('127.0.0.1')).toBe('127.0.0.1');
  });
});

describe('findEndpoints', () => {
  it('asks nobody when a service is named', async () => {
    await using dns = await startFakeDns({});
    const endpoints = await findEndpoints('example.org', {
      service: 'xmpps://10.0.0.1',
      dnsServers: [dns.server],
      timeoutMs,
    });
    expect(endpoints).toEqual([{ kind: 'tls', host: '10.0.0.1', port: 5223, source: 'service' }]);
    expect(dns.questions).toEqual([]);
  });

  it('mixes the records for direct TLS and STARTTLS by priority', async () => {
    await using dns = await startFakeDns({
      'SRV _xmpp-client._tcp.example.org': [
        srv('_xmpp-client._tcp.example.org', 'a.example.org', 5222, 10),
        srv('_xmpp-client._tcp.example.org', 'c.example.org', 5222, 30),
      ],
      'SRV _xmpps-client._tcp.example.org': [srv('_xmpps-client._tcp.example.org', 'B.example.org', 443, 20)],
    });
    const endpoints = await findEndpoints('example.org', { dnsServers: [dns.server], timeoutMs });
    expect(endpoints).toEqual([
      { kind: 'tcp', host: 'a.example.org', port: 5222, source: 'srv' },
      { kind: 'tls', host: 'b.example.org', port: 443, source: 'srv' },
      { kind: 'tcp', host: 'c.example.org', port: 5222, source: 'srv' },
    ]);
  });

  it('asks for other services', async () => {
    await using dns = await startFakeDns({
      'SRV _xmpp-server._tcp.example.org': [srv('_xmpp-server._tcp.example.org', 's.example.org', 5269)],
    });
    const endpoints = await findEndpoints('example.org', {
      srvServices: SERVER_SERVICES,
      defaultPort: 5269,
      dnsServers: [dns.server],
      timeoutMs,
    });
    expect(endpoints).toMatchObject([{ host: 's.example.org', port: 5269 }]);
    expect(dns.questions.sort()).toEqual([
      'SRV _xmpp-server._tcp.example.org',
      'SRV _xmpps-server._tcp.example.org',
    ]);
  });

  it('asks for an internationalised domain in A-labels', async () => {
    await using dns = await startFakeDns({});
    const endpoints = await findEndpoints('bücher.example', { dnsServers: [dns.server], timeoutMs });
    expect(dns.questions).toContain('SRV _xmpp-client._tcp.xn--bcher-kva.example');
    expect(endpoints).toEqual([
      { kind: 'tcp', host: 'xn--bcher-kva.example', port: 5222, source: 'fallback' },
    ]);
  });

  it.each(['NXDOMAIN', 'SERVFAIL'] as const)('falls back to the domain itself after %s', async (answer) => {
    await using dns = await startFakeDns({
      'SRV _xmpp-client._tcp.example.org': answer,
      'SRV _xmpps-client._tcp.example.org': answer,
    });
    const endpoints = await findEndpoints('example.org', { dnsServers: [dns.server], timeoutMs });
    expect(endpoints).toEqual([{ kind: 'tcp', host: 'example.org', port: 5222, source: 'fallback' }]);
  });

  it('believes a domain that says it has no XMPP service', async () => {
    await using dns = await startFakeDns({
      'SRV _xmpp-client._tcp.example.org': [srv('_xmpp-client._tcp.example.org', '.', 0)],
    });
    await expect(findEndpoints('example.org', { dnsServers: [dns.server], timeoutMs })).rejects.toThrow(
      DnsError,
    );
  });

  it('uses direct TLS where only STARTTLS is said to be missing', async () => {
    await using dns = await startFakeDns({
      'SRV _xmpp-client._tcp.example.org': [srv('_xmpp-client._tcp.example.org', '.', 0)],
      'SRV _xmpps-client._tcp.example.org': [srv('_xmpps-client._tcp.example.org', 'x.example.org', 5223)],
    });
    const endpoints = await findEndpoints('example.org', { dnsServers: [dns.server], timeoutMs });
    expect(endpoints).toEqual([{ kind: 'tls', host: 'x.example.org', port: 5223, source: 'srv' }]);
  });

  it.each(['127.0.0.1', '[::1]', 'localhost', 'sandbox.localhost'])(
    'asks no DNS about %s',
    async (domain) => {
      await using dns = await startFakeDns({ 'A example.org': [a('example.org', '127.0.0.1')] });
      const endpoints = await findEndpoints(domain, { dnsServers: [dns.server], timeoutMs });
      expect(endpoints).toMatchObject([{ kind: 'tcp', port: 5222, source: 'fallback' }]);
      expect(dns.questions).toEqual([]);
    },
  );

  it('gives up on a DNS that is silent', async () => {
    await using dns = await startFakeDns({
      'SRV _xmpp-client._tcp.example.org': 'SILENT',
      'SRV _xmpps-client._tcp.example.org': 'SILENT',
    });
    await expect(findEndpoints('example.org', { dnsServers: [dns.server], timeoutMs: 50 })).rejects.toThrow(
      TimeoutError,
    );
  });

  it('stops when it is told to', async () => {
    await using dns = await startFakeDns({
      'SRV _xmpp-client._tcp.example.org': 'SILENT',
      'SRV _xmpps-client._tcp.example.org': 'SILENT',
    });
    const abort = new AbortController();
    const finding = findEndpoints('example.org', {
      dnsServers: [dns.server],
      timeoutMs,
      signal: abort.signal,
    });
    abort.abort();
    await expect(finding).rejects.toThrow(InterruptedError);
  });

  it('refuses DNS servers that are no addresses', async () => {
    await expect(findEndpoints('example.org', { dnsServers: ['resolver'], timeoutMs })).rejects.toThrow(
      UsageError,
    );
  });
});
