/**
 * Unicode properties of a character, from the tables of the JavaScript engine.
 *
 * Not written as literals (`/\p{L}/u`): V8 reads the tables for a literal as soon as it parses the function that holds it,
 * which for the two dozen of this room took 15 ms at start-up. This way only what is asked is read.
 */
const tests = new Map<string, RegExp>();

/** True when the character has one of the properties: `hasProperty('é', 'Ll', 'Script=Greek')`. */
export function hasProperty(character: string, ...properties: readonly string[]): boolean {
  const key = properties.join(' ');
  let test = tests.get(key);
  if (test === undefined) {
    test = new RegExp(`^[${properties.map((property) => `\\p{${property}}`).join('')}]`, 'u');
    tests.set(key, test);
  }
  return test.test(character);
}
