/** Telephone numbers as people write them, and as `tel:` URIs (RFC 3966). */

/** Longer than any number with its extension; what is matched here is matched in more than linear time. */
const MAX_LENGTH = 80;
/** RFC 3966 §3: digits and what separates them for the eye; letters are for people. */
const DIGITS = /^\+?[\d().-]*\d[\d().-]*$/;
const WITH_PARAMETERS = /^tel:\+?[\d().-]*\d[\d().-]*(?:;[a-z0-9-]+=[\w.+%-]+)+$/i;
const EXTENSION = /^(.*?)(?:\s*;\s*ext\s*=\s*|\s*[,;]?\s*(?:extension|ext|x)\.?\s*)(\d+)$/i;

/** @returns undefined when it is not a number that a telephone could dial: `call the porter` */
export function telUri(number: string): string | undefined {
  const trimmed = number.trim();
  if (trimmed.length > MAX_LENGTH) return undefined;
  const plain = trimmed.replace(/^tel:/i, '');
  if (WITH_PARAMETERS.test(trimmed)) return `tel:${plain}`;
  const [, main = plain, extension] = EXTENSION.exec(plain) ?? [];
  const written = main.trim().replace(/[\s/]+/g, '-');
  if (!DIGITS.test(written)) return undefined;
  return `tel:${written}${extension === undefined ? '' : `;ext=${extension}`}`;
}

/** A URI that says more than a number and its extension stays one, since a number cannot say it. */
export function numberOfTelUri(uri: string): string {
  const [, main, extension] = /^(?:tel:)?([^;]*)(?:;ext=([^;]+))?$/i.exec(uri.trim()) ?? [];
  if (main === undefined) return uri.trim();
  return extension === undefined ? main : `${main} ext ${extension}`;
}
