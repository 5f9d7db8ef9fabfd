/** Which writing systems a text mixes (UTS #39 §5.1, with the "highly restrictive" level of §5.2). */
import { hasProperty } from '../unicode-property.js';

/** The scripts in modern everyday use (UAX #31, table 5); every other one counts as `Other`. */
const scriptNames = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Arabic',
  'Armenian',
  'Bengali',
  'Bopomofo',
  'Devanagari',
  'Ethiopic',
  'Georgian',
  'Gujarati',
  'Gurmukhi',
  'Han',
  'Hangul',
  'Hebrew',
  'Hiragana',
  'Kannada',
  'Katakana',
  'Khmer',
  'Lao',
  'Malayalam',
  'Myanmar',
  'Oriya',
  'Sinhala',
  'Tamil',
  'Telugu',
  'Thaana',
  'Thai',
  'Tibetan',
];

/** Sets of scripts that one language writes with, so that they do not count as mixed. */
const writtenTogether: readonly (readonly string[])[] = [
  ['Latin', 'Han', 'Hiragana', 'Katakana'],
  ['Latin', 'Han', 'Bopomofo'],
  ['Latin', 'Han', 'Hangul'],
];

/** The scripts that a text mixes, or an empty list when it is written in one, or in some that belong together. */
export function findMixedScripts(text: string): string[] {
  const found = new Set<string>();
  const candidates: string[][] = [];
  for (const character of text) {
    const scripts = scriptsOf(character);
    if (scripts.length === 0) continue;
    candidates.push(scripts);
    if (scripts[0] !== undefined) found.add(scripts[0]);
  }
  const isOneWriting = (writing: readonly string[]): boolean =>
    candidates.every((scripts) => scripts.some((script) => writing.includes(script)));
  if (candidates.length === 0) return [];
  if (scriptNames.some((script) => isOneWriting([script])) || isOneWriting(['Other'])) return [];
  return writtenTogether.some(isOneWriting) ? [] : [...found];
}

const scriptsByCharacter = new Map<string, string[]>();

/** The scripts a character is used in; none for what all of them use, such as digits and most marks. */
function scriptsOf(character: string): string[] {
  let scripts = scriptsByCharacter.get(character);
  if (!scripts) {
    scripts = lookUpScripts(character);
    scriptsByCharacter.set(character, scripts);
  }
  return scripts;
}

function lookUpScripts(character: string): string[] {
  if (/[a-z]/i.test(character)) return ['Latin'];
  if (hasProperty(character, 'Script=Common', 'Script=Inherited') && !hasScriptExtensions(character))
    return [];
  const scripts = scriptNames.filter((name) => hasProperty(character, `Script_Extensions=${name}`));
  return scripts.length > 0 ? scripts : ['Other'];
}

function hasScriptExtensions(character: string): boolean {
  return !hasProperty(character, 'Script_Extensions=Common', 'Script_Extensions=Inherited');
}
