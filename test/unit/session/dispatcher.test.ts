import { describe, expect, test } from 'vitest';
import { InterruptedError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { Dispatcher, matcherFor } from '../../../src/lib/session/dispatcher.js';
import type { StanzaFilter } from '../../../src/lib/session/session.js';
import { xml, type Element } from '../../../src/lib/xml/element.js';

const message = (attributes: Record<string, string>, ...children: Element[]) =>
  xml('message', { xmlns: 'jabber:client', ...attributes }, ...children);

describe('a filter', () => {
  const chat = message(
    { type: 'chat', from: 'Bob@example.org/x' },
    xml('received', { xmlns: 'urn:xmpp:receipts' }),
  );
  test.each<[StanzaFilter, boolean]>([
    [{}, true],
    [{ name: 'message' }, true],
    [{ name: 'presence' }, false],
    [{ type: 'chat' }, true],
    [{ type: ['normal', 'chat'] }, true],
    [{ type: 'groupchat' }, false],
    [{ child: { namespace: 'urn:xmpp:receipts' } }, true],
    [{ child: { name: 'received', namespace: 'urn:xmpp:receipts' } }, true],
    [{ child: { name: 'request', namespace: 'urn:xmpp:receipts' } }, false],
    [{ from: JID.parse('bob@example.org') }, true],
    [{ from: JID.parse('bob@example.org/x') }, true],
    [{ from: JID.parse('bob@example.org/y') }, false],
    [{ from: JID.parse('example.org') }, false],
  ])('%o: %s', (filter, isMatch) => {
    expect(matcherFor(filter)(chat)).toBe(isMatch);
  });

  test('takes a message without a type for a normal one', () => {
    expect(matcherFor({ type: 'normal' })(message({}))).toBe(true);
    expect(matcherFor({ name: 'presence', type: '' })(xml('presence'))).toBe(true);
  });

  test.each(['@', 'a@b@c', '\u0000', '//', 'x'.repeat(5000)])('does not stumble over from=%j', (from) => {
    expect(matcherFor({ from: JID.parse('bob@example.org') })(message({ from }))).toBe(false);
  });
});

describe('handlers', () => {
  test('see stanzas in order until they are disposed, even from inside a handler', () => {
    const dispatcher = new Dispatcher(() => undefined);
    const seen: string[] = [];
    const first = dispatcher.handle({}, ({ attrs }) => {
      seen.push(`first ${String(attrs['id'])}`);
      first[Symbol.dispose]();
    });
    dispatcher.handle({}, ({ attrs }) => seen.push(`second ${String(attrs['id'])}`));
    dispatcher.dispatch(message({ id: '1' }));
    dispatcher.dispatch(message({ id: '2' }));
    expect(seen).toEqual(['first 1', 'second 1', 'second 2']);
  });
});

describe('an iteration', () => {
  test('begins with the call, not with the first next', async () => {
    const dispatcher = new Dispatcher(() => undefined);
    const reader = dispatcher.read({ name: 'message' }, undefined);
    dispatcher.dispatch(message({ id: '1' }));
    dispatcher.dispatch(xml('presence'));
    dispatcher.endReaders(undefined);
    const ids: unknown[] = [];
    for await (const { attrs } of reader) ids.push(attrs['id']);
    expect(ids).toEqual(['1']);
  });

  test('ends with an InterruptedError when its signal is aborted', async () => {
    const dispatcher = new Dispatcher(() => undefined);
    const abort = new AbortController();
    const next = dispatcher.read({}, abort.signal).next();
    abort.abort();
    await expect(next).rejects.toThrow(InterruptedError);
    await expect(dispatcher.read({}, abort.signal).next()).rejects.toThrow(InterruptedError);
  });
});
