/** DTLS-SRTP over a path that somebody else keeps (RFC 5763, RFC 5764): what the rest of the room sees of it. */
import type { DtlsFingerprint } from '../media-link.js';

export interface SecureMediaListener {
  /** A datagram to be sent. */
  send(datagram: Buffer): void;
  /** Keys are agreed on, and the peer is the one whose fingerprint was told. */
  connected(): void;
  /** Decrypted and authenticated. */
  rtp(packet: Buffer): void;
  /** Decrypted and authenticated; may be a compound of several. */
  rtcp(packet: Buffer): void;
  failed(reason: string): void;
}

export interface SecureMedia {
  /** @param role `client` says hello first */
  start(role: 'client' | 'server', fingerprints: readonly DtlsFingerprint[]): void;
  /** A datagram that is no STUN. What is not genuine is dropped; @returns whether it was used */
  receive(datagram: Buffer): boolean;
  /** Before `connected`, what is sent is lost. */
  sendRtp(packet: Buffer): void;
  sendRtcp(packet: Buffer): void;
  close(): void;
}

/** A key and its certificate, made for one call. */
export interface DtlsIdentity {
  readonly fingerprint: DtlsFingerprint;
  openSecureMedia(listener: SecureMediaListener): SecureMedia;
}
