/** Strict base64 (RFC 4648 §4, which RFC 6120 §6.3 and RFC 5802 ask for): undefined where Node would guess. */
export function decodeBase64(text: string): Buffer | undefined {
  const digits = text.replace(/={1,2}$/, '');
  // One class of characters, so that no length of it fills the stack of the pattern.
  const isBase64 = text.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(digits);
  return isBase64 ? Buffer.from(text, 'base64') : undefined;
}
