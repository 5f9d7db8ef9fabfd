/** The messages of connectivity checks (RFC 8445 §7), and what goes with them. */
import { randomBytes } from 'node:crypto';
import type { IceCandidate, IceCredentials } from '../media-link.js';
import { candidatePriority } from './candidates.js';
import type { LocalBase } from './local-candidates.js';
import {
  encodeAddress,
  encodeError,
  encodeStun,
  encodeUint32,
  encodeUint64,
  StunAttribute,
  StunMethod,
  type TransportAddress,
} from './stun-message.js';

export interface CheckOptions {
  local: IceCredentials;
  remote: IceCredentials;
  /** Of our candidate that it is sent from. */
  basePriority: number;
  isControlling: boolean;
  tieBreaker: bigint;
  /** The pair is to be used (§8.1.1). */
  isNominating: boolean;
}

/** RFC 8445 §7.2.4. */
export function encodeCheck(transactionId: Buffer, options: CheckOptions): Buffer {
  const { local, remote, basePriority, isControlling, tieBreaker, isNominating } = options;
  const role = isControlling ? StunAttribute.iceControlling : StunAttribute.iceControlled;
  const preference = Math.floor(basePriority / 256) & 0xffff;
  const attributes = new Map([
    [StunAttribute.username, Buffer.from(`${remote.ufrag}:${local.ufrag}`)],
    [StunAttribute.priority, encodeUint32(candidatePriority('prflx', preference))],
    [role, encodeUint64(tieBreaker)],
    ...(isNominating ? ([[StunAttribute.useCandidate, Buffer.alloc(0)]] as const) : []),
  ]);
  const message = { method: StunMethod.binding, class: 'request' as const, transactionId, attributes };
  return encodeStun(message, Buffer.from(remote.pwd));
}

export function encodeCheckAnswer(transactionId: Buffer, seen: TransportAddress, key: Buffer): Buffer {
  const attributes = new Map([[StunAttribute.xorMappedAddress, encodeAddress(seen, transactionId)]]);
  return encodeStun({ method: StunMethod.binding, class: 'success', transactionId, attributes }, key);
}

/** RFC 8445 §7.3.1.1. */
export function encodeRoleConflict(transactionId: Buffer, key: Buffer): Buffer {
  const error = encodeError({ code: 487, reason: 'Role Conflict' });
  const attributes = new Map([[StunAttribute.errorCode, error]]);
  return encodeStun({ method: StunMethod.binding, class: 'error', transactionId, attributes }, key);
}

/** RFC 8445 §5.3 and RFC 8839 §5.4: at least 24 and 128 bits. */
export function newCredentials(): IceCredentials {
  const token = (bytes: number): string => randomBytes(bytes).toString('base64').replaceAll('=', '');
  return { ufrag: token(6), pwd: token(18) };
}

export function reflexiveOf(base: LocalBase, { ip, port }: TransportAddress): IceCandidate {
  return {
    ...base.candidate,
    type: 'prflx',
    ip,
    port,
    relatedAddress: base.candidate.ip,
    relatedPort: base.candidate.port,
  };
}
