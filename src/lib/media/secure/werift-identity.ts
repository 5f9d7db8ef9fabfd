/**
 * DTLS and SRTP by werift. This is the only file that touches it, and it is loaded when a call is made.
 *
 * werift checks neither what the peer signed nor what it finished with, so both are proved here before a key is used
 * (`handshake-proof.ts`); and once connected, it would begin anew on any unprotected hello, so it gets none.
 */
import type * as WeriftModule from 'werift';
import type { DtlsSocket, RtpHeader, SrtcpSession, SrtpSession } from 'werift';
import { isRtcp } from '../rtp/rtcp.js';
import { headerBytesOf, isRtp, readSequence } from '../rtp/rtp-packet.js';
import type { DtlsFingerprint } from '../media-link.js';
import {
  isDtls,
  isHelloVerifyRequest,
  isUnprotectedFinish,
  readFatalAlert,
  splitRecords,
  type DtlsRecord,
} from './dtls-records.js';
import {
  fingerprintOf,
  HandshakeProofError,
  proveHandshake,
  type HandshakeMessage,
} from './handshake-proof.js';
import { HandshakeGate } from './handshake-gate.js';
import type { DtlsIdentity, SecureMedia, SecureMediaListener } from './secure-media.js';

type Werift = typeof WeriftModule;
type Certificate = Awaited<ReturnType<Werift['CipherContext']['createSelfSignedCertificateWithKey']>>;

/** As long as a user waits; werift itself would go on for more than half a minute. */
const HANDSHAKE_LIMIT_MS = 15_000;
/** RFC 7714 (AEAD_AES_128_GCM) before RFC 5764 (AES128_CM_HMAC_SHA1_80). */
const SRTP_PROFILES = [7, 1] as const;
const SERVER_KEY_EXCHANGE = 12;
const FINISHED = 20;

/** @returns a new key and certificate */
export async function createDtlsIdentity(): Promise<DtlsIdentity> {
  const werift = await import('werift');
  const certificate = await werift.CipherContext.createSelfSignedCertificateWithKey(
    { signature: werift.SignatureAlgorithm.ecdsa_3, hash: werift.HashAlgorithm.sha256_4 },
    werift.NamedCurveAlgorithm.secp256r1_23,
  );
  return identityOf(werift, certificate);
}

