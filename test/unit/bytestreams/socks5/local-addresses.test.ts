import { describe, expect, it } from 'vitest';
import {
  isLoopback,
  leadsBack,
  localAddresses,
} from '../../../../src/lib/bytestreams/socks5/local-addresses.js';

const interfaces = [
  { address: '127.0.0.1', internal: true },
  { address: '::1', internal: true },
  { address: '192.168.1.5', internal: false },
  { address: 'fe80::1', internal: false },
  { address: '169.254.3.4', internal: false },
  { address: 'fd00::5', internal: false },
  { address: '198.51.100.5', internal: false },
  { address: '2001:db8::5', internal: false },
];

describe('the addresses of a machine', () => {
  it.each([
    [
      'the public ones first, nothing link-local',
      'xmpp.example.org',
      undefined,
      ['198.51.100.5', '2001:db8::5', '192.168.1.5', 'fd00::5'],
    ],
    [
      'loopback where the server is there as well',
      '127.0.0.1',
      ['0.0.0.0'],
      ['127.0.0.1', '198.51.100.5', '192.168.1.5'],
    ],
    ['only those that are listened on', '[::1]', ['::1', '192.168.1.5'], ['::1', '192.168.1.5']],
    ['addresses that no interface lists', 'localhost', ['127.0.0.2'], ['127.0.0.2']],
    ['nothing for a tunnel whose other end is elsewhere', '192.0.2.1', ['127.0.0.1'], []],
  ] as const)('are %s', (_, server, listenedOn, expected) => {
    expect(localAddresses({ server, listenedOn, interfaces })).toEqual(expected);
  });

  it('are no more than anybody wants to try', () => {
    const many = Array.from({ length: 50 }, (_, index) => ({ address: `10.0.0.${index}`, internal: false }));
    expect(localAddresses({ server: 'example.org', interfaces: many })).toHaveLength(8);
  });
});

describe('an address of the machine itself', () => {
  it.each([
    ['127.0.0.1', true, true],
    ['127.255.0.9', true, true],
    ['::1', true, true],
    ['[::1]', true, true],
    ['0:0:0:0:0:0:0:1', true, true],
    ['::ffff:127.0.0.1', true, true],
    ['localhost', true, true],
    ['xmpp.localhost.', true, true],
    ['0.0.0.0', false, true],
    ['::', false, true],
    ['128.0.0.1', false, false],
    ['2001:db8::1', false, false],
    ['localhost.example.org', false, false],
    ['', false, false],
  ])('%s: loopback %s, leads back %s', (host, loopback, back) => {
    expect([isLoopback(host), leadsBack(host)]).toEqual([loopback, back]);
  });
});
