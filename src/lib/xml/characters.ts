/**
 * Which characters XML can carry (XML 1.0 §2.2): no control characters but tab, newline and carriage return, no halves
 * of surrogate pairs, not U+FFFE and U+FFFF.
 */
const forbidden =
  // eslint-disable-next-line no-control-regex -- finding control characters is the point
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** The first character that no XML can carry, as `U+001B`, and where it is; `undefined` when all is well. */
export function findForbiddenCharacter(text: string): { codePoint: string; index: number } | undefined {
  const found = forbidden.exec(text);
  if (!found) return undefined;
  const code = text.charCodeAt(found.index);
  return { codePoint: `U+${code.toString(16).toUpperCase().padStart(4, '0')}`, index: found.index };
}
