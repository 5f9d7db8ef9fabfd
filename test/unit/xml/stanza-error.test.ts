import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/lib/errors.js';
import { xml, type Element } from '../../../src/lib/xml/element.js';
import { NS_STANZA_ERRORS, stanzaErrorElement, stanzaErrorFrom } from '../../../src/lib/xml/stanza-error.js';

const stanza = (...children: Element[]) =>
  xml(
    'iq',
    { xmlns: 'jabber:client', type: 'error', from: 'pubsub.a.test', id: '1' },
    xml('error', { type: 'modify' }, ...children),
  );
const condition = (name: string, text?: string) => xml(name, { xmlns: NS_STANZA_ERRORS }, text);

describe('stanzaErrorFrom', () => {
  it('finds the condition when the application element comes first, as ejabberd sends it', () => {
    const error = stanzaErrorFrom(
      stanza(
        xml('invalid-payload', { xmlns: 'http://jabber.org/protocol/pubsub#errors' }),
        condition('bad-request'),
        condition('text', ' Not an item '),
      ),
    );
    expect(error).toMatchObject({
      condition: 'bad-request',
      type: 'modify',
      text: 'Not an item',
      application: { name: 'invalid-payload', namespace: 'http://jabber.org/protocol/pubsub#errors' },
      from: 'pubsub.a.test',
      exitCode: ExitCode.remote,
      message: 'pubsub.a.test answered bad-request (invalid-payload): Not an item',
    });
  });

  it('finds the same when the condition comes first', () => {
    const error = stanzaErrorFrom(
      stanza(condition('bad-request'), xml('invalid-payload', { xmlns: 'urn:app' })),
    );
    expect(error).toMatchObject({
      condition: 'bad-request',
      application: { name: 'invalid-payload', namespace: 'urn:app' },
    });
  });

  it('takes a reply without <error/> for an undefined condition', () => {
    expect(stanzaErrorFrom(xml('iq', { type: 'error', id: '1' }))).toMatchObject({
      condition: 'undefined-condition',
      type: undefined,
      from: undefined,
      message: 'the server answered undefined-condition',
    });
  });

  it('ignores a type that does not exist', () => {
    expect(stanzaErrorFrom(xml('error', { type: 'fatal' }, condition('conflict')))).toMatchObject({
      condition: 'conflict',
      type: undefined,
    });
  });

  it('says what to look at next where only the condition came back', () => {
    expect(stanzaErrorFrom(stanza(condition('remote-server-not-found'))).hint).toBe('check the domain');
    expect(stanzaErrorFrom(stanza(condition('conflict'))).hint).toBeUndefined();
    expect(stanzaErrorFrom(stanza(condition('forbidden')), { hint: 'be invited' }).hint).toBe('be invited');
  });

  it('keeps the address that <gone/> names', () => {
    const error = stanzaErrorFrom(stanza(condition('gone', 'xmpp:new@a.test')));
    expect(error.details).toMatchObject({ alternative: 'xmpp:new@a.test' });
    expect(error.hint).toContain('xmpp:new@a.test');
  });
});

describe('stanzaErrorElement', () => {
  it('reads back as what was written', () => {
    const element = stanzaErrorElement({
      condition: 'not-acceptable',
      text: 'too small',
      application: xml('field', { xmlns: 'urn:app' }),
    });
    expect(stanzaErrorFrom(element)).toMatchObject({
      condition: 'not-acceptable',
      type: 'modify',
      text: 'too small',
      application: { name: 'field', namespace: 'urn:app' },
    });
  });
});
