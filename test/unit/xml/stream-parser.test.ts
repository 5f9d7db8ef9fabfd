import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../../src/lib/errors.js';
import type { Element } from '../../../src/lib/xml/element.js';
import { StreamParser, type StreamParserOptions } from '../../../src/lib/xml/stream-parser.js';

const NS_STREAM = 'http://etherx.jabber.org/streams';
const NS_FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing';
const HEADER = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='${NS_STREAM}' id='s1' version='1.0'>`;

interface Outcome {
  starts: Element[];
  elements: Element[];
  ends: number;
  errors: Error[];
}

function listen(parser: StreamParser): Outcome {
  const outcome: Outcome = { starts: [], elements: [], ends: 0, errors: [] };
  parser.on('start', (element) => outcome.starts.push(element));
  parser.on('element', (element) => outcome.elements.push(element));
  parser.on('end', () => (outcome.ends += 1));
  parser.on('error', (error) => outcome.errors.push(error));
  return outcome;
}

function parse(pieces: readonly (string | Uint8Array)[], options: StreamParserOptions = {}): Outcome {
  const parser = new StreamParser(options);
  const outcome = listen(parser);
  for (const piece of pieces) parser.write(piece);
  return outcome;
}

/** The stanzas inside a stream, as text. */
function stanzas(...pieces: (string | Uint8Array)[]): string[] {
  const { elements, errors } = parse([HEADER, ...pieces]);
  expect(errors).toEqual([]);
  return elements.map(String);
}

function condition(error: Error | undefined): unknown {
  expect(error).toBeInstanceOf(ProtocolError);
  return error instanceof ProtocolError ? error.details['condition'] : undefined;
}

describe('StreamParser', () => {
  it('reads the header, stanzas and the end', () => {
    const { starts, elements, ends, errors } = parse([
      `${HEADER}<message id='1'><body>hi</body></message><presence/></stream:stream>`,
    ]);
    expect(starts.map(({ attrs }) => attrs['id'] as string)).toEqual(['s1']);
    expect(starts[0]?.is('stream', NS_STREAM)).toBe(true);
    expect(elements.map(({ name }) => name)).toEqual(['message', 'presence']);
    expect(elements[0]?.getChildText('body', 'jabber:client')).toBe('hi');
    expect(ends).toBe(1);
    expect(errors).toEqual([]);
  });

  it('decodes characters split at every byte', () => {
    const bytes = Buffer.from(`${HEADER}<message to='ü'><body>aé€😀</body></message>`);
    for (let cut = 1; cut < bytes.length; cut++) {
      const { elements, errors } = parse([bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(errors).toEqual([]);
      expect(elements.map(String)).toEqual([
        '<message to="ü" xmlns="jabber:client"><body>aé€😀</body></message>',
      ]);
    }
  });

  it('reads a byte at a time', () => {
    const text =
      `${HEADER}\n<message a="&lt;'&#x1F600;" b='"&gt;"' >x&amp;y ]] <![CDATA[<z>]]]]>\r\nend</message >` +
      `<iq type='result'/></stream:stream>`;
    const whole = parse([text]);
    const { elements, ends, errors } = parse([...Buffer.from(text)].map((byte) => Uint8Array.of(byte)));
    expect(errors).toEqual([]);
    expect(ends).toBe(1);
    expect(elements.map(String)).toEqual(whole.elements.map(String));
    expect(elements[0]?.getText()).toBe('x&y ]] <z>]]\nend');
    expect(elements[0]?.attrs).toMatchObject({ a: "<'😀", b: '">"' });
  });

  it('refuses bytes that are not UTF-8, also when they come in pieces', () => {
    const head = Buffer.from(`${HEADER}<message><body>`);
    for (const bad of [
      [0xff],
      [0xc3, 0x28],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0x80],
    ]) {
      expect(condition(parse([head, Uint8Array.from(bad), '</body></message>']).errors[0])).toBe(
        'not-well-formed',
      );
      const single = bad.map((byte) => Uint8Array.of(byte));
      expect(parse([head, ...single, '</body></message>']).errors).toHaveLength(1);
    }
  });

  it('normalises prefixes, whatever the server calls its namespaces', () => {
    expect(stanzas('<stream:features><x:bind xmlns:x="urn:b"/></stream:features>')).toEqual([
      `<features xmlns="${NS_STREAM}"><bind xmlns:x="urn:b" xmlns="urn:b"/></features>`,
    ]);
    const { elements } = parse([HEADER, "<n:message xmlns:n='jabber:client'><n:body>x</n:body></n:message>"]);
    expect(elements[0]?.is('message', 'jabber:client')).toBe(true);
    expect(elements[0]?.getChildText('body', 'jabber:client')).toBe('x');
  });

  it('keeps the namespace of children whose parent lost its prefix', () => {
    const { elements } = parse([
      HEADER,
      `<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><a/></stream:error>`,
    ]);
    expect(elements[0]?.getNS()).toBe(NS_STREAM);
    expect(elements[0]?.getChild('a', 'jabber:client')).toBeDefined();
    // The default namespace that a prefixed element declares is for its children only.
    const inner = parse([HEADER, "<stream:x xmlns='urn:inner'><y/></stream:x>"]).elements[0];
    expect(inner?.is('x', NS_STREAM)).toBe(true);
    expect(inner?.getChild('y', 'urn:inner')).toBeDefined();
  });

  it('declares a prefix of an attribute where the stream header did', () => {
    const header = HEADER.replace(' id=', " xmlns:e='urn:e' id=");
    expect(parse([header, "<message e:a='1' xml:lang='de'/>"]).elements.map(String)).toEqual([
      '<message e:a="1" xml:lang="de" xmlns:e="urn:e" xmlns="jabber:client"/>',
    ]);
  });

  it.each([
    ['an undeclared prefix', '<x:message/>'],
    ['an undeclared prefix of an attribute', "<message x:a='1'/>"],
    ['a prefix out of scope', "<message><a xmlns:x='urn:x'/><x:b/></message>"],
    ['a prefix that is undeclared again', "<message xmlns:x=''/>"],
    ['xml bound to something else', "<message xmlns:xml='urn:x'/>"],
    ['something else bound to xml', "<message xmlns:x='http://www.w3.org/XML/1998/namespace'/>"],
    ['xmlns as a prefix', "<message xmlns:xmlns='urn:x'/>"],
    ['one attribute by two prefixes', "<message xmlns:x='urn:x' xmlns:y='urn:x' x:a='1' y:a='2'/>"],
    ['two colons', "<a:b:c xmlns:a='urn:a'/>"],
    ['an attribute twice', "<message a='1' a='2'/>"],
    ['a stray end tag', '</message>'],
    ['the wrong end tag', '<message><body></message></body>'],
    ['an end tag of the stream inside a stanza', '<message></stream:stream>'],
    ['text between stanzas', '<message/>hello<message/>'],
    ['an unquoted value', '<message a=1/>'],
    ['an attribute without value', '<message a/>'],
    ['no space between attributes', "<message a='1'b='2'/>"],
    ['a < in a value', "<message a='<'/>"],
    ['a name that is none', '<1a/>'],
    ['an empty tag', '<>'],
    ['a space before the name', '< message/>'],
    ['a slash in the middle', '<message / >'],
    [']]> in text', '<message>]]></message>'],
    ['a control character', '<message>\u0007</message>'],
    ['a control character by number', '<message>&#7;</message>'],
    ['half a surrogate pair by number', '<message>&#xD83D;</message>'],
    ['an ampersand', '<message>a & b</message>'],
    ['an ampersand without end', `<message>&${'a'.repeat(40)}`],
    ['a broken number', '<message>&#x;</message>'],
    ['something else behind <!', '<!ELEMENT a>'],
  ])('refuses %s', (_, text) => {
    const { elements, errors } = parse([HEADER, `${text}<presence/>`, '<presence/>']);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(ProtocolError);
    expect(elements.filter(({ name }) => name === 'presence')).toEqual([]);
  });

  it.each([
    ['a DTD', '<!DOCTYPE x [<!ENTITY a "aa">]>'],
    ['a comment', '<!-- x -->'],
    ['a comment that begins', '<!--'],
    ['a processing instruction', '<?php x ?>'],
    ['a second XML declaration', "<?xml version='1.0'?>"],
    ['an entity', '<message>&a;</message>'],
    ['an entity named like a property', '<message>&constructor;</message>'],
  ])('refuses %s, which XMPP restricts', (_, text) => {
    expect(condition(parse([HEADER, text]).errors[0])).toBe('restricted-xml');
    if (text.startsWith('<!')) expect(condition(parse([text]).errors[0])).toBe('restricted-xml');
  });

  it('refuses an encoding that is not UTF-8', () => {
    expect(condition(parse(["<?xml version='1.0' encoding='UTF-16'?>"]).errors[0])).toBe(
      'unsupported-encoding',
    );
    expect(parse([HEADER.replace('?>', " encoding='utf-8'?>")]).starts).toHaveLength(1);
  });

  it('says what answered instead of an XMPP stream', () => {
    expect(parse(['HTTP/1.1 400 Bad Request\r\n\r\n<html>']).errors[0]?.message).toContain('HTTP/1.1 400');
    expect(parse(['<html><body>']).errors[0]?.message).toContain('<html>');
  });

  it('ends a stanza of 10 MB in an error', () => {
    const parser = new StreamParser();
    const outcome = listen(parser);
    parser.write(`${HEADER}<message><body>`);
    const piece = Buffer.alloc(65_536, 'a');
    for (let sent = 0; sent < 10_000_000; sent += piece.length) parser.write(piece);
    parser.write('</body></message>');
    expect(condition(outcome.errors[0])).toBe('policy-violation');
    expect(outcome.errors).toHaveLength(1);
    expect(outcome.elements).toEqual([]);
  });

  it('bounds a stanza that comes in one write, a tag, and a header', () => {
    const big = 'a'.repeat(300_000);
    const limits = { maxStanzaBytes: 200_000 };
    expect(condition(parse([HEADER, `<message>${big}</message>`], limits).errors[0])).toBe(
      'policy-violation',
    );
    expect(condition(parse([HEADER, `<message a='${big}`], limits).errors[0])).toBe('policy-violation');
    expect(condition(parse([`<stream:stream a='${big}`], limits).errors[0])).toBe('policy-violation');
    expect(
      parse([HEADER, `<message>${big.slice(0, 190_000)}</message>`.repeat(5)], limits).elements,
    ).toHaveLength(5);
  });

  it('does not count white space between stanzas', () => {
    const limits = { maxStanzaBytes: 100 };
    const { elements, errors } = parse([HEADER.slice(0, 98), HEADER.slice(98)], limits);
    expect(errors).toHaveLength(0);
    expect(elements).toEqual([]);
    const spaces = Array.from({ length: 2_000 }, () => ' \n');
    expect(parse([HEADER, ...spaces, '<presence/>'], { maxStanzaBytes: 200 }).elements).toHaveLength(1);
  });

  it('bounds depth and attributes', () => {
    const nest = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth);
    expect(parse([HEADER, nest(200)]).elements).toHaveLength(1);
    expect(condition(parse([HEADER, nest(201)]).errors[0])).toBe('policy-violation');
    const attributes = Array.from({ length: 101 }, (_, index) => `a${index}=''`).join(' ');
    expect(condition(parse([HEADER, `<a ${attributes}/>`]).errors[0])).toBe('policy-violation');
  });

  it('takes linear time for a tag that comes byte by byte', () => {
    const value = '>'.repeat(100_000);
    const parser = new StreamParser();
    const { elements } = listen(parser);
    parser.write(`${HEADER}<message a='`);
    for (const byte of value) parser.write(byte);
    parser.write(`'/>`);
    expect((elements[0]?.attrs['a'] as string).length).toBe(value.length);
  });

  it('ignores what follows the end', () => {
    const { ends, errors } = parse([`${HEADER}</stream:stream>\n<junk`, '</x>']);
    expect(ends).toBe(1);
    expect(errors).toEqual([]);
  });

  it('tells whether a stream was cut in a stanza', () => {
    const cut = (text: string) => {
      const parser = new StreamParser();
      const { errors } = listen(parser);
      parser.write(HEADER + text);
      parser.end();
      return errors[0]?.message;
    };
    expect(cut('<message><bo')).toContain('in the middle of a stanza');
    expect(cut('<message/>')).toContain('without closing the stream');
    expect(cut('</stream:stream>')).toBeUndefined();
  });

  it('hands a listener’s own failure to the error event instead of throwing', () => {
    const parser = new StreamParser();
    const { errors } = listen(parser);
    parser.on('element', () => {
      throw new TypeError('a bug');
    });
    expect(() => parser.write(`${HEADER}<message/>`)).not.toThrow();
    expect(errors.map(String)).toEqual(['TypeError: a bug']);
  });

  it('does not throw when nobody listens for errors', () => {
    expect(() => new StreamParser().write('</oops>')).not.toThrow();
  });

  describe('with WebSocket framing', () => {
    const framing = 'websocket';
    const open = `<open xmlns='${NS_FRAMING}' id='w1' version='1.0'/>`;

    it('reads one element per message', () => {
      const { starts, elements, ends, errors } = parse(
        [
          open,
          "<message xmlns='jabber:client'/>",
          ` <x:features xmlns:x='${NS_STREAM}'/>\n`,
          `<close xmlns='${NS_FRAMING}'/>`,
        ],
        { framing },
      );
      expect(errors).toEqual([]);
      expect(starts.map(({ attrs }) => attrs['id'] as string)).toEqual(['w1']);
      expect(elements.map(String)).toEqual([
        '<message xmlns="jabber:client"/>',
        `<features xmlns:x="${NS_STREAM}" xmlns="${NS_STREAM}"/>`,
      ]);
      expect(ends).toBe(1);
    });

    it.each([
      ['half an element', '<message xmlns="jabber:client">'],
      ['half a tag', '<mess'],
      ['a stray end tag', '</frames>'],
      ['text', 'hello'],
      ['half a character', Uint8Array.of(0xc3)],
    ])('refuses a message with %s', (_, message) => {
      expect(parse([open, message], { framing }).errors).toHaveLength(1);
    });
  });

  describe('beside a general XML parser', () => {
    /** What saxes makes of it: text of the tree, or undefined when it refuses. */
    function oracle(text: string): string | undefined {
      let tree = '';
      try {
        const parser = new SaxesParser({ xmlns: true, forceXMLVersion: true, defaultXMLVersion: '1.0' });
        parser.on('error', (error) => {
          throw error;
        });
        parser.on('opentag', ({ uri, local, attributes }) => {
          const attrs = Object.values(attributes)
            .filter(({ name, prefix }) => name !== 'xmlns' && prefix !== 'xmlns')
            .map((attribute) => `{${attribute.uri}}${attribute.local}=${JSON.stringify(attribute.value)}`);
          tree += `<{${uri}}${local} ${attrs.sort().join(' ')}>`;
        });
        parser.on('closetag', () => (tree += '</>'));
        parser.on('text', (data) => (tree += data));
        parser.on('cdata', (data) => (tree += data));
        parser.write(text).close();
      } catch {
        return undefined;
      }
      return tree;
    }

    function ours(text: string, cuts: readonly number[]): string | undefined {
      const bytes = Buffer.from(text);
      const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((x, y) => x - y), bytes.length];
      const { elements, errors } = parse([
        `<stream:stream xmlns:stream='${NS_STREAM}'>`,
        ...edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge)),
        '</stream:stream>',
      ]);
      if (errors.length > 0 || elements.length !== 1) return undefined;
      const write = (element: Element, namespace: string): string => {
        const own = (element.attrs['xmlns'] as string | undefined) ?? namespace;
        const attrs = Object.entries(element.attrs as Record<string, string>)
          .filter(([name]) => name !== 'xmlns' && !name.startsWith('xmlns:'))
          .map(([name, value]) => {
            const [prefix, local] = name.includes(':') ? name.split(':') : ['', name];
            const uri =
              prefix === 'xml'
                ? 'http://www.w3.org/XML/1998/namespace'
                : prefix
                  ? element.findNS(prefix)
                  : '';
            return `{${uri ?? ''}}${local ?? ''}=${JSON.stringify(value)}`;
          });
        const children = element.children.map((child) =>
          typeof child === 'string' ? child : write(child, own),
        );
        return `<{${own}}${element.name} ${attrs.sort().join(' ')}>${children.join('')}</>`;
      };
      return elements[0] && write(elements[0], '');
    }

    const tokens = [
      '<a>', '</a>', '<a/>', '<p:b xmlns:p="urn:p">', '</p:b>', "<c xmlns='urn:c' d='1'>", '</c>', '<é ', "x='&lt;é'", '/>',
      '>', ' ', '\n', '\r\n', '\r', '\t', 'text', '&amp;', '&#65;', '&#x1F600;', '&bad;', '&', ']]>', ']', '<![CDATA[',
      '😀', '"', "'", '=', 'p:q="1"', "xml:lang='de'", '<', '-', ':', '1',
    ]; // prettier-ignore
    const documents = fc
      .array(fc.constantFrom(...tokens), { maxLength: 12 })
      .map((parts) => `<r xmlns='urn:r' xmlns:p='urn:q'>${parts.join('')}</r>`);
    // Half of them with balanced tags, so that not everything is refused.
    const { tree } = fc.letrec<{ tree: string; node: string }>((tie) => ({
      tree: fc.array(tie('node'), { maxLength: 4 }).map((nodes) => `<t>${nodes.join('')}</t>`),
      node: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(
          'text',
          '&lt;',
          '&#x1F600;',
          '<![CDATA[<&]]]>',
          '\r\n',
          ']]',
          "<e a='&quot;&#10; \n'/>",
          'é',
        ),
        tie('tree').map((inner) => `<p:x xmlns:p='urn:p' xmlns='urn:x' p:a='1' b="2">${inner}</p:x>`),
        tie('tree'),
      ),
    }));
    const cuts = fc.array(fc.nat(), { maxLength: 4 });

    it('accepts, refuses and understands the same', () => {
      fc.assert(
        fc.property(fc.oneof(documents, tree), cuts, (text, edges) => {
          expect(ours(text, edges)).toBe(oracle(text));
        }),
        { numRuns: 1000 },
      );
    });
  });
});
