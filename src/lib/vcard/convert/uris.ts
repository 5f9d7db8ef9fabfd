/** What cards have of URIs: addresses of XMPP, web pages, identifiers, places. */
import { findForbiddenCharacter } from '../../xml/characters.js';

/** RFC 3986 §3.1; a drive letter is no scheme, nor is the host in `example.org:8080/`. */
export function hasScheme(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:(?!\d{1,5}(?:[/?#]|$))/i.test(text);
}

/** A web page as people write it. */
export function webUri(text: string): string {
  if (hasScheme(text)) return encodeUri(text);
  return encodeUri(text.startsWith('//') ? `http:${text}` : `http://${text}`);
}

/** Whatever stands in it, it becomes something that RFC 3986's grammar takes. */
export function encodeUri(text: string): string {
  // What is percent-encoded already stays what it is.
  const encoded = encodeURI(wellFormed(text.trim())).replace(/%25([0-9a-f]{2})/gi, '%$1');
  if (PLAIN.test(encoded)) return encoded;
  // Appendix B: every text has these parts.
  const [, scheme = '', authority, path = '', query = '', fragment = ''] =
    /^([^:/?#]+:)?(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/.exec(encoded) ?? [];
  const isScheme = /^[a-z][a-z0-9+.-]*:$/i.test(scheme);
  return [
    isScheme ? scheme : encodeColons(scheme),
    authority === undefined ? '' : `//${encodeAuthority(authority)}`,
    // Before the first slash a colon would end a scheme.
    isScheme || authority !== undefined ? path : path.replace(/^[^/]*/, encodeColons),
    query,
    fragment.slice(0, 1) + fragment.slice(1).replaceAll('#', '%23'),
  ].join('');
}

const encodeColons = (text: string): string => text.replaceAll(':', '%3A');

/** Seen at once: nothing in it that has its place, and could be in another. */
const PLAIN = /^https?:\/\/[^:/?#@%]+(?:[/?][^#]*)?$/;

function encodeAuthority(authority: string): string {
  const at = authority.lastIndexOf('@');
  const user = at < 0 ? '' : `${authority.slice(0, at).replaceAll('@', '%40')}@`;
  // A colon without a port says nothing (RFC 3986 §6.2.3).
  const [, host = '', port = ''] = /^(.*?)(:\d{1,5})?:?$/.exec(authority.slice(at + 1)) ?? [];
  const address = /^%5B([0-9a-f:.]+)%5D$/i.exec(host)?.[1];
  return user + (address === undefined ? encodeColons(host) : `[${address}]`) + port;
}

/** RFC 5122 §2.2: an address as a URI. */
export function xmppUri(address: string): string {
  const plain = addressOfXmppUri(address) ?? address.trim();
  const [bare = '', ...resource] = plain.split('/');
  const encode = (part: string): string =>
    encodeURIComponent(wellFormed(part)).replace(/%40/g, '@').replace(/%3A/g, ':');
  return `xmpp:${[encode(bare), ...(resource.length > 0 ? [encodeURIComponent(wellFormed(resource.join('/')))] : [])].join('/')}`;
}

/** @returns undefined when it is a URI of something else */
export function addressOfXmppUri(uri: string): string | undefined {
  const found = /^xmpp:(?:\/\/[^/?#]*\/)?([^?#]*)/i.exec(uri.trim());
  if (!found) return undefined;
  const decoded = decodePercent(found[1] ?? '');
  // `%00` is a character that no XML can carry.
  return findForbiddenCharacter(decoded) ? found[1] : decoded;
}

/** Whether it says more than an address: what to do with it, or which account to do it as. */
export function isMoreThanAddress(uri: string): boolean {
  return !/^xmpp:(?!\/\/)[^?#]*$/i.test(uri.trim());
}

function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** RFC 9562: as it stands in many cards, without the name of its kind. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** RFC 5870. @returns undefined when it is no place on Earth */
export function geoUri(latitude: string, longitude: string): string | undefined {
  const [lat, lon] = [latitude, longitude].map((text) => text.trim().replace(',', '.'));
  const isNumber = (text: string | undefined): text is string =>
    text !== undefined && /^[+-]?\d+(?:\.\d+)?$/.test(text);
  if (!isNumber(lat) || !isNumber(lon) || Math.abs(Number(lat)) > 90 || Math.abs(Number(lon)) > 180)
    return undefined;
  return `geo:${lat.replace('+', '')},${lon.replace('+', '')}`;
}

/** `more`: what else it says, like an altitude. */
export function parseGeoUri(uri: string): { latitude: string; longitude: string; more: string } | undefined {
  const found = /^geo:(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)(.*)$/is.exec(uri.trim());
  return found ? { latitude: found[1] ?? '', longitude: found[2] ?? '', more: found[3] ?? '' } : undefined;
}

/** JSON can hold halves of characters, which no URI can. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
