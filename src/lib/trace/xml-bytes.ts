/** The bytes that mean something in XML's syntax. */

export const LT = 0x3c;
export const GT = 0x3e;
export const SLASH = 0x2f;
export const BANG = 0x21;
export const QUESTION = 0x3f;
export const EQUALS = 0x3d;
export const COLON = 0x3a;
export const DASH = 0x2d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const AMPERSAND = 0x26;
export const QUOTE = 0x22;
export const APOSTROPHE = 0x27;
export const BACKSLASH = 0x5c;

export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** The bytes of nearly every name: small letters, digits, `-` and `:`. */
export function isPlainNameByte(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || byte === DASH || byte === COLON || (byte >= 0x30 && byte <= 0x39);
}
