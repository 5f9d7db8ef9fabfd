/** What a replay is made of: recordings read, addresses and names replaced, elements written, counters kept. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/lib/errors.js';
import { Acknowledger } from '../../../src/lib/trace-replay/acknowledger.js';
import { makeAddressMap, parseAddressPair } from '../../../src/lib/trace-replay/addresses.js';
import { ConversationLoader, type Conversation } from '../../../src/lib/trace-replay/conversation.js';
import { isRenaming, LearntValues } from '../../../src/lib/trace-replay/learnt-values.js';
import { boundFeatures } from '../../../src/lib/trace-replay/serving/features.js';
import { writeElement } from '../../../src/lib/trace-replay/write-element.js';
import { parseTraceElement, type TraceElement } from '../../../src/lib/trace/trace-element.js';
import { login, managed, nest, recordTrace, type Line } from '../../support/recorded-trace.js';

function element(text: string): TraceElement {
  const found = parseTraceElement(text);
  if (!found) throw new Error(`no element: ${text}`);
  return found;
}

function load(...connections: readonly (readonly Line[])[]): Conversation[] {
  const loader = new ConversationLoader();
  loader.push(recordTrace(...connections));
  return loader.end();
}

describe('a recording', () => {
  it('begins behind the login', () => {
    const [conversation] = load([
      ...managed,
      "→<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
      "←<iq type='result' id='s'/>",
      '→<presence/>',
      '←<presence/><message>[redacted]</message>',
    ]);
    expect(conversation).toMatchObject({
      kind: 'client',
      jid: 'alice@example.org/desk',
      domain: 'example.org',
      isBound: true,
    });
    expect(
      conversation?.lines.map(({ dir, element: { name }, hasSecret }) => [dir, name, hasSecret]),
    ).toEqual([
      ['out', 'enable', false],
      ['in', 'enabled', false],
      ['out', 'presence', false],
      ['in', 'presence', false],
      ['in', 'message', true],
    ]);
  });

  it('ties replies to requests that came in one packet', () => {
    const [conversation] = load([
      ...login,
      "→<iq type='get' id='1'><a xmlns='a'/></iq><iq type='get' id='2'><a xmlns='a'/></iq>",
      "←<iq type='result' id='2'/><iq type='result' id='1'/>",
    ]);
    expect(conversation?.lines.map(({ replyTo }) => replyTo)).toEqual([undefined, undefined, 1, 0]);
  });

  it('leaves out what is cut off or nested to hurt', () => {
    const [conversation] = load([...login, `→${nest(500)}`, '→<message><body>half']);
    expect(conversation?.lines).toEqual([]);
    expect(conversation?.broken).toEqual([10, 11]);
  });

  it('knows a component by its domain', () => {
    const [conversation] = load([
      "→<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='echo.example.org'>",
      "←<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>",
      '→<handshake>[redacted]</handshake>',
      '←<handshake/>',
      "←<message from='a@example.org' to='echo.example.org'/>",
    ]);
    expect(conversation).toMatchObject({
      kind: 'component',
      jid: 'echo.example.org',
      domain: 'echo.example.org',
    });
    expect(conversation?.lines).toHaveLength(1);
  });
});

describe('addresses', () => {
  const map = makeAddressMap(
    { jid: 'alice@old.example/desk', domain: 'old.example' },
    { jid: 'carol@new.example/x', domain: 'new.example' },
    [
      parseAddressPair('bob@old.example=dave@third.example'),
      parseAddressPair('rooms.old.example=muc.new.example'),
    ],
  );
  it.each([
    ['alice@old.example/desk', 'carol@new.example/x'],
    ['alice@old.example/phone', 'carol@new.example/phone'],
    ['ALICE@old.example', 'carol@new.example'],
    ['malice@old.example', 'malice@new.example'],
    ['bob@old.example/a', 'dave@third.example/a'],
    ['room@rooms.old.example/nick', 'room@muc.new.example/nick'],
    ['upload.old.example', 'upload.new.example'],
    ['not-old.example', 'not-old.example'],
    ['old.example.org', 'old.example.org'],
    ['https://old.example:5280/x', 'https://new.example:5280/x'],
  ])('%s becomes %s', (before, after) => expect(map(before)).toBe(after));

  it('are given in pairs', () => {
    for (const text of ['a', 'a=', '=b', 'a=b=c', 'a b=c'])
      expect(() => parseAddressPair(text)).toThrow(UsageError);
  });
});

describe('names that the other side gives', () => {
  it('are learnt where they are ids and tokens, and nowhere else', () => {
    const learnt = new LearntValues();
    learnt.learn(
      element(
        "<iq type='result' id='r1' from='a@b/one'><x ver='token-1234' n='plain'>Hello 12345678 you</x><y>abcdef123456</y></iq>",
      ),
      element(
        "<iq type='error' id='l1' from='a@b/two'><x ver='token-9999' n='other'>Hello 9 you</x><y>fedcba654321</y></iq>",
      ),
    );
    expect(['r1', 'a@b/one', 'token-1234', 'abcdef123456'].map((value) => learnt.get(value))).toEqual([
      'l1',
      'a@b/two',
      'token-9999',
      'fedcba654321',
    ]);
    for (const value of ['result', 'plain', 'Hello 12345678 you']) expect(learnt.get(value)).toBeUndefined();
  });

  it('are no difference in addresses of uploads', () => {
    const url = (part: string): string => `https://upload.example/${part}/picture.png`;
    expect(isRenaming(url('0123456789abcdef01'), url('fedcba9876543210ff'))).toBe(true);
    expect(
      isRenaming(url('0123456789abcdef01'), 'https://other.example/fedcba9876543210ff/picture.png'),
    ).toBe(false);
    expect(isRenaming('one', 'two')).toBe(false);
  });
});

describe('an element', () => {
  it('is written with its namespaces, whatever the prefixes were', () => {
    expect(
      writeElement(
        element(
          "<a:message xmlns:a='jabber:client' a:b='1' c:d='2' xml:lang='en'>x &amp; <b:y xmlns:b='urn:y'><z/></b:y></a:message>",
        ),
        'jabber:client',
      ),
    ).toBe(
      '<message xmlns:a="jabber:client" a:b="1" xml:lang="en">x &amp; <y xmlns="urn:y" xmlns:b="urn:y"><z xmlns="jabber:client"/></y></message>',
    );
  });

  it('reads back as it was written', () => {
    const tree = fc.letrec<{ node: TraceElement }>((tie) => ({
      node: fc.record({
        name: fc.stringMatching(/^[a-z]{1,5}$/),
        namespace: fc.constantFrom('jabber:client', 'urn:a', 'urn:b'),
        attributes: fc.dictionary(fc.stringMatching(/^[a-w]{1,3}$/), fc.string(), {
          maxKeys: 3,
          noNullPrototype: true,
        }),
        children: fc.oneof(
          { maxDepth: 3 },
          fc.constant<TraceElement[]>([]),
          fc.array(tie('node'), { maxLength: 3 }),
        ),
      }),
    })).node;
    const plain = ({ name, namespace, attributes, children }: TraceElement): unknown => [
      name,
      namespace,
      Object.entries(attributes).filter(([key]) => key !== 'xmlns'),
      children.map((child) => (typeof child === 'string' ? child : plain(child))),
    ];
    fc.assert(
      fc.property(tree, (made) => {
        expect(plain(element(writeElement(made, 'jabber:client')))).toEqual(plain(made));
      }),
      { numRuns: 200 },
    );
  });
});

describe('acknowledgements', () => {
  const stanza = element('<message/>');
  const ask = element("<r xmlns='urn:xmpp:sm:3'/>");
  it('count what came since the other side began', () => {
    const client = new Acknowledger('client');
    expect(client.receive(stanza)).toBeUndefined();
    expect(client.receive(ask)).toEqual({ answer: undefined });
    expect(client.receive(element("<enabled xmlns='urn:xmpp:sm:3'/>"))).toBeUndefined();
    client.receive(stanza);
    expect(client.receive(ask)).toEqual({ answer: '<a xmlns="urn:xmpp:sm:3" h="1"/>' });
    expect(client.receive(element("<a xmlns='urn:xmpp:sm:3' h='9'/>"))).toEqual({ answer: undefined });
  });
});

describe('what a client is offered', () => {
  it('is what was recorded, without what belongs to logging in', () => {
    const features = element(
      "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><sm xmlns='urn:xmpp:sm:3'/><ver xmlns='urn:xmpp:features:rosterver'/></stream:features>",
    );
    expect(boundFeatures(features, { isBound: false })).toBe(
      '<stream:features xmlns:stream="http://etherx.jabber.org/streams"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/><session xmlns="urn:ietf:params:xml:ns:xmpp-session"><optional/></session><sm xmlns="urn:xmpp:sm:3"/><ver xmlns="urn:xmpp:features:rosterver"/></stream:features>',
    );
  });
});
