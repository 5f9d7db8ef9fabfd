/** Base64 as people's clients wrote it: broken into lines, indented, without its padding. */

/** @returns undefined when it is none */
export function decodeBase64(text: string): Buffer | undefined {
  return decodeStrictly(text) ?? decodeLeniently(text);
}

/** As it should be, and nearly always is: pictures are long, and this looks at them once only. */
function decodeStrictly(text: string): Buffer | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const data = Buffer.from(text, 'base64');
  return data.length === (text.length / 4) * 3 - padding ? data : undefined;
}

function decodeLeniently(text: string): Buffer | undefined {
  const clean = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  let end = clean.length;
  while (clean.endsWith('=', end)) end--;
  if (end % 4 === 1) return undefined;
  const data = Buffer.from(clean, 'base64');
  // Node passes over what is no base64, and stops at padding, so there is less than there should be.
  return data.length === Math.floor((end * 3) / 4) ? data : undefined;
}

/** What is in a BINVAL. Some writers put the whole `data:` URI there. */
export function decodeBinval(text: string): Buffer | undefined {
  const start = text.slice(0, 200).trimStart();
  return /^data:[^,]*,/i.test(start) ? parseDataUri(text.trim())?.data : decodeBase64(text);
}

/** `data:` URIs (RFC 2397), as far as cards have them: in base64. */
export function dataUri(mediaType: string, data: Buffer): string {
  return `data:${mediaType};base64,${data.toString('base64')}`;
}

export interface DataUri {
  mediaType: string;
  data: Buffer;
}

/** @returns undefined when it is none, or not one that can be read */
export function parseDataUri(uri: string): DataUri | undefined {
  if (!/^data:/i.test(uri)) return undefined;
  const comma = uri.indexOf(',');
  if (comma < 0) return undefined;
  const [mediaType = '', ...parameters] = uri.slice('data:'.length, comma).split(';');
  const content = uri.slice(comma + 1);
  // The XSLT of XEP-0292 leaves `;base64` out; percent-encoded pictures exist on paper only.
  const isEncoded = parameters.some((parameter) => parameter.trim().toLowerCase() === 'base64');
  const data =
    decodeBase64(decodePercent(content)) ?? (isEncoded ? undefined : Buffer.from(decodePercent(content)));
  return data && { mediaType: mediaType.trim().toLowerCase(), data };
}

function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
