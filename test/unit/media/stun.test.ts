import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  candidatePriority,
  foundationOf,
  pairPriority,
  usableCandidate,
} from '../../../src/lib/media/ice/candidates.js';
import { findLocalAddresses, type Interfaces } from '../../../src/lib/media/ice/local-addresses.js';
import {
  canonicalAddress,
  decodeStun,
  encodeAddress,
  encodeError,
  encodeStun,
  encodeUint32,
  hasIntegrity,
  newTransactionId,
  readAddress,
  readError,
  readText,
  readUint32,
  StunAttribute,
  StunMethod,
} from '../../../src/lib/media/ice/stun-message.js';
import { cutMessages } from '../../../src/lib/media/ice/turn-wire.js';

/** RFC 5769 §2.1: a request of ICE with all that belongs to it. */
const sampleRequest = Buffer.from(
  '000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e7400240004' +
    '6e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56' +
    '781ef2b5b2d3f249c1b571a280280004e57a3bcf',
  'hex',
);

describe('STUN messages', () => {
  it('are read as RFC 5769 writes them', () => {
    const message = decodeStun(sampleRequest);
    expect(message).toMatchObject({ method: StunMethod.binding, class: 'request' });
    if (!message) throw new Error('not read');
    expect(readText(message, StunAttribute.username)).toBe('evtj:h6vY');
    expect(readUint32(message, StunAttribute.priority)).toBe(0x6e0001ff);
    expect(hasIntegrity(message, Buffer.from('VOkJxbRl1RmTxUk/WvJxBt'))).toBe(true);
    expect(hasIntegrity(message, Buffer.from('wrong'))).toBe(false);
  });

  it('are refused when a bit of them has changed', () => {
    // The fingerprint at the end is not part of it: it only tells STUN from other things.
    for (let at = 20; at < sampleRequest.length - 8; at += 1) {
      const changed = Buffer.from(sampleRequest);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const message = decodeStun(changed);
      const isGenuine = message !== undefined && hasIntegrity(message, Buffer.from('VOkJxbRl1RmTxUk/WvJxBt'));
      expect(isGenuine).toBe(false);
    }
  });

  it('are read as they were written', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.ipV4(), fc.ipV6()),
        fc.integer({ min: 1, max: 65_535 }),
        fc.constantFrom('request', 'indication', 'success', 'error'),
        fc.constantFrom(...Object.values(StunMethod)),
        (ip, port, kind, method) => {
          const transactionId = newTransactionId();
          const key = Buffer.from('key');
          const attributes = new Map([
            [StunAttribute.xorMappedAddress, encodeAddress({ ip, port }, transactionId)],
            [StunAttribute.errorCode, encodeError({ code: 438, reason: 'Stale Nonce' })],
            [StunAttribute.lifetime, encodeUint32(600)],
          ]);
          const read = decodeStun(encodeStun({ method, class: kind, transactionId, attributes }, key));
          expect(read).toMatchObject({ method, class: kind, transactionId });
          if (!read) return;
          expect(hasIntegrity(read, key)).toBe(true);
          expect(readAddress(read, StunAttribute.xorMappedAddress)).toEqual({
            ip: canonicalAddress(ip),
            port,
          });
          expect(readError(read)).toEqual({ code: 438, reason: 'Stale Nonce' });
        },
      ),
    );
  });

  it('never make the reader throw', () => {
    const head = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.integer({ min: 0, max: 0xffff }), (rest, length) => {
        const bytes = Buffer.concat([head, rest]);
        bytes.writeUInt16BE(length, 2);
        decodeStun(bytes);
        decodeStun(bytes.subarray(0, rest.length));
        const message = decodeStun(Buffer.concat([head, rest]));
        if (message) readAddress(message, StunAttribute.xorMappedAddress);
      }),
    );
  });
});

describe('a stream of TURN', () => {
  it('is cut into messages whatever pieces it comes in', () => {
    const stun = encodeStun({
      method: StunMethod.data,
      class: 'indication',
      transactionId: newTransactionId(),
      attributes: new Map([[StunAttribute.data, Buffer.from('abc')]]),
    });
    const channel = Buffer.from('4000000568656c6c6f000000', 'hex');
    const stream = Buffer.concat([stun, channel, stun]);
    for (const size of [1, 5, stream.length]) {
      const messages: Buffer[] = [];
      let rest: Buffer = Buffer.alloc(0);
      for (let at = 0; at < stream.length; at += size) {
        rest = cutMessages(Buffer.concat([rest, stream.subarray(at, at + size)]), (message) =>
          messages.push(Buffer.from(message)),
        );
      }
      expect(messages).toEqual([stun, channel.subarray(0, 9), stun]);
    }
  });
});

describe('candidates', () => {
  it('have the priorities of RFC 8445', () => {
    expect(candidatePriority('host', 65_535)).toBe(2_130_706_431);
    expect(candidatePriority('relay', 0)).toBe(255);
    expect(pairPriority(5, 3)).toBe((3n << 32n) + 10n + 1n);
    expect(pairPriority(3, 5)).toBe((3n << 32n) + 10n);
    expect(foundationOf('host', '192.0.2.1')).toBe(foundationOf('host', '192.0.2.1'));
    expect(foundationOf('host', '192.0.2.1')).not.toBe(foundationOf('srflx', '192.0.2.1'));
  });

  it('are used only when they name one host', () => {
    const candidate = {
      foundation: '1',
      component: 1,
      protocol: 'udp' as const,
      priority: 1,
      ip: '2001:DB8::1',
      port: 5,
      type: 'host' as const,
      generation: 0,
    };
    expect(usableCandidate(candidate)?.ip).toBe('2001:db8::1');
    for (const ip of ['239.1.1.1', '0.0.0.0', 'ff02::1', '::', 'x.local', '1.2.3', '']) {
      expect(usableCandidate({ ...candidate, ip })).toBeUndefined();
    }
    for (const change of [
      { port: 0 },
      { port: 70_000 },
      { component: 2 },
      { priority: -1 },
      { priority: NaN },
    ]) {
      expect(usableCandidate({ ...candidate, ...change })).toBeUndefined();
    }
  });
});

describe('addresses of this machine', () => {
  const info = (address: string, internal = false) => ({
    address,
    internal,
    netmask: '',
    mac: '',
    cidr: null,
    ...(address.includes(':') ? { family: 'IPv6' as const, scopeid: 0 } : { family: 'IPv4' as const }),
  });
  const interfaces: Interfaces = {
    lo: [info('127.0.0.1', true), info('::1', true)],
    eth0: [info('192.0.2.5'), info('fe80::1'), info('2001:db8::5')],
    wlan0: [info('169.254.3.4'), info('198.51.100.7')],
  };

  it('are all but link-local ones, loopback last', () => {
    expect(findLocalAddresses([], interfaces).map(({ ip }) => ip)).toEqual([
      '192.0.2.5',
      '2001:db8::5',
      '198.51.100.7',
      '127.0.0.1',
      '::1',
    ]);
  });

  it('are chosen by name or by address', () => {
    expect(findLocalAddresses(['eth0', '127.0.0.1'], interfaces).map(({ ip }) => ip)).toEqual([
      '192.0.2.5',
      '2001:db8::5',
      '127.0.0.1',
    ]);
    expect(() => findLocalAddresses(['eth1'], interfaces)).toThrow('no interface or address "eth1" here');
  });
});
