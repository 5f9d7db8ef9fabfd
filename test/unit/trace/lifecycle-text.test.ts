import { describe, expect, it } from 'vitest';
import type { LifecycleEvent } from '../../../src/lib/trace/events.js';
import { describeLifecycle } from '../../../src/lib/trace/lifecycle-text.js';

describe('describeLifecycle', () => {
  it.each<[LifecycleEvent['name'], LifecycleEvent['detail'], string[]]>([
    [
      'dns',
      {
        query: '_xmpp-client._tcp.example.org',
        type: 'SRV',
        answers: [{ target: 'a.example.org', port: 5222, priority: 1, weight: 2 }],
      },
      ['DNS SRV _xmpp-client._tcp.example.org: a.example.org:5222 (priority 1, weight 2)'],
    ],
    ['dns', { query: 'a', type: 'A/AAAA', answers: ['::1', '127.0.0.1'] }, ['DNS A/AAAA a: ::1, 127.0.0.1']],
    ['dns', { query: 'a', type: 'SRV', answers: [] }, ['DNS SRV a: nothing']],
    ['dns', { query: 'a', type: 'SRV', error: 'ENOTFOUND' }, ['DNS SRV a: ENOTFOUND']],
    ['constructor' as 'tcp', { a: 'b' }, ['constructor a b']],
    ['tcp', { address: '::1', port: 5222, family: 6 }, ['TCP [::1]:5222']],
    [
      'tcp',
      { address: '127.0.0.1', port: 1, family: 4, error: 'ECONNREFUSED' },
      ['TCP 127.0.0.1:1: ECONNREFUSED'],
    ],
    [
      'tls',
      {
        serverName: 'example.org',
        version: 'TLSv1.3',
        cipher: 'TLS_AES_256_GCM_SHA384',
        alpn: 'xmpp-client',
        isVerified: true,
        certificate: {
          subject: 'CN=example.org',
          issuer: 'CN=R3',
          names: ['example.org', '*.example.org'],
          validFrom: '2026-01-01T00:00:00.000Z',
          validTo: '2026-03-31T00:00:00.000Z',
          fingerprintSha256: 'AA:BB',
        },
      },
      [
        'TLS 1.3, TLS_AES_256_GCM_SHA384, ALPN xmpp-client, server name example.org',
        'certificate verified: CN=example.org, issued by CN=R3, valid 2026-01-01 to 2026-03-31',
        '  for example.org, *.example.org',
        '  SHA-256 AA:BB',
      ],
    ],
    ['tls', { serverName: 'a', isVerified: false }, ['TLS server name a, NOT VERIFIED']],
    [
      'tls',
      { serverName: 'a', error: 'certificate has expired' },
      ['TLS server name a: certificate has expired'],
    ],
    [
      'sasl',
      { mechanism: 'PLAIN', channelBinding: undefined, outcome: 'success', downgradeProtected: false },
      ['SASL mechanism PLAIN, outcome success, not downgrade protected'],
    ],
    ['bind', { jid: 'alice@example.org/x' }, ['bound alice@example.org/x']],
    ['sm', { what: 'resumed', h: '7' }, ['stream management resumed, h 7']],
    ['reconnect', { attempt: 2, delayMs: 1500 }, ['reconnect attempt 2, delay 1500 ms']],
    ['close', { clean: false, reason: 'reset' }, ['closed not clean, reason reset']],
    ['error', { message: 'timed out' }, ['error timed out']],
    [
      'weather' as 'error',
      { sky: ['blue', 'grey'], wind: { speed: 3 } },
      ['weather sky blue grey, wind (speed 3)'],
    ],
    ['stream', {}, ['stream opened']],
  ])('says %s %j', (name, detail, lines) => {
    expect(describeLifecycle(name, detail)).toEqual(lines);
  });
});
