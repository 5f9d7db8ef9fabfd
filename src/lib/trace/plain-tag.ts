/** The short way through nearly every tag of a stream. */
import { isRemarkableElement, type Namespace, type OpenElements } from './open-elements.js';
import { addToHash, EMPTY_HASH, isRemarkableAttribute, XMLNS, type NameHash } from './secrets.js';
import { AMPERSAND, APOSTROPHE, COLON, EQUALS, GT, isPlainNameByte, LT, QUOTE, SLASH } from './xml-bytes.js';

/**
 * Reads a tag in one go when all of it is here and nothing about it concerns a secret, at a third of the price of
 * the scanner's states. Only to be called outside of secrets.
 *
 * @param start index after the `<`
 * @returns index after the `>`; or 0 with nothing changed, and then the states must read it
 */
export function readPlainTag(chunk: Uint8Array, start: number, elements: OpenElements): number {
  const { length } = chunk;
  let at = start;
  if (chunk[at] === SLASH) {
    while (at < length && chunk[at] !== GT && chunk[at] !== LT) at += 1;
    if (chunk[at] !== GT) return 0;
    elements.closePlain();
    return at + 1;
  }
  let prefix = EMPTY_HASH;
  let local = EMPTY_HASH;
  let byte = chunk[at] ?? 0;
  while (isPlainNameByte(byte)) {
    if (byte === COLON) {
      prefix = local;
      local = EMPTY_HASH;
    } else local = addToHash(local, byte);
    at += 1;
    byte = chunk[at] ?? 0;
  }
  if (at === start || isRemarkableElement(local)) return 0;
  let ownDefault: NameHash | undefined;
  let ownPrefixes: Map<NameHash, Namespace> | undefined;
  for (;;) {
    while (byte === 0x20) {
      at += 1;
      byte = chunk[at] ?? 0;
    }
    if (byte === GT) break;
    if (byte === SLASH) return chunk[at + 1] === GT ? at + 2 : 0;
    let attributePrefix = EMPTY_HASH;
    let attribute = EMPTY_HASH;
    while (isPlainNameByte(byte)) {
      if (byte === COLON) {
        attributePrefix = attribute;
        attribute = EMPTY_HASH;
      } else attribute = addToHash(attribute, byte);
      at += 1;
      byte = chunk[at] ?? 0;
    }
    const quote = chunk[at + 1] ?? 0;
    if (byte !== EQUALS || (quote !== QUOTE && quote !== APOSTROPHE)) return 0;
    if (attribute === EMPTY_HASH || isRemarkableAttribute(attribute)) return 0;
    at += 2;
    const isDefault = attribute === XMLNS && attributePrefix === EMPTY_HASH;
    if (isDefault || attributePrefix === XMLNS) {
      let namespace = EMPTY_HASH;
      for (byte = chunk[at] ?? 0; byte !== quote; byte = chunk[at] ?? 0) {
        if (at >= length || byte === AMPERSAND || byte === LT) return 0;
        namespace = addToHash(namespace, byte);
        at += 1;
      }
      if (isDefault) ownDefault = namespace;
      else (ownPrefixes ??= new Map(elements.prefixes)).set(attribute, namespace);
    } else {
      while (at < length && chunk[at] !== quote && chunk[at] !== LT) at += 1;
      if (chunk[at] !== quote) return 0;
    }
    at += 1;
    byte = chunk[at] ?? 0;
  }
  elements.openPlain(prefix, local, ownDefault, ownPrefixes);
  return at + 1;
}
