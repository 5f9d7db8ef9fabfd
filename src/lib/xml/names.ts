/**
 * Names in XML 1.0 §2.3.
 */
const START_RANGES =
  'A-Z_a-z\\u{c0}-\\u{d6}\\u{d8}-\\u{f6}\\u{f8}-\\u{2ff}\\u{370}-\\u{37d}\\u{37f}-\\u{1fff}\\u{200c}-\\u{200d}' +
  '\\u{2070}-\\u{218f}\\u{2c00}-\\u{2fef}\\u{3001}-\\u{d7ff}\\u{f900}-\\u{fdcf}\\u{fdf0}-\\u{fffd}\\u{10000}-\\u{effff}';
const MORE_RANGES = '\\-.0-9\\u{b7}\\u{203f}-\\u{2040}';
const COMBINING = '\\u{300}-\\u{36f}';
const NC_NAME = `[${START_RANGES}](?:[${START_RANGES}${MORE_RANGES}]|[${COMBINING}])*`;

const QUALIFIED_NAME = new RegExp(`^(?:${NC_NAME}:)?${NC_NAME}$`, 'u');

/** A name with at most one colon, neither first nor last (Namespaces in XML 1.0 §4). */
export function isQualifiedName(text: string): boolean {
  return QUALIFIED_NAME.test(text);
}
