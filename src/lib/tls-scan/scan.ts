/**
 * What a server can do in TLS: it is offered everything, and what it picks is taken from the offer, until it picks
 * nothing any more. One connection for each version, suite and group, and one more for each list.
 */
import type { Duplex } from 'node:stream';
import { ConnectError, ProtocolError, TimeoutError } from '../errors.js';
import { nameOfPrime } from './known-primes.js';
import { ServerFlightReader, type ServerFlight } from './server-flight.js';
import { isTls13Suite, suiteOf, suites, type CipherSuite } from './suites.js';
import {
  curves12,
  encodeClientHello,
  encodeSsl2Hello,
  Extension,
  FALLBACK_SCSV,
  groupNames,
  groups13,
  versionNumbers,
  versions,
  type ProtocolVersion,
} from './wire.js';

export type { ProtocolVersion } from './wire.js';

export interface TlsScanOptions {
  /** In A-labels; undefined sends none. */
  serverName: string | undefined;
  /** Where TLS comes first. */
  alpn?: readonly string[];
  /** Milliseconds for one connection. */
  timeoutMs: number;
  /** How many connections at most. */
  maxConnections: number;
  signal?: AbortSignal;
}

export type VersionScan =
  | {
      isSupported: true;
      /** In the order in which the server picked them. */
      suites: readonly CipherSuite[];
      /** Whose order decides; undefined where there is nothing to choose. */
      order: 'server' | 'client' | undefined;
    }
  | {
      isSupported: false;
      /** `alert 70`, `closed`, `silent`, `not TLS`, or why it was not tried. */ refusal: string;
    };

export interface TlsScan {
  versions: Readonly<Record<ProtocolVersion, VersionScan>>;
  /** Key exchange groups by name, in the order in which the server picked them. */
  groups: { tls13: readonly string[]; tls12: readonly string[] };
  /** Of the finite-field exchanges that were seen. */
  diffieHellman: readonly { bits: number; /** A well-known prime. */ prime: string | undefined }[];
  /** DER, exactly as sent; empty where only TLS 1.3 is spoken. */
  certificates: readonly Buffer[];
  /** What the server does before TLS 1.3; undefined where it speaks nothing else. */
  older:
    | {
        secureRenegotiation: boolean;
        extendedMasterSecret: boolean;
        encryptThenMac: boolean;
        sessionTickets: boolean;
        heartbeat: boolean;
        compression: boolean;
      }
    | undefined;
  requestsClientCertificate: boolean | undefined;
  /** TLS_FALLBACK_SCSV with an older version: `refused` is right; undefined where there is no older version to fall back to. */
  fallback: 'refused' | 'accepted' | undefined;
  connectionsUsed: number;
  /** Why it is not complete. */
  limited: string | undefined;
}

type Older = Exclude<ProtocolVersion, 'SSLv2' | 'TLSv1.3'>;
const olderVersions: readonly Older[] = ['TLSv1.2', 'TLSv1.1', 'TLSv1.0', 'SSLv3'];
const MAX_BYTES = 64 * 1024;
/** Six versions are asked at the same time. */
const MAX_SILENCES = 8;

/**
 * @param open a fresh connection on which a ClientHello may be written at once
 * @throws what `open` throws for the very first connection; later failures limit the result
 */
export async function scanTls(open: () => Promise<Duplex>, options: TlsScanOptions): Promise<TlsScan> {
  return new Scan(open, options).run();
}

class Scan {
  readonly #open: () => Promise<Duplex>;
  readonly #options: TlsScanOptions;
  #connections = 0;
  #silences = 0;
  #limited: string | undefined;
  readonly #certificates: Buffer[] = [];
  readonly #primes = new Map<string, Buffer>();
  #requestsCertificate: boolean | undefined;
  #older: TlsScan['older'];

  constructor(open: () => Promise<Duplex>, options: TlsScanOptions) {
    this.#open = open;
    this.#options = options;
  }

