/** What cards have of URIs: addresses of XMPP, web pages, identifiers, places. */

/** RFC 3986 §3.1; a drive letter is no scheme. */
export function hasScheme(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(text);
}

/** Whatever stands in it, it becomes something that can be in a URI. */
export function encodeUri(text: string): string {
  const trimmed = text.trim();
  try {
    // What is percent-encoded already stays what it is.
    return encodeURI(trimmed).replace(/%25([0-9a-f]{2})/gi, '%$1');
  } catch {
    return encodeURI(wellFormed(trimmed));
  }
}

/** RFC 5122 §2.2: an address as a URI. */
export function xmppUri(address: string): string {
  const plain = decodePercent(address.trim().replace(/^xmpp:/i, ''));
  const [bare = '', ...resource] = plain.split('/');
  const encode = (part: string): string =>
    encodeURIComponent(wellFormed(part)).replace(/%40/g, '@').replace(/%3A/g, ':');
  return `xmpp:${[encode(bare), ...(resource.length > 0 ? [encodeURIComponent(wellFormed(resource.join('/')))] : [])].join('/')}`;
}

/** @returns undefined when it is a URI of something else */
export function addressOfXmppUri(uri: string): string | undefined {
  const found = /^xmpp:(?:\/\/[^/?#]*\/)?([^?#]*)/i.exec(uri.trim());
  return found ? decodePercent(found[1] ?? '') : undefined;
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

export function parseGeoUri(uri: string): { latitude: string; longitude: string } | undefined {
  const found = /^geo:(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)/i.exec(uri.trim());
  return found ? { latitude: found[1] ?? '', longitude: found[2] ?? '' } : undefined;
}

/** JSON can hold halves of characters, which no URI can. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
