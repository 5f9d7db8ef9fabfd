import { expect, test } from 'vitest';
import { AuthError } from '../../../../src/lib/errors.js';
import {
  hashOfferedLists,
  verifyOfferedLists,
} from '../../../../src/lib/session/sasl/downgrade-protection.js';

const lists = {
  mechanisms: ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS'],
  channelBindings: ['tls-server-end-point', 'tls-exporter'],
};
const example = 'G6k/rBLDqgOhRRaCuuatSDFkJ08=';

test('the example of XEP-0474 §5.3', () => {
  expect(hashOfferedLists(lists, 'sha1').toString('base64')).toBe(example);
  expect(() => verifyOfferedLists(example, lists, 'sha1')).not.toThrow();
});

test('the order of the lists does not matter, which is in which does', () => {
  const turned = {
    mechanisms: [...lists.mechanisms].reverse(),
    channelBindings: [...lists.channelBindings].reverse(),
  };
  expect(hashOfferedLists(turned, 'sha1').toString('base64')).toBe(example);
  const mixed = {
    mechanisms: ['SCRAM-SHA-1', 'tls-exporter'],
    channelBindings: ['SCRAM-SHA-1-PLUS', 'tls-server-end-point'],
  };
  expect(hashOfferedLists(mixed, 'sha1').toString('base64')).not.toBe(example);
});

test('a server without XEP-0440 differs from one with an empty list', () => {
  const mechanisms = ['SCRAM-SHA-1'];
  const without = hashOfferedLists({ mechanisms, channelBindings: undefined }, 'sha1');
  expect(without.equals(hashOfferedLists({ mechanisms, channelBindings: [] }, 'sha1'))).toBe(false);
});

test.each([
  ['a mechanism was removed', { ...lists, mechanisms: ['SCRAM-SHA-1'] }, example],
  ['a type was removed', { ...lists, channelBindings: ['tls-server-end-point'] }, example],
  ['XEP-0440 was removed', { ...lists, channelBindings: undefined }, example],
  ['the hash is not base64', lists, 'G6k/rBLDqgOhRRaCuuatSDFkJ08'],
  ['the hash is of another algorithm', lists, hashOfferedLists(lists, 'sha256').toString('base64')],
])('refused: %s', (_title, seen, attribute) => {
  expect(() => verifyOfferedLists(attribute, seen, 'sha1')).toThrow(AuthError);
});
