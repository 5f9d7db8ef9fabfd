/** Bytes from strangers: every one of them either means something or is a DnsError. */
import { encode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeQuestion } from '../../../src/lib/dns/message.js';
import { TYPE_NUMBERS, type RecordType } from '../../../src/lib/dns/record-types.js';
import { readRecord } from '../../../src/lib/dns/records.js';
import { DnsError } from '../../../src/lib/errors.js';
import { encodeName, rdata, uint16 } from '../../support/dns-signer.js';
import { record, Type } from '../../support/dns-world.js';
import { encodeReply } from '../../support/scripted-dns.js';

const types = Object.keys(TYPE_NUMBERS) as RecordType[];

/** Reads a message and everything in it. */
function readAll(bytes: Buffer): void {
  const { answers, authorities, additionals } = decodeMessage(bytes);
  for (const one of [...answers, ...authorities, ...additionals]) {
    const type = types.find((name) => TYPE_NUMBERS[name] === one.type);
    if (type) readRecord(one, type);
  }
}

function expectOnlyDnsErrors(run: () => void): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(DnsError);
  }
}

const question = { id: 1, name: 'a.test', type: Type.A };

describe('messages', () => {
  it('of random bytes throw nothing but DnsError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
        expectOnlyDnsErrors(() => readAll(Buffer.from(bytes))),
      ),
      { numRuns: 2000 },
    );
  });

  it('with random RDATA of every type throw nothing but DnsError', () => {
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 80 }), (type, bytes) => {
        const answers = [record('a.test', TYPE_NUMBERS[type], Buffer.from(bytes))];
        expectOnlyDnsErrors(() => readAll(encodeReply(question, { answers })));
      }),
      { numRuns: 2000 },
    );
  });

  it('with a byte changed throw nothing but DnsError', () => {
    const good = encodeReply(question, {
      answers: [
        record('a.test', Type.SRV, rdata.srv(1, 2, 3, 'b.test')),
        record('a.test', Type.TXT, rdata.txt('one', 'two')),
        record('test', Type.SOA, rdata.soa('ns.test')),
        record('a.test', Type.NSEC, rdata.nsec('b.test', [1, 257])),
      ],
    });
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(good);
        changed[at] = byte;
        expectOnlyDnsErrors(() => readAll(changed));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a name that points to itself', Buffer.from('c00c', 'hex')],
    ['a name that points ahead', Buffer.from('c0ff', 'hex')],
    ['a label of an unknown kind', Buffer.from('8001', 'hex')],
    [
      'a name that is too long',
      Buffer.concat([...Array.from({ length: 5 }, () => Buffer.alloc(64, 63)), Buffer.of(0)]),
    ],
  ])('with %s are refused', (_, name) => {
    const header = Buffer.concat([uint16(1), uint16(0x8000), ...[1, 0, 0, 0].map(uint16)]);
    expect(() => decodeMessage(Buffer.concat([header, name, uint16(1), uint16(1)]))).toThrow(DnsError);
  });

  it('as another program writes them, with compressed names, are read', () => {
    const bytes = encode({
      type: 'response',
      id: 7,
      questions: [{ type: 'SRV', name: '_xmpp-client._tcp.Example.org' }],
      answers: [
        {
          type: 'SRV',
          name: '_xmpp-client._tcp.Example.org',
          ttl: 60,
          data: { priority: 1, weight: 2, port: 5222, target: 'Chat.Example.org' },
        },
      ],
    });
    // dns-packet does not compress: the owner becomes a pointer to the question here.
    const questionEnd = 12 + encodeName('_xmpp-client._tcp.example.org').length + 4;
    const ownerEnd = questionEnd + encodeName('_xmpp-client._tcp.example.org').length;
    const compressed = Buffer.concat([
      bytes.subarray(0, questionEnd),
      Buffer.from('c00c', 'hex'),
      bytes.subarray(ownerEnd),
    ]);
    const { answers, question: asked, id } = decodeMessage(compressed);
    expect({ asked, id }).toEqual({
      asked: { name: '_xmpp-client._tcp.example.org', type: Type.SRV },
      id: 7,
    });
    expect(answers.map((one) => readRecord(one, 'SRV'))).toMatchObject([
      { name: '_xmpp-client._tcp.example.org', port: 5222, target: 'chat.example.org' },
    ]);
  });

  it('keep a dot inside of a label apart from one between labels', () => {
    const label = Buffer.concat([Buffer.of(3), Buffer.from('a.b'), encodeName('test')]);
    const { answers } = decodeMessage(
      encodeReply(question, { answers: [record('x.test', Type.CNAME, label)] }),
    );
    expect(answers.map((one) => readRecord(one, 'CNAME').target)).toEqual(['a\\046b.test']);
  });

  it('with a time to live that cannot be are not to be kept', () => {
    const answers = [record('a.test', Type.A, rdata.a('192.0.2.1'), 0x80000000)];
    expect(decodeMessage(encodeReply(question, { answers })).answers).toMatchObject([{ ttlSeconds: 0 }]);
  });

  it('leave out other classes than IN', () => {
    const bytes = encodeReply(question, {
      answers: [record('a.test', Type.A, rdata.a('192.0.2.1'))],
      hasEdns: false,
    });
    bytes.writeUInt16BE(3, bytes.length - 12);
    expect(decodeMessage(bytes).answers).toEqual([]);
  });

  it('are asked with EDNS, 1232 bytes and DO', () => {
    const bytes = encodeQuestion(0x1234, 'a.test', 'TLSA', { checkingDisabled: true });
    const [header, asked, edns] = [bytes.subarray(0, 12), bytes.subarray(12, 24), bytes.subarray(24)];
    expect(header.toString('hex')).toBe('123401100001000000000001');
    expect(asked.toString('hex')).toBe('016104746573740000340001');
    expect(edns.toString('hex')).toBe('00002904d0000080000000');
  });
});

describe('records', () => {
  const read = (type: RecordType, data: Buffer): unknown =>
    readRecord({ name: 'a.test', type: TYPE_NUMBERS[type], ttlSeconds: 60, rdata: data }, type);

  it.each([
    ['A', rdata.a('192.0.2.1'), { address: '192.0.2.1' }],
    ['AAAA', Buffer.from('20010db8000000000000000000000001', 'hex'), { address: '2001:db8::1' }],
    [
      'CAA',
      rdata.caa(128, 'Issue', 'ca.test; accounturi=https://ca.test/1'),
      { isCritical: true, tag: 'issue', value: 'ca.test; accounturi=https://ca.test/1' },
    ],
    [
      'TLSA',
      rdata.tlsa(3, 1, 1, Buffer.alloc(32)),
      { usage: 3, selector: 1, matchingType: 1, data: Buffer.alloc(32) },
    ],
    ['TXT', rdata.txt('one', '', 'three'), { strings: ['one', '', 'three'] }],
    ['SRV', rdata.srv(0, 0, 0, '.'), { priority: 0, weight: 0, port: 0, target: '.' }],
  ] as const)('of type %s become values', (type, data, expected) => {
    expect(read(type, data)).toEqual({ name: 'a.test', type, ttlSeconds: 60, ...expected });
  });

  it.each([
    ['A', Buffer.alloc(5)],
    ['AAAA', Buffer.alloc(4)],
    ['SRV', Buffer.alloc(6)],
    ['CNAME', Buffer.from('c000', 'hex')],
    ['TXT', Buffer.from('05aa', 'hex')],
    ['NSEC', Buffer.from('0000ff', 'hex')],
  ] as const)('of type %s are refused when they are not well-formed', (type, data) => {
    expect(() => read(type, data)).toThrow(DnsError);
  });
});
