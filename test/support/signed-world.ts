/** A world with one signed zone, `signed.test`, behind a resolver that a test may let do anything to its answers. */
import { afterEach, beforeEach } from 'vitest';
import { parseTrustAnchors } from '../../src/lib/dns/dnssec/trust-anchors.js';
import { DnsClient } from '../../src/lib/dns/query.js';
import { ValidatingResolver, type Lookup, type LookupType } from '../../src/lib/dns/resolve.js';
import { rdata } from './dns-signer.js';
import { DnsWorld, record, Type, WORLD_NOW_MS, type ZoneSpec } from './dns-world.js';
import { startScriptedDns, type DnsQuestion, type DnsReply, type ScriptedDns } from './scripted-dns.js';

export const SERVICE = '_xmpp-client._tcp.signed.test';
export const serviceRecord = record(SERVICE, Type.SRV, rdata.srv(5, 10, 5222, 'xmpp.signed.test'));
export const zoneRecords = [
  serviceRecord,
  record('xmpp.signed.test', Type.A, rdata.a('192.0.2.1')),
  record('*.wild.signed.test', Type.TXT, rdata.txt('from a wildcard')),
];

/** @param signed what is different in `signed.test` */
export function makeWorld(signed: Partial<ZoneSpec> = {}, others: readonly ZoneSpec[] = []): DnsWorld {
  return new DnsWorld([
    { name: '.' },
    { name: 'test' },
    { name: 'signed.test', records: zoneRecords, ...signed },
    ...others,
  ]);
}

type Tamper = (reply: DnsReply, question: DnsQuestion) => DnsReply;

export interface SignedWorld {
  /** May be replaced before the first lookup of a test. */
  world: DnsWorld;
  /** What the resolver makes of the answers; nothing unless set. */
  tamper: Tamper;
  readonly questions: readonly DnsQuestion[];
  /** Changes the answers to one question only. */
  tamperWith: (name: string, type: number, change: Tamper) => void;
  makeResolver: (trustAnchors?: string) => Promise<ValidatingResolver>;
  lookUp: <T extends LookupType>(name: string, type: T) => Promise<Lookup<T>>;
}

/** Call it once in a test file, outside of its tests: each test begins anew. */
export function useSignedWorld(): SignedWorld {
  let server: ScriptedDns | undefined;
  const dns: SignedWorld = {
    world: makeWorld(),
    tamper: (reply) => reply,
    get questions() {
      return server?.questions ?? [];
    },
    tamperWith: (name, type, change) => {
      dns.tamper = (reply, question) =>
        question.name === name && question.type === type ? change(reply, question) : reply;
    },
    makeResolver: async (trustAnchors = dns.world.trustAnchor) => {
      server ??= await startScriptedDns((question) => dns.tamper(dns.world.answer(question), question));
      return new ValidatingResolver({
        client: new DnsClient({ servers: [server], timeoutMs: 5000, retries: 0 }),
        trustAnchors: parseTrustAnchors(trustAnchors),
        now: () => WORLD_NOW_MS,
      });
    },
    lookUp: async (name, type) => (await dns.makeResolver()).lookup(name, type),
  };
  beforeEach(() => {
    dns.world = makeWorld();
    dns.tamper = (reply) => reply;
  });
  afterEach(async () => {
    await server?.[Symbol.asyncDispose]();
    server = undefined;
  });
  return dns;
}
