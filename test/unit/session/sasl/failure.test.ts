import { describe, expect, test } from 'vitest';
import { AuthError, exitCodeOf } from '../../../../src/lib/errors.js';
import { authErrorFrom, readFailure } from '../../../../src/lib/session/sasl/failure.js';
import { parseXml } from '../../../../src/lib/xml/parse.js';

const NS = 'urn:ietf:params:xml:ns:xmpp-sasl';
const context = { who: 'alice@example.org', mechanism: 'SCRAM-SHA-256', secret: 'wonderland' };

describe('reading <failure/>', () => {
  test.each([
    ['a condition', `<failure xmlns='${NS}'><not-authorized/></failure>`, 'not-authorized', undefined],
    [
      'text first',
      `<failure xmlns='${NS}'><text>Go\n away</text><account-disabled/></failure>`,
      'account-disabled',
      'Go away',
    ],
    [
      'an application condition first',
      `<failure xmlns='urn:xmpp:sasl:2'><x xmlns='urn:other'/><aborted xmlns='${NS}'/><text>why</text></failure>`,
      'aborted',
      'why',
    ],
    [
      'a condition in the namespace of SASL2',
      `<failure xmlns='urn:xmpp:sasl:2'><credentials-expired/></failure>`,
      'credentials-expired',
      undefined,
    ],
    ['nothing', `<failure xmlns='${NS}'/>`, 'undefined-condition', undefined],
  ])('%s', (_title, xml, condition, text) => {
    expect(readFailure(parseXml(xml))).toEqual({ condition, text });
  });
});

test.each([
  'not-authorized',
  'account-disabled',
  'credentials-expired',
  'encryption-required',
  'invalid-authzid',
  'mechanism-too-weak',
  'temporary-auth-failure',
])('%s ends in exit code 4 and says what to do', (condition) => {
  const error = authErrorFrom({ condition, text: 'Why not' }, context);
  expect(error).toBeInstanceOf(AuthError);
  expect(exitCodeOf(error)).toBe(4);
  expect(error.message).toBe(`alice@example.org could not log in with SCRAM-SHA-256: ${condition} (Why not)`);
  expect(error.hint).toBeTruthy();
});

test('a password that the server sends back is not repeated', () => {
  const error = authErrorFrom({ condition: 'not-authorized', text: 'bad password wonderland' }, context);
  expect(JSON.stringify([error, error.message, error.hint, error.details])).not.toContain('wonderland');
});

test('a refused channel binding points at who may be in between', () => {
  const failure = { condition: 'not-authorized', text: 'Invalid channel binding' };
  expect(authErrorFrom(failure, { ...context, mechanism: 'SCRAM-SHA-1-PLUS' }).hint).toContain('between us');
});
