/** Telephone numbers as people write them, and as `tel:` URIs (RFC 3966). */

const EXTENSION = /^(.*?)(?:\s*;\s*ext\s*=\s*|\s*[,;]?\s*(?:extension|ext|x)\.?\s*)(\d+)$/i;

/** @returns undefined when it is not a number that a telephone could dial: `call the porter` */
export function telUri(number: string): string | undefined {
  const plain = number.trim().replace(/^tel:/i, '');
  const [, main = plain, extension] = EXTENSION.exec(plain) ?? [];
  const written = main.trim().replace(/[\s/]+/g, '-');
  // RFC 3966 §3: digits with visual separators; letters are for people.
  if (!/^\+?[\d().-]*\d[\d().-]*$/.test(written)) return undefined;
  return `tel:${written}${extension === undefined ? '' : `;ext=${extension}`}`;
}

export function numberOfTelUri(uri: string): string {
  const rest = uri.trim().replace(/^tel:/i, '');
  const extension = /;ext=([^;]+)/i.exec(rest)?.[1];
  const [main = ''] = rest.split(';');
  return extension === undefined ? main : `${main} ext ${extension}`;
}