/** @param certificate in PEM, with its key */
export function identityOf(werift: Werift, certificate: Certificate): DtlsIdentity {
  const der = Buffer.from(certificate.certPem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return {
    fingerprint: fingerprintOf(der),
    openSecureMedia: (listener) => new WeriftSecureMedia(werift, certificate, listener),
  };
}

class WeriftSecureMedia implements SecureMedia {
  #socket: DtlsSocket | undefined;
  #role: 'client' | 'server' = 'client';
  #fingerprints: readonly DtlsFingerprint[] = [];
  #srtp: SrtpSession | undefined;
  #srtcp: SrtcpSession | undefined;
  #serverKeyExchange: Buffer | undefined;
  readonly #gate = new HandshakeGate();
  /** Sent again when the hello is. */
  #helloVerifyRequest: Buffer | undefined;
  #peerFinished: Buffer | undefined;
  #state: 'new' | 'connecting' | 'connected' | 'closed' = 'new';
  #limit: NodeJS.Timeout | undefined;

  constructor(
    private readonly werift: Werift,
    private readonly certificate: Certificate,
    private readonly listener: SecureMediaListener,
  ) {}

  start(role: 'client' | 'server', fingerprints: readonly DtlsFingerprint[]): void {
    if (this.#state !== 'new') return;
    this.#state = 'connecting';
    this.#role = role;
    this.#fingerprints = fingerprints;
    const { certPem, keyPem, signatureHash } = this.certificate;
    const options = {
      cert: certPem,
      key: keyPem,
      signatureHash,
      srtpProfiles: [...SRTP_PROFILES],
      extendedMasterSecret: true,
      certificateRequest: true,
      transport: {
        type: 'ice',
        address: {} as never,
        closed: false,
        onData: () => undefined,
        send: (datagram: Buffer) => {
          if (isHelloVerifyRequest(datagram)) this.#helloVerifyRequest = datagram;
          if (this.#state !== 'closed') this.listener.send(datagram);
          return Promise.resolve();
        },
        close: () => Promise.resolve(),
      },
    };
    const socket =
      role === 'client' ? new this.werift.DtlsClient(options) : new this.werift.DtlsServer(options);
    this.#socket = socket;
    this.#watch(socket);
    this.#limit = setTimeout(() => this.#fail('the handshake did not end in time'), HANDSHAKE_LIMIT_MS);
    if (socket instanceof this.werift.DtlsClient) {
      socket.connect().catch((error: unknown) => this.#fail(`the handshake failed: ${messageOf(error)}`));
    }
  }

  receive(datagram: Buffer): boolean {
    if (isDtls(datagram)) return this.#receiveDtls(datagram);
    if (!this.#srtp || !this.#srtcp || !isRtp(datagram)) return false;
    let packet: Buffer;
    const isControl = isRtcp(datagram);
    try {
      packet = isControl ? this.#srtcp.decrypt(datagram) : this.#srtp.decrypt(datagram);
    } catch {
      // Not genuine, or cut short.
      return false;
    }
    if (isControl) this.listener.rtcp(packet);
    else this.listener.rtp(packet);
    return true;
  }

  sendRtp(packet: Buffer): void {
    if (!this.#srtp) return;
    const headerBytes = headerBytesOf(packet);
    if (headerBytes === undefined) return;
    const header = Buffer.from(packet.subarray(0, headerBytes));
    // Of a header werift wants no more than this; making one of its own would only be taken apart again.
    const shape: Pick<RtpHeader, 'ssrc' | 'sequenceNumber' | 'serializeSize' | 'serialize'> = {
      ssrc: packet.readUInt32BE(8),
      sequenceNumber: readSequence(packet),
      serializeSize: headerBytes,
      serialize: () => header,
    };
    this.listener.send(this.#srtp.encrypt(packet.subarray(headerBytes), shape as RtpHeader));
  }

  sendRtcp(packet: Buffer): void {
    if (this.#srtcp) this.listener.send(this.#srtcp.encrypt(packet));
  }

  close(): void {
    this.#state = 'closed';
    clearTimeout(this.#limit);
    // What is still sent again ends when its answer seems to have come.
    if (this.#socket) this.#socket.dtls.flight = Number.MAX_SAFE_INTEGER;
    this.#srtp = undefined;
    this.#srtcp = undefined;
  }

  #receiveDtls(datagram: Buffer): boolean {
    const socket = this.#socket;
    if (!socket || this.#state === 'closed') return false;
    const isConnected = this.#state === 'connected';
    for (const record of splitRecords(datagram)) {
      const alert = isConnected ? undefined : readFatalAlert(record);
      if (alert !== undefined) {
        this.#fail(`the other side refused: ${alert}`);
        return true;
      }
      // A client has nothing more to hear; a server must hear that its last words were lost.
      if (isConnected && (this.#role === 'client' || record.epoch === 0)) continue;
      if (isUnprotectedFinish(record)) continue;
      if (!this.#handOn(socket, record)) return false;
    }
    return true;
  }

  #handOn(socket: DtlsSocket, record: DtlsRecord): boolean {
    const { repetitions } = this.#gate;
    const isBeginning = this.#helloVerifyRequest !== undefined && socket.dtls.flight < 4;
    try {
      for (const bytes of this.#gate.take(record)) socket.transport.socket.onData(bytes, ['', 0]);
    } catch {
      return false;
    }
    if (isBeginning && this.#gate.repetitions > repetitions && this.#helloVerifyRequest) {
      this.listener.send(this.#helloVerifyRequest);
    }
    return true;
  }

  #watch(socket: DtlsSocket): void {
    const handle = socket.onHandleHandshakes;
    socket.onHandleHandshakes = async (messages) => {
      for (const { msg_type: type, fragment } of messages) {
        if (type === SERVER_KEY_EXCHANGE) this.#serverKeyExchange = Buffer.from(fragment);
        if (type === FINISHED && this.#state === 'connecting') this.#peerFinished = Buffer.from(fragment);
      }
      await handle(messages);
    };
    socket.onError.subscribe((error: unknown) => this.#fail(`the handshake failed: ${messageOf(error)}`));
    socket.onConnect.subscribe(() => this.#connect(socket));
  }

  #connect(socket: DtlsSocket): void {
    if (this.#state !== 'connecting') return;
    const profile = socket.srtp.srtpProfile;
    try {
      if (profile === undefined) throw new HandshakeProofError('no way to encrypt media was agreed on');
      this.#prove(socket);
    } catch (error) {
      if (!(error instanceof HandshakeProofError)) throw error;
      this.#fail(error.message);
      return;
    }
    clearTimeout(this.#limit);
    const { keyLength, saltLength } = this.werift;
    const keys = socket.extractSessionKeys(keyLength(profile), saltLength(profile)) as Record<string, Buffer>;
    const config = {
      profile,
      keys: {
        localMasterKey: pick(keys, 'localKey'),
        localMasterSalt: pick(keys, 'localSalt'),
        remoteMasterKey: pick(keys, 'remoteKey'),
        remoteMasterSalt: pick(keys, 'remoteSalt'),
      },
    };
    this.#srtp = new this.werift.SrtpSession(config);
    this.#srtcp = new this.werift.SrtcpSession(config);
    this.#state = 'connected';
    this.listener.connected();
  }

  /** @throws HandshakeProofError */
  #prove(socket: DtlsSocket): void {
    const { cipher, dtls } = socket;
    const { remoteCertificate, remoteKeyPair, masterSecret } = cipher;
    const own = cipher.localRandom.serialize();
    const theirs = cipher.remoteRandom.serialize();
    if (remoteCertificate === undefined || remoteKeyPair.publicKey === undefined) {
      throw new HandshakeProofError('the other side has no certificate');
    }
    proveHandshake(
      {
        role: this.#role,
        peerCertificate: Buffer.from(remoteCertificate),
        clientRandom: this.#role === 'client' ? own : theirs,
        serverRandom: this.#role === 'client' ? theirs : own,
        masterSecret,
        peerKey: remoteKeyPair.publicKey,
        messages: dtls.sortedHandshakeCache.map((message): HandshakeMessage => ({
          type: message.msg_type,
          body: message.fragment,
          whole: message.serialize(),
        })),
        peerFinished: this.#peerFinished,
        serverKeyExchange: this.#serverKeyExchange,
      },
      this.#fingerprints,
    );
  }

  #fail(reason: string): void {
    if (this.#state !== 'connecting') return;
    this.close();
    this.listener.failed(reason);
  }
}

function pick(keys: Record<string, Buffer>, name: string): Buffer {
  const key = keys[name];
  if (key === undefined) throw new HandshakeProofError('no keys were agreed on');
  return key;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
