import { describe, expect, test } from 'vitest';
import { ConnectionLostError, StanzaError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { IqRequests, isFromAddressee } from '../../../src/lib/session/iq-requests.js';
import { xml } from '../../../src/lib/xml/element.js';

const own = JID.parse('alice@example.org/laptop');

describe('the sender of a reply', () => {
  test.each([
    // A request to our own account: RFC 6120 §8.1.2.1.
    [undefined, undefined, true],
    [undefined, 'alice@example.org', true],
    [undefined, 'ALICE@Example.ORG', true],
    [undefined, 'alice@example.org/laptop', true],
    [undefined, 'example.org', true],
    [undefined, 'alice@example.org/phone', false],
    [undefined, 'mallory@example.org', false],
    [undefined, 'example.net', false],
    ['alice@example.org', undefined, true],
    ['alice@example.org', 'example.org', true],
    ['alice@example.org', 'bob@example.org', false],
    // Our own server.
    ['example.org', 'example.org', true],
    ['example.org', undefined, true],
    ['example.org', 'alice@example.org', false],
    ['example.org', 'evil.example.org', false],
    // Everybody else, exactly.
    ['bank@example.net', 'bank@example.net', true],
    ['bank@example.net', 'Bank@EXAMPLE.net', true],
    ['bank@example.net', 'bank@example.net/desk', false],
    ['bank@example.net/desk', 'bank@example.net', false],
    ['bank@example.net', 'evil@example.net', false],
    ['bank@example.net', 'example.net', false],
    ['bank@example.net', 'example.org', false],
    ['bank@example.net', undefined, false],
    ['alice@example.org/laptop', undefined, true],
    // An address that servers accept and RFC 7622 does not: a symbol in the localpart.
    ['heart\u2665@example.net', 'heart\u2665@example.net', true],
    ['heart\u2665@EXAMPLE.net', 'heart\u2665@example.net', true],
    ['heart\u2665@example.net', 'heart\u2764@example.net', false],
    // What is no address at all.
    [undefined, '@@@', false],
    ['bank@example.net', '', false],
    ['bank@example.net', '\u0000@/', false],
  ])('to %s, from %s: %s', (to, from, isAccepted) => {
    expect(isFromAddressee(to, from, own)).toBe(isAccepted);
  });
});

describe('requests that wait', () => {
  const reply = (attributes: Record<string, string | undefined>) =>
    xml('iq', { type: 'result', ...attributes });

  test('have ids that nobody can guess', () => {
    const requests = new IqRequests();
    const ids = Array.from({ length: 100 }, () => requests.expect(undefined).id);
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('ignore a stranger who knows the id, and take the right answer afterwards', async () => {
    const requests = new IqRequests();
    const { id, reply: answer } = requests.expect('bank@example.net');
    expect(requests.deliver(reply({ id, from: 'evil@example.net' }), own)).toBe(false);
    const right = reply({ id, from: 'bank@example.net' });
    expect(requests.deliver(right, own)).toBe(true);
    expect(await answer).toBe(right);
    expect(requests.deliver(right, own)).toBe(false);
  });

  test('ignore what has no id or an unknown one', () => {
    const requests = new IqRequests();
    requests.expect(undefined);
    expect(requests.deliver(reply({}), own)).toBe(false);
    expect(requests.deliver(reply({ id: 'other' }), own)).toBe(false);
  });

  test('read the error by namespace: ejabberd puts the application element first', async () => {
    const requests = new IqRequests();
    const { id, reply: answer } = requests.expect(undefined);
    const error = xml(
      'error',
      { type: 'modify' },
      xml('invalid-payload', { xmlns: 'http://jabber.org/protocol/pubsub#errors' }),
      xml('bad-request', { xmlns: 'urn:ietf:params:xml:ns:xmpp-stanzas' }),
    );
    requests.deliver(xml('iq', { type: 'error', id }, error), own);
    await expect(answer).rejects.toMatchObject({
      condition: 'bad-request',
      application: { name: 'invalid-payload' },
    });
  });

  test('end in an error also where the reply carries none', async () => {
    const requests = new IqRequests();
    const { id, reply: answer } = requests.expect(undefined);
    requests.deliver(xml('iq', { type: 'error', id }), own);
    await expect(answer).rejects.toThrow(StanzaError);
  });

  test('fail when the stream is lost', async () => {
    const requests = new IqRequests();
    const { reply: answer } = requests.expect(undefined);
    requests.rejectAll(new ConnectionLostError('gone'));
    await expect(answer).rejects.toThrow('gone');
    expect(requests.size).toBe(0);
  });
});
