import { describe, expect, it } from 'vitest';
import { parseListen, parseTarget } from '../../../src/commands/trace/proxy-addresses.js';
import { UsageError } from '../../../src/lib/errors.js';

describe('--listen', () => {
  it.each([
    ['127.0.0.1:5222', { host: '127.0.0.1', port: 5222 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['localhost:5269', { host: 'localhost', port: 5269 }],
    ['5222', { host: '127.0.0.1', port: 5222 }],
  ])('%s', (text, listen) => {
    expect(parseListen(text)).toEqual(listen);
  });

  it.each(['', 'localhost', '127.0.0.1:', '127.0.0.1:99999', '::1:5222'])('refuses %s', (text) => {
    expect(() => parseListen(text)).toThrow(UsageError);
  });
});

describe('--to', () => {
  it.each([
    ['example.org', undefined, { domain: 'example.org', service: undefined }],
    ['example.org:5333', undefined, { domain: 'example.org', service: 'example.org:5333' }],
    [
      'xmpps://xmpp.example.org',
      undefined,
      { domain: 'xmpp.example.org', service: 'xmpps://xmpp.example.org' },
    ],
    ['wss://example.org/ws', undefined, { domain: 'example.org', service: 'wss://example.org/ws' }],
    ['127.0.0.1:5222', 'example.org', { domain: 'example.org', service: '127.0.0.1:5222' }],
    ['xmpp://[::1]:5222', 'example.org', { domain: 'example.org', service: 'xmpp://[::1]:5222' }],
  ])('%s, domain %s', (to, domain, target) => {
    expect(parseTarget(to, domain)).toEqual(target);
  });

  it.each(['127.0.0.1', '127.0.0.1:5222', '[::1]:5222', 'http://example.org', 'example.org:0'])(
    'refuses %s without a domain',
    (to) => {
      expect(() => parseTarget(to, undefined)).toThrow(UsageError);
    },
  );
});
