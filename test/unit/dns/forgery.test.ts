/** Whatever is done to answers, nothing that is not so becomes secure, and nothing that is signed becomes unsigned. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTrustAnchors } from '../../../src/lib/dns/dnssec/trust-anchors.js';
import { decodeMessage } from '../../../src/lib/dns/message.js';
import { describeType, TYPE_NUMBERS } from '../../../src/lib/dns/record-types.js';
import { ValidatingResolver, type Lookup, type LookupType } from '../../../src/lib/dns/resolve.js';
import { rdata } from '../../support/dns-signer.js';
import { DnsWorld, record, Type, WORLD_NOW_MS } from '../../support/dns-world.js';
import { encodeReply, type DnsReply } from '../../support/scripted-dns.js';

interface Question {
  name: string;
  type: number;
}

function makeWorld(denial: 'nsec' | 'nsec3'): DnsWorld {
  return new DnsWorld([
    { name: '.' },
    { name: 'test' },
    {
      name: 'z.test',
      denial,
      records: [
        record('_x._tcp.z.test', Type.SRV, rdata.srv(1, 1, 5222, 'h.z.test')),
        record('h.z.test', Type.A, rdata.a('192.0.2.1')),
        record('a.z.test', Type.CNAME, rdata.name('h.z.test')),
        record('*.w.z.test', Type.TXT, rdata.txt('wild')),
      ],
    },
    { name: 'u.z.test', denial: 'unsigned', records: [record('u.z.test', Type.A, rdata.a('192.0.2.3'))] },
  ]);
}

/** Looks up in the world without sockets; `change` sees every message before it is read. */
function lookUp(
  world: DnsWorld,
  { name, type }: Question,
  change: (question: Question, reply: DnsReply) => DnsReply | Buffer,
): Promise<Lookup> {
  const resolver = new ValidatingResolver({
    client: {
      query: (asked, askedType) => {
        const question = { name: asked, type: TYPE_NUMBERS[askedType] };
        const changed = change(question, world.answer(question));
        const bytes = Buffer.isBuffer(changed) ? changed : encodeReply({ id: 0, ...question }, changed);
        // What cannot be read rejects, as a real client does.
        return new Promise((resolve) =>
          resolve({ ...decodeMessage(bytes), server: { address: '127.0.0.1', port: 53 }, elapsedMs: 0 }),
        );
      },
    },
    trustAnchors: parseTrustAnchors(world.trustAnchor),
    now: () => WORLD_NOW_MS,
  });
  return resolver.lookup(name, describeType(type) as LookupType);
}

/** What a secure answer says; how long it may be kept is not signed, only bounded. */
function summarize({ status, canonicalName, records }: Lookup): unknown {
  return { status, canonicalName, records: records.map((one) => ({ ...one, ttlSeconds: 0 })) };
}

const names = [
  'z.test',
  '_x._tcp.z.test',
  '_tcp.z.test',
  'h.z.test',
  'a.z.test',
  'n.w.z.test',
  'w.z.test',
  'n.z.test',
  'n.n.z.test',
];
const unsignedNames = ['u.z.test', 'n.u.z.test'];
const types = [Type.A, Type.TXT, Type.SRV, Type.DS];
const pair = (name: string): Question[] => types.map((type) => ({ name, type }));
const signed = names.flatMap(pair);
const all = [...signed, ...unsignedNames.flatMap(pair)];

describe.each(['nsec', 'nsec3'] as const)('with %s', (denial) => {
  const world = makeWorld(denial);
  /** Every answer the world can give, with every proof its zones have. */
  const answers = new Map(
    all.map((question) => {
      const reply = world.answer(question);
      return [encodeReply({ id: 0, name: '.', type: 0 }, reply).toString('base64'), reply];
    }),
  );
  const distinct = [...answers.values()];

  it('every answer of a signed zone is secure, and those of an unsigned one are insecure', async () => {
    for (const question of signed)
      expect(await lookUp(world, question, (_, reply) => reply), JSON.stringify(question)).toMatchObject({
        security: 'secure',
      });
    for (const name of unsignedNames)
      expect(await lookUp(world, { name, type: Type.A }, (_, reply) => reply)).toMatchObject({
        security: 'insecure',
      });
  });

  it('no answer to another question is taken for the answer', async () => {
    for (const question of signed) {
      const truth = summarize(await lookUp(world, question, (_, reply) => reply));
      for (const other of distinct)
        for (const rcode of [0, 3]) {
          const lookup = await lookUp(world, question, ({ name, type }, reply) =>
            name === question.name && type === question.type ? { ...other, rcode } : reply,
          );
          const context = JSON.stringify({ question, other, rcode, lookup });
          expect(lookup.security, context).not.toBe('insecure');
          if (lookup.security === 'secure' && lookup.status !== 'failed')
            expect(summarize(lookup), context).toEqual(truth);
        }
    }
  });

  it('no other answer about zones makes a signed one unsigned', async () => {
    for (const question of signed.filter(({ type }) => type === Type.A))
      for (const zone of ['test', 'z.test'])
        for (const other of distinct) {
          const lookup = await lookUp(world, question, ({ name, type }, reply) =>
            name === zone && type === Type.DS ? other : reply,
          );
          // What proves that u.z.test is unsigned is said by z.test, which is below those zones.
          expect(lookup.security, JSON.stringify({ question, zone, other })).not.toBe('insecure');
        }
  });

  it('no changed byte makes an answer say something else', async () => {
    const truths = await Promise.all(signed.map((question) => lookUp(world, question, (_, reply) => reply)));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(signed.length - 1),
        fc.nat(8),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        async (index, nth, place, flip) => {
          const question = signed[index];
          const truth = truths[index];
          if (!question || !truth) return;
          let seen = 0;
          const lookup = await lookUp(world, question, (asked, reply) => {
            const bytes = encodeReply({ id: 0, ...asked }, reply);
            if (seen++ !== nth) return bytes;
            const at = Math.floor(place * (bytes.length - 1));
            bytes[at] = (bytes[at] ?? 0) ^ flip;
            return bytes;
          });
          if (lookup.security === 'secure' && lookup.status !== 'failed')
            expect(summarize(lookup)).toEqual(summarize(truth));
          expect(lookup.security).not.toBe('insecure');
        },
      ),
      { numRuns: 400 },
    );
  });
});
