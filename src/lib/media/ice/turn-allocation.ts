/** A relayed address at a TURN server (RFC 8656), used like a socket of our own. */
import { createHash } from 'node:crypto';
import type { IceServer } from '../media-link.js';
import type { DatagramPath } from './datagram-path.js';
import {
  canonicalAddress,
  decodeStun,
  encodeAddress,
  encodeStun,
  encodeUint32,
  hasIntegrity,
  isStun,
  newTransactionId,
  readAddress,
  readError,
  readText,
  readUint32,
  StunAttribute,
  StunMethod,
  type ReceivedStunMessage,
  type TransportAddress,
} from './stun-message.js';
import { StunTimeoutError, StunTransactions } from './stun-transactions.js';
import { openTcpWire, openUdpWire, type TurnWire } from './turn-wire.js';

/** What went wrong, in the words of the server where it had any. */
export class TurnError extends Error {
  override readonly name = 'TurnError';
}

/** RFC 8656 §7.2 and §9: allocations live 10 minutes, permissions 5. */
const ALLOCATION_S = 600;
const REFRESH_MS = 240_000;
const UDP = 17;
const FIRST_CHANNEL = 0x4000;
const LAST_CHANNEL = 0x4fff;
/** As many addresses as ICE may try. */
const MAX_PEERS = 100;

export class TurnAllocation implements DatagramPath {
  onDatagram: DatagramPath['onDatagram'] = () => undefined;
  readonly #transactions = new StunTransactions({ firstWaitMs: 500, sendings: 4 });
  readonly #permitted = new Map<string, Promise<void>>();
  readonly #channels = new Map<string, { number: number; peer: TransportAddress; isBound: boolean }>();
  readonly #peers = new Map<number, TransportAddress>();
  #relayed: TransportAddress | undefined;
  #mapped: TransportAddress | undefined;
  #realm: string | undefined;
  #nonce: string | undefined;
  #refresh: NodeJS.Timeout | undefined;

  private constructor(
    private readonly wire: TurnWire,
    private readonly server: IceServer,
    private readonly serverAddress: TransportAddress,
  ) {
    wire.onMessage = (message) => this.#receive(message);
  }

  /**
   * @param address of the server
   * @param localIp what is bound to
   * @throws TurnError when the server does not answer or refuses
   */
  static async open(
    server: IceServer,
    address: TransportAddress,
    localIp: string | undefined,
  ): Promise<TurnAllocation> {
    const any = address.ip.includes(':') ? '::' : '0.0.0.0';
    const wire = await (
      server.transport === 'tcp' ? openTcpWire(address, localIp) : openUdpWire(address, localIp ?? any)
    ).catch((error: unknown) => {
      throw new TurnError(error instanceof Error ? error.message : String(error));
    });
    const allocation = new TurnAllocation(wire, server, address);
    try {
      await allocation.#allocate();
    } catch (error) {
      wire.close();
      throw error;
    }
    return allocation;
  }

  /** The relayed address. */
  get address(): TransportAddress {
    return this.#relayed ?? this.serverAddress;
  }

  /** Ours as the server sees it: the related address of the candidate. */
  get mappedAddress(): TransportAddress {
    return this.#mapped ?? this.address;
  }

