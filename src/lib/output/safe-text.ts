// eslint-disable-next-line no-control-regex -- finding control characters is the point
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g;

/**
 * Text from the network on its way to a terminal: control characters become visible and harmless.
 *
 * C0 and C1 controls, DEL and the bidirectional overrides (CVE-2021-42574) can move the cursor, set the title,
 * or make text read as something else. Newline and tab are kept unless `singleLine`.
 */
export function safeText(text: string, options: { singleLine?: boolean } = {}): string {
  return text.replace(unsafe, (character) => {
    if (!options.singleLine && (character === '\n' || character === '\t')) return character;
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code === 0x7f) return '\u2421';
    return `\\u{${code.toString(16)}}`;
  });
}

const unsafeInJson = /[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g;

/** JSON on its way to a terminal: the same value, with escapes for what JSON lets stand and a terminal obeys. */
export function safeJson(json: string): string {
  return json.replace(
    unsafeInJson,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
