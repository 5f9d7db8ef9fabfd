import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/lib/errors.js';
import { parseSelector } from '../../../src/lib/trace/selector.js';
import { parseTraceElement } from '../../../src/lib/trace/trace-element.js';

const message = parseTraceElement(
  `<message type='chat' to='alice@example.org' from='bob@b'><body>hello &amp; "bye"</body>` +
    `<x xmlns='a'><y><z xml:lang='de'/></y></x><q:ping xmlns:q='urn:xmpp:ping'/></message>`,
);

function selects(selector: string): boolean {
  if (!message) throw new Error('no element');
  return parseSelector(selector)(message);
}

describe('parseSelector', () => {
  it.each([
    'message',
    'body',
    '*',
    'message > body',
    'message body',
    'message>body',
    'message z',
    'x > y > z',
    'message x z',
    '{jabber:client}message',
    '{a}x',
    '{a}*',
    '{a}',
    '{urn:xmpp:ping}ping',
    'message {urn:xmpp:ping}ping',
    'message[type]',
    'message[type=chat]',
    "message[type = 'chat']",
    'message[type="chat"][to^=alice][to$=.org][to*=@]',
    'message[id!=1]',
    '[type=chat]',
    'message [xml:lang=de]',
    'body[.]',
    'body[.*=hello]',
    `body[.='hello & "bye"']`,
    'iq, message',
    'iq,presence , body',
  ])('selects with %s', (selector) => {
    expect(selects(selector)).toBe(true);
  });

  it.each([
    'iq',
    'message > z',
    'x > z',
    'body > message',
    'y x',
    '{b}x',
    '{jabber:client}x',
    'message[id]',
    'message[type=groupchat]',
    'message[type!=chat]',
    'message[to^=bob]',
    'x[.]',
    'body[.=hello]',
    'iq, presence',
  ])('does not select with %s', (selector) => {
    expect(selects(selector)).toBe(false);
  });

  it.each([
    ['', 1, 'expected an element'],
    ['message >', 10, 'expected an element'],
    ['message,', 9, 'expected an element'],
    ['> body', 1, 'expected an element'],
    ['message[', 9, 'expected an attribute name'],
    ['message[type', 13, 'expected `]`'],
    ['message[type=]', 14, 'expected a value'],
    ["message[type='chat]", 14, 'expected a value'],
    ['message[type=chat', 18, 'expected `]`'],
    ['message)', 8, 'expected an element'],
    ['{a', 1, 'expected an element'],
    ['message[type~=chat]', 13, 'expected `]`'],
  ])('says what is wrong with `%s`', (selector, at, what) => {
    expect(() => parseSelector(selector)).toThrow(UsageError);
    expect(() => parseSelector(selector)).toThrow(`(at character ${at}: ${what}`);
  });
});

describe('a selector, of elements that are nested to hurt', () => {
  const deep = parseTraceElement(`<message>${'<a>'.repeat(100_000)}<b>x</b>`);

  it.each(['b', 'a b', 'message a a > b', '{jabber:client}b', 'b[.=x]'])('finds %s', (selector) => {
    expect(deep && parseSelector(selector)(deep)).toBe(true);
  });

  it.each(['c', 'a > message', 'message > b', 'b a', 'a a a a a a c'])('does not find %s', (selector) => {
    expect(deep && parseSelector(selector)(deep)).toBe(false);
  });
});
