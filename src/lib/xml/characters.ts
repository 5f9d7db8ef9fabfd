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

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Whether `&name;` refers to a character by its number, and not to an entity by its name. */
export function isCharacterReference(name: string): boolean {
  return /^#(?:x[0-9a-fA-F]+|[0-9]+)$/.test(name);
}

/**
 * What `&name;` stands for (XML 1.0 §4.1, §4.6).
 * @returns undefined for an entity that is not one of the five, and for characters that XML forbids
 */
export function resolveReference(name: string): string | undefined {
  if (Object.hasOwn(entities, name)) return entities[name];
  if (!isCharacterReference(name)) return undefined;
  const code = name.startsWith('#x') ? parseInt(name.slice(2), 16) : Number(name.slice(1));
  const isCharacter =
    code === 0x9 ||
    code === 0xa ||
    code === 0xd ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff);
  return isCharacter ? String.fromCodePoint(code) : undefined;
}
