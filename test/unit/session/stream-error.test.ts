import { expect, test } from 'vitest';
import { otherHostOf, streamErrorFrom } from '../../../src/lib/session/stream-error.js';
import { xml } from '../../../src/lib/xml/element.js';

const NS = 'urn:ietf:params:xml:ns:xmpp-streams';
const error = (...children: ReturnType<typeof xml>[]) =>
  xml('error', { xmlns: 'http://etherx.jabber.org/streams' }, ...children);

test('the condition is found by namespace, wherever it stands', () => {
  const read = streamErrorFrom(
    error(
      xml('escape-your-data', { xmlns: 'http://example.org/ns' }),
      xml('text', { xmlns: NS }, ' Too big '),
      xml('policy-violation', { xmlns: NS }),
    ),
  );
  expect(read).toMatchObject({ condition: 'policy-violation', text: 'Too big', name: 'StreamError' });
  expect(read.details).toMatchObject({ application: { name: 'escape-your-data' } });
});

test('an empty stream error is still one', () => {
  expect(streamErrorFrom(error())).toMatchObject({ condition: 'undefined-condition', text: undefined });
});

test('see-other-host names the host', () => {
  const read = streamErrorFrom(error(xml('see-other-host', { xmlns: NS }, '[2001:db8::2]:9222')));
  expect(otherHostOf(read)).toBe('[2001:db8::2]:9222');
  expect(otherHostOf(streamErrorFrom(error(xml('reset', { xmlns: NS }, 'x'))))).toBeUndefined();
  expect(otherHostOf(new Error('other'))).toBeUndefined();
});