  /** Before anything can be sent to a peer, or comes from it. Errors are like loss. */
  permit(ip: string): Promise<void> {
    const known = this.#permitted.get(ip);
    if (known) return known;
    if (this.#permitted.size >= MAX_PEERS) return Promise.resolve();
    const made = this.#createPermission(ip).catch(() => undefined);
    this.#permitted.set(ip, made);
    return made;
  }

  /** Makes the way to one peer short: 4 bytes of overhead instead of 36 (RFC 8656 §12). */
  async bindChannel(peer: TransportAddress): Promise<void> {
    const key = `${peer.ip} ${peer.port}`;
    if (this.#channels.has(key) || this.#channels.size > LAST_CHANNEL - FIRST_CHANNEL) return;
    const channel = { number: FIRST_CHANNEL + this.#channels.size, peer, isBound: false };
    this.#channels.set(key, channel);
    this.#peers.set(channel.number, peer);
    await this.#bind(channel);
  }

  send(datagram: Buffer, to: TransportAddress): void {
    const channel = this.#channels.get(`${to.ip} ${to.port}`);
    if (channel?.isBound) {
      const padding = (this.wire.alignment - (datagram.length % this.wire.alignment)) % this.wire.alignment;
      const bytes = Buffer.alloc(4 + datagram.length + padding);
      bytes.writeUInt16BE(channel.number, 0);
      bytes.writeUInt16BE(datagram.length, 2);
      datagram.copy(bytes, 4);
      this.wire.send(bytes);
      return;
    }
    const transactionId = newTransactionId();
    void this.permit(to.ip).then(() =>
      this.wire.send(
        encodeStun({
          method: StunMethod.send,
          class: 'indication',
          transactionId,
          attributes: new Map([
            [StunAttribute.xorPeerAddress, encodeAddress(to, transactionId)],
            [StunAttribute.data, datagram],
          ]),
        }),
      ),
    );
  }

  /** Makes it last, which shows whether the server still has it. */
  async confirm(): Promise<boolean> {
    try {
      await this.#renew();
      return true;
    } catch (error) {
      if (error instanceof TurnError) return false;
      throw error;
    }
  }

  close(): void {
    clearInterval(this.#refresh);
    this.#transactions.cancelAll();
    // A lifetime of 0 gives the port back; nobody waits for the answer (RFC 8656 §8).
    if (this.#relayed) this.wire.send(this.#signed(StunMethod.refresh, newTransactionId(), lifetime(0)));
    setImmediate(() => this.wire.close());
  }

  async #allocate(): Promise<void> {
    const transport = Buffer.from([UDP, 0, 0, 0]);
    const answer = await this.#request(
      StunMethod.allocate,
      () =>
        new Map([
          [StunAttribute.requestedTransport, transport],
          ...(this.serverAddress.ip.includes(':')
            ? ([[StunAttribute.requestedAddressFamily, Buffer.from([2, 0, 0, 0])]] as const)
            : []),
          ...lifetime(ALLOCATION_S),
        ]),
    );
    this.#relayed = readAddress(answer, StunAttribute.xorRelayedAddress);
    this.#mapped = readAddress(answer, StunAttribute.xorMappedAddress);
    if (this.#relayed === undefined) throw new TurnError('the answer has no relayed address');
    const granted = readUint32(answer, StunAttribute.lifetime) ?? ALLOCATION_S;
    const everyMs = Math.min(REFRESH_MS, Math.max(granted * 500, 1000));
    this.#refresh = setInterval(() => void this.#renew().catch(() => undefined), everyMs);
  }

  async #renew(): Promise<void> {
    await this.#request(StunMethod.refresh, () => lifetime(ALLOCATION_S));
    for (const ip of this.#permitted.keys()) await this.#createPermission(ip);
    for (const channel of this.#channels.values()) await this.#bind(channel);
  }

  async #createPermission(ip: string): Promise<void> {
    await this.#request(
      StunMethod.createPermission,
      (transactionId) =>
        new Map([[StunAttribute.xorPeerAddress, encodeAddress({ ip, port: 0 }, transactionId)]]),
    );
  }

  async #bind(channel: { number: number; peer: TransportAddress; isBound: boolean }): Promise<void> {
    await this.#request(
      StunMethod.channelBind,
      (transactionId) =>
        new Map([
          [StunAttribute.channelNumber, Buffer.from([channel.number >> 8, channel.number & 255, 0, 0])],
          [StunAttribute.xorPeerAddress, encodeAddress(channel.peer, transactionId)],
        ]),
    );
    channel.isBound = true;
  }

  /** The first request has no credentials: the answer tells the realm (RFC 8489 §9.2.4). */
  async #request(
    method: number,
    attributes: (transactionId: Buffer) => Map<number, Buffer>,
  ): Promise<ReceivedStunMessage> {
    for (let attempt = 0; ; attempt += 1) {
      const transactionId = newTransactionId();
      const bytes = this.#signed(method, transactionId, attributes(transactionId));
      const key = this.#key();
      const { message } = await this.#transactions
        .run(
          transactionId,
          () => this.wire.send(bytes),
          // An error may come unsigned, a success may not, once there is a key.
          (answer) =>
            answer.message.class === 'error' || key === undefined || hasIntegrity(answer.message, key),
        )
        .catch((error: unknown) => {
          throw error instanceof StunTimeoutError ? new TurnError(error.message) : error;
        });
      if (message.class === 'success') return message;
      const { code, reason } = readError(message);
      const isChallenge = (code === 401 && key === undefined) || code === 438;
      const nonce = readText(message, StunAttribute.nonce);
      if (!isChallenge || attempt >= 3 || nonce === undefined || this.server.username === undefined) {
        throw new TurnError(`refused: ${code} ${reason}`.trim());
      }
      this.#nonce = nonce;
      this.#realm = readText(message, StunAttribute.realm) ?? this.#realm;
    }
  }

  #signed(method: number, transactionId: Buffer, attributes: Map<number, Buffer>): Buffer {
    const key = this.#key();
    if (key !== undefined) {
      attributes.set(StunAttribute.username, Buffer.from(this.server.username ?? ''));
      attributes.set(StunAttribute.realm, Buffer.from(this.#realm ?? ''));
      attributes.set(StunAttribute.nonce, Buffer.from(this.#nonce ?? ''));
    }
    return encodeStun({ method, class: 'request', transactionId, attributes }, key);
  }

  #key(): Buffer | undefined {
    if (this.#realm === undefined || this.#nonce === undefined) return undefined;
    const { username = '', password = '' } = this.server;
    return createHash('md5').update(`${username}:${this.#realm}:${password}`).digest();
  }

  #receive(message: Buffer): void {
    if (!isStun(message)) {
      this.#receiveChannelData(message);
      return;
    }
    const decoded = decodeStun(message);
    if (decoded === undefined) return;
    if (decoded.class === 'success' || decoded.class === 'error') {
      this.#transactions.settle({ message: decoded, from: this.serverAddress });
    } else if (decoded.class === 'indication' && decoded.method === StunMethod.data) {
      const from = readAddress(decoded, StunAttribute.xorPeerAddress);
      const data = decoded.attributes.get(StunAttribute.data);
      if (from && data) this.onDatagram(data, { ...from, ip: canonicalAddress(from.ip) });
    }
  }

  #receiveChannelData(bytes: Buffer): void {
    if (bytes.length < 4) return;
    const peer = this.#peers.get(bytes.readUInt16BE(0));
    const sizeBytes = bytes.readUInt16BE(2);
    if (peer && sizeBytes <= bytes.length - 4) this.onDatagram(bytes.subarray(4, 4 + sizeBytes), peer);
  }
}

function lifetime(seconds: number): Map<number, Buffer> {
  return new Map([[StunAttribute.lifetime, encodeUint32(seconds)]]);
}
