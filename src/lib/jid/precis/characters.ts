/** Checks the characters of a text one by one, and says which of those that were typed is not valid. */
import { describeCodePoint, formatCodePoint } from '../code-point.js';
import { hasProperty } from '../unicode-property.js';
import type { Violation } from '../violation.js';
import { unmetContext } from './contextual-rules.js';
import { describeKind, type Property } from './derived-property.js';

/** A text after mapping and NFC. */
export interface MappedText {
  codePoints: readonly number[];
  /** For each of them, which of the characters that were typed it comes from. */
  origins: readonly number[];
}

/**
 * Composes characters (NFC) without losing track of where they come from.
 * @param characters what each character that was typed became; mostly one, in rare cases several
 */
export function composeCharacters(characters: readonly string[]): MappedText {
  const codePoints: number[] = [];
  const origins: number[] = [];
  let start = 0;
  while (start < characters.length) {
    let end = start + 1;
    while (end < characters.length && joinsPrevious(characters[end] ?? '')) end += 1;
    const first = characters[start] ?? '';
    if (end === start + 1 && first.length === 1 && first < '\u0300') {
      codePoints.push(first.charCodeAt(0));
      origins.push(start);
      start = end;
      continue;
    }
    const composed = Array.from(characters.slice(start, end).join('').normalize('NFC'));
    for (const [offset, character] of composed.entries()) {
      codePoints.push(character.codePointAt(0) ?? 0);
      origins.push(composed.length === end - start ? start + offset : start);
    }
    start = end;
  }
  return { codePoints, origins };
}

/** Composes with the character before it: marks, and the Hangul letters that are not the first of a syllable. */
function joinsPrevious(character: string): boolean {
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint < 0x300) return false;
  return (codePoint >= 0x1160 && codePoint <= 0x11ff) || hasProperty(character, 'M');
}

/** @param typed the characters as they were typed, to point at */
export function checkCharacters(
  { codePoints, origins }: MappedText,
  typed: readonly string[],
  propertyOf: (codePoint: number) => Property,
): Violation[] {
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
