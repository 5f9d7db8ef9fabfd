import { expect, test } from 'vitest';
import { AuthError } from '../../../../src/lib/errors.js';
import { saslprep } from '../../../../src/lib/session/sasl/saslprep.js';

test.each([
  ['user', 'user'],
  ['USER', 'USER'],
  ['a b~', 'a b~'],
  // RFC 4013 §3.
  ['I\u00adX', 'IX'],
  ['\u00aa', 'a'],
  ['\u2168', 'IX'],
  ['a\u00a0b', 'a b'],
  ['caf\u00e9', 'caf\u00e9'],
  ['cafe\u0301', 'caf\u00e9'],
  // Not in Unicode 3.2.
  ['\u{1f600}', '\u{1f600}'],
])('%j becomes %j', async (text, expected) => {
  expect(await saslprep(text, 'the password')).toBe(expected);
});

test.each([
  ['a control character', 'secret\u0007'],
  ['a control character beyond ASCII', 'secret\u0080'],
  ['both directions of writing', 'secret\u0627\u0031'],
  ['a private character', 'secret\ue000'],
  ['nothing but a soft hyphen', '\u00ad'],
])('%s is refused without quoting it', async (_title, text) => {
  const failure = await saslprep(text, 'the password').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AuthError);
  expect(JSON.stringify(failure) + String(failure) + String((failure as Error).stack)).not.toContain(
    'secret',
  );
});

test('an empty password is none', async () => {
  await expect(saslprep('', 'the password')).rejects.toThrow('the password is empty');
});
