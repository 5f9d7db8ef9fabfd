/** Checks the characters of a text one by one, and says which of those that were typed is not valid. */
import { describeCodePoint, formatCodePoint } from '../code-point.js';
import type { Violation } from '../violation.js';
import { unmetContext } from './contextual-rules.js';
import { describeKind, type Property } from './derived-property.js';

/**
 * @param mapped what each character that was typed became: one code point, in rare cases several
 * @param typed the characters as they were typed, to point at
 */
export function checkCharacters(
  mapped: readonly string[],
  typed: readonly string[],
  propertyOf: (codePoint: number) => Property,
): Violation[] {
  const codePoints: number[] = [];
  const origins: number[] = [];
  for (const [index, characters] of mapped.entries()) {
    for (const character of characters) {
      codePoints.push(character.codePointAt(0) ?? 0);
      origins.push(index);
    }
  }
  const violations: Violation[] = [];
  for (const [position, codePoint] of codePoints.entries()) {
    const property = propertyOf(codePoint);
    if (property === 'PVALID') continue;
    const index = origins[position] ?? position;
    const culprit = typed[index]?.codePointAt(0) ?? codePoint;
    const where = { codePoint: formatCodePoint(culprit), index };
    if (property === 'CONTEXTJ' || property === 'CONTEXTO') {
      const needs = unmetContext(codePoints, position);
      if (needs === undefined) continue;
      violations.push({
        rule: 'context',
        message: `may contain ${describeCodePoint(codePoint)} only ${needs}`,
        ...where,
      });
    } else {
      violations.push({
        rule: property === 'UNASSIGNED' ? 'unassigned' : 'disallowed',
        message: `may not contain ${describeKind(culprit)} (${describeCodePoint(culprit)})`,
        ...where,
      });
    }
  }
  return violations;
}