  async run(): Promise<TlsScan> {
    const [newest, ssl2, ...older] = await Promise.all([
      this.#scanTls13(),
      this.#trySsl2(),
      ...olderVersions.map((version) => this.#scanOlder(version)),
    ]);
    const found = new Map<ProtocolVersion, VersionScan>([
      ['TLSv1.3', newest.scan],
      ['SSLv2', ssl2],
      ...olderVersions.map((version, index) => [version, older[index] ?? unsupported('not tried')] as const),
    ]);
    const all = Object.fromEntries(
      versions.map((version) => [version, found.get(version) ?? unsupported('not tried')]),
    ) as Record<ProtocolVersion, VersionScan>;
    const [curves, fallback] = await Promise.all([this.#findCurves(all), this.#tryFallback(all)]);
    return {
      versions: all,
      groups: { tls13: newest.groups.map(nameOfGroup), tls12: curves.map(nameOfGroup) },
      diffieHellman: [...this.#primes.values()].map((prime) => ({
        bits: bitsOf(prime),
        prime: nameOfPrime(prime),
      })),
      certificates: this.#certificates,
      older: this.#older,
      requestsClientCertificate: this.#requestsCertificate,
      fallback,
      connectionsUsed: this.#connections,
      limited: this.#limited,
    };
  }

  async #scanOlder(version: Older): Promise<VersionScan> {
    const candidates = suites.filter((suite) => !isTls13Suite(suite)).map(({ code }) => code);
    const { picked, refusal } = await this.#pickAll(
      candidates,
      (left) => this.#hello(version, left, curves12),
      (flight, left) => {
        const { hello } = flight;
        if (hello?.version !== versionNumbers[version] || !left.includes(hello.suite)) return undefined;
        this.#learn(flight);
        return hello.suite;
      },
    );
    if (picked.length === 0) return unsupported(refusal);
    return {
      isSupported: true,
      suites: picked.map(suiteOf),
      order: await this.#findOrder(version, picked, curves12),
    };
  }

  async #scanTls13(): Promise<{ scan: VersionScan; groups: number[] }> {
    const candidates = suites.filter(isTls13Suite).map(({ code }) => code);
    const [bySuite, byGroup] = await Promise.all([
      this.#pickAll(
        candidates,
        (left) => this.#hello('TLSv1.3', left, groups13),
        ({ hello }, left) =>
          hello?.version === 0x0304 && left.includes(hello.suite) ? hello.suite : undefined,
      ),
      this.#pickAll(
        groups13,
        (left) => this.#hello('TLSv1.3', candidates, left),
        ({ hello }, left) => {
          const share = hello?.version === 0x0304 ? hello.extensions.get(Extension.keyShare) : undefined;
          const group = share && share.length >= 2 ? share.readUInt16BE(0) : undefined;
          return group !== undefined && left.includes(group) ? group : undefined;
        },
      ),
    ]);
    if (bySuite.picked.length === 0) return { scan: unsupported(bySuite.refusal), groups: [] };
    const order = await this.#findOrder('TLSv1.3', bySuite.picked, groups13);
    return {
      scan: { isSupported: true, suites: bySuite.picked.map(suiteOf), order },
      groups: byGroup.picked,
    };
  }

  /** Offers all, takes away what is picked, and offers the rest. */
  async #pickAll(
    offer: readonly number[],
    hello: (left: readonly number[]) => Buffer,
    pick: (flight: ServerFlight, left: readonly number[]) => number | undefined,
  ): Promise<{ picked: number[]; refusal: string }> {
    const picked: number[] = [];
    let left = offer;
    while (left.length > 0) {
      const flight = await this.#exchange(hello(left));
      if (!flight) return { picked, refusal: this.#limited ?? 'not tried' };
      const choice = pick(flight, left);
      if (choice === undefined)
        return { picked, refusal: flight.refusal ?? 'it answered with another version' };
      picked.push(choice);
      left = left.filter((code) => code !== choice);
    }
    return { picked, refusal: '' };
  }

  /** The same offer backwards: whoever picks the same has an order of its own. */
  async #findOrder(
    version: Older | 'TLSv1.3',
    picked: readonly number[],
    groups: readonly number[],
  ): Promise<'server' | 'client' | undefined> {
    const last = picked.at(-1);
    if (picked.length < 2 || last === undefined) return undefined;
    const flight = await this.#exchange(this.#hello(version, [...picked].reverse(), groups));
    if (!flight?.hello) return undefined;
    return flight.hello.suite === last ? 'client' : 'server';
  }

  async #findCurves(all: Readonly<Record<ProtocolVersion, VersionScan>>): Promise<number[]> {
    const newest = olderVersions.find((version) => all[version].isSupported);
    const scan = newest && all[newest];
    if (!newest || newest === 'SSLv3' || !scan?.isSupported) return [];
    const elliptic = scan.suites
      .filter(({ name }) => name.includes('_ECDHE_') || name.includes('_ECDH_anon'))
      .map(({ code }) => code);
    if (elliptic.length === 0) return [];
    const { picked } = await this.#pickAll(
      curves12,
      (left) => this.#hello(newest, elliptic, left),
      ({ keyExchange }, left) =>
        keyExchange?.curve !== undefined && left.includes(keyExchange.curve) ? keyExchange.curve : undefined,
    );
    return picked;
  }

  /** RFC 7507 §3: a client that falls back says so, and a server that knows better refuses. */
  async #tryFallback(all: Readonly<Record<ProtocolVersion, VersionScan>>): Promise<TlsScan['fallback']> {
    const spoken = (['TLSv1.3', ...olderVersions] as const).filter((version) => all[version].isSupported);
    const older = spoken
      .slice(1)
      .find((version): version is Older => version !== 'TLSv1.3' && version !== 'SSLv3');
    const scan = older && all[older];
    if (!older || !scan?.isSupported) return undefined;
    const offer = [...scan.suites.map(({ code }) => code), FALLBACK_SCSV];
    const flight = await this.#exchange(this.#hello(older, offer, curves12));
    if (!flight) return undefined;
    if (flight.hello) return 'accepted';
    // RFC 7507 §3: inappropriate_fallback. A server that says nothing has not refused.
    return flight.refusal === 'alert 86' ? 'refused' : undefined;
  }

  async #trySsl2(): Promise<VersionScan> {
    const socket = await this.#connect();
    if (!socket) return unsupported(this.#limited ?? 'not tried');
    const { bytes, how } = await this.#read(
      socket,
      encodeSsl2Hello(),
      (all) => all.length >= 5 || all[0] === 21 || all[0] === 22,
    );
    // SERVER-HELLO is message 4, behind a length of two bytes.
    if (bytes.length >= 5 && ((bytes[0] ?? 0) & 0x80) !== 0 && bytes[2] === 4)
      return { isSupported: true, suites: [], order: undefined };
    if (bytes.length === 0) return unsupported(how);
    return unsupported(bytes[0] === 21 ? `alert ${bytes[6] ?? 0}` : 'not SSL 2.0');
  }

  #learn({ hello, certificates, keyExchange, requestsCertificate }: ServerFlight): void {
    if (!hello) return;
    if (this.#certificates.length === 0) this.#certificates.push(...certificates);
    if (keyExchange?.prime) this.#primes.set(keyExchange.prime.toString('hex'), keyExchange.prime);
    this.#requestsCertificate = requestsCertificate || this.#requestsCertificate === true;
    const before = this.#older;
    const has = (type: number): boolean => hello.extensions.has(type);
    this.#older = {
      secureRenegotiation: has(Extension.renegotiationInfo) && before?.secureRenegotiation !== false,
      extendedMasterSecret: has(Extension.extendedMasterSecret) || before?.extendedMasterSecret === true,
      encryptThenMac: has(Extension.encryptThenMac) || before?.encryptThenMac === true,
      sessionTickets: has(Extension.sessionTicket) || before?.sessionTickets === true,
      heartbeat: has(Extension.heartbeat) || before?.heartbeat === true,
      compression: hello.compression !== 0 || before?.compression === true,
    };
  }

  #hello(version: Older | 'TLSv1.3', offer: readonly number[], groups: readonly number[]): Buffer {
    const { serverName, alpn = [] } = this.#options;
    return encodeClientHello({ version, suites: offer, groups, serverName, alpn });
  }

  /** Undefined when no more connections may, or can, be made. */
  async #exchange(hello: Buffer): Promise<ServerFlight | undefined> {
    const socket = await this.#connect();
    if (!socket) return undefined;
    const reader = new ServerFlightReader();
    const { how } = await this.#read(socket, hello, (_all, chunk) => {
      reader.push(chunk);
      return reader.isDone;
    });
    if (how === 'silent' && ++this.#silences >= MAX_SILENCES)
      this.#limited ??= 'the server stopped answering';
    return reader.end(how);
  }

  async #connect(): Promise<Duplex | undefined> {
    const { maxConnections, signal } = this.#options;
    if (this.#limited !== undefined) return undefined;
    if (this.#connections >= maxConnections) {
      this.#limited = `the ${maxConnections} connections allowed were used up`;
      return undefined;
    }
    const isFirst = this.#connections === 0;
    this.#connections += 1;
    try {
      return await this.#open();
    } catch (error) {
      const isTheirs =
        error instanceof ConnectError || error instanceof TimeoutError || error instanceof ProtocolError;
      if (isFirst || !isTheirs || signal?.aborted === true) throw error;
      this.#limited = `the server refused more connections: ${error.message}`;
      return undefined;
    }
  }

  /** Writes, and reads until `isEnough`, the end, or the time is over. Closes the connection. */
  #read(
    socket: Duplex,
    data: Buffer,
    isEnough: (all: Buffer, chunk: Buffer) => boolean,
  ): Promise<{ bytes: Buffer; how: 'enough' | 'closed' | 'silent' }> {
    const { timeoutMs, signal } = this.#options;
    return new Promise((resolve) => {
      let all = Buffer.alloc(0);
      const finish = (how: 'enough' | 'closed' | 'silent'): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onTime);
        socket.removeAllListeners('data');
        socket.on('error', () => undefined);
        socket.destroy();
        resolve({ bytes: all, how });
      };
      const onTime = (): void => finish('silent');
      const onEnd = (): void => finish('closed');
      const timer = setTimeout(onTime, timeoutMs);
      signal?.addEventListener('abort', onTime);
      socket.on('data', (chunk: Buffer) => {
        if (all.length < MAX_BYTES) all = Buffer.concat([all, chunk]);
        if (isEnough(all, chunk) || all.length >= MAX_BYTES) finish('enough');
      });
      socket.once('error', onEnd);
      socket.once('end', onEnd);
      socket.once('close', onEnd);
      socket.write(data);
    });
  }
}

const unsupported = (refusal: string): VersionScan => ({ isSupported: false, refusal });
const nameOfGroup = (group: number): string => groupNames[group] ?? `0x${group.toString(16)}`;

function bitsOf(prime: Buffer): number {
  const start = prime.findIndex((byte) => byte !== 0);
  return start < 0 ? 0 : (prime.length - start) * 8 - Math.clz32(prime[start] ?? 0) + 24;
}
