/**
 * XEP-0474: SASL SCRAM Downgrade Protection, version 0.5.0.
 *
 * The server puts a hash of what it offered into the SCRAM challenge, where the password protects it; we compare it with
 * what arrived. Not here: the attribute `d` of version 0.3; servers that send it (ejabberd 24) did not hash what they had offered in every case.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { AuthError } from '../../errors.js';
import { decodeBase64 } from './base64.js';

export interface OfferedLists {
  /** Mechanisms, of the profile in use (SASL or SASL2), as offered. */
  mechanisms: readonly string[];
  /** Types of channel binding (XEP-0440); undefined where the server did not say. */
  channelBindings: readonly string[] | undefined;
}

/** XEP-0474 §5.1. */
export function hashOfferedLists({ mechanisms, channelBindings }: OfferedLists, algorithm: string): Buffer {
  let text = joinSorted(mechanisms);
  if (channelBindings !== undefined) text += `\x1f${joinSorted(channelBindings)}`;
  return createHash(algorithm).update(text).digest();
}

/** Sorted by octets (`i;octet`, RFC 4790 §9.3). */
function joinSorted(items: readonly string[]): string {
  return [...items].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).join('\x1e');
}

/**
 * XEP-0474 §5.2.
 *
 * @param attribute the value of `h`
 * @throws AuthError what arrived is not what the server offered
 */
export function verifyOfferedLists(attribute: string, lists: OfferedLists, algorithm: string): void {
  const theirs = decodeBase64(attribute);
  const ours = hashOfferedLists(lists, algorithm);
  if (theirs?.length === ours.length && timingSafeEqual(theirs, ours)) return;
  throw new AuthError('the list of mechanisms that arrived is not the one that the server sent (XEP-0474)', {
    hint: 'somebody between us and the server may be trying to weaken the login',
  });
}
