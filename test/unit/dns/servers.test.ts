import dns from 'node:dns';
import { describe, expect, it } from 'vitest';
import { parseResolver, systemResolvers } from '../../../src/lib/dns/servers.js';
import { UsageError } from '../../../src/lib/errors.js';

describe('resolvers', () => {
  it.each([
    ['192.0.2.1', { address: '192.0.2.1', port: 53 }],
    ['192.0.2.1:5353', { address: '192.0.2.1', port: 5353 }],
    ['2001:db8::1', { address: '2001:db8::1', port: 53 }],
    ['[2001:db8::1]', { address: '2001:db8::1', port: 53 }],
    ['[2001:db8::1]:5353', { address: '2001:db8::1', port: 5353 }],
  ])('%s is one', (text, server) => {
    expect(parseResolver(text)).toEqual(server);
  });

  it.each([
    '',
    'dns.example',
    '192.0.2.1:0',
    '192.0.2.1:99999',
    '[192.0.2.1]:53',
    '::1:x',
    '192.0.2.1:53:53',
  ])('%j is none', (text) => {
    expect(() => parseResolver(text)).toThrow(UsageError);
  });

  it('are those of the system unless told', () => {
    const before = dns.getServers();
    try {
      dns.setServers(['192.0.2.1', '[2001:db8::1]:5353']);
      expect(systemResolvers()).toEqual([
        { address: '192.0.2.1', port: 53 },
        { address: '2001:db8::1', port: 5353 },
      ]);
    } finally {
      dns.setServers(before);
    }
  });
});
