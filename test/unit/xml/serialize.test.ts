import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/lib/errors.js';
import { xml, type Element } from '../../../src/lib/xml/element.js';
import { serialize } from '../../../src/lib/xml/serialize.js';
import { StreamParser } from '../../../src/lib/xml/stream-parser.js';

function readBack(text: string): Element | undefined {
  const parser = new StreamParser({ framing: 'websocket' });
  let element: Element | undefined;
  parser.on('element', (read) => (element = read));
  parser.write(text);
  return element;
}

describe('serialize', () => {
  it('writes elements, attributes and text', () => {
    const element = xml('message', { to: 'a@b', count: 3 }, xml('body', {}, 'a < b & c'), xml('active'));
    expect(serialize(element)).toBe(
      '<message to="a@b" count="3"><body>a &lt; b &amp; c</body><active/></message>',
    );
  });

  it('leaves out what is undefined', () => {
    const element = xml('a');
    Object.assign(element.attrs, { b: undefined, c: null });
    expect(serialize(element)).toBe('<a/>');
  });

  it.each(['\u0000', '\u0007', '\u001b', '\u000b', '\ufffe', '\uffff', '\ud83d', 'x\ude00y'])(
    'refuses %j in text and in attributes',
    (text) => {
      expect(() => serialize(xml('body', {}, text))).toThrow(UsageError);
      expect(() => serialize(xml('body', { a: text }))).toThrow(UsageError);
    },
  );

  it('names the character and the place', () => {
    expect(() => serialize(xml('message', {}, xml('body', {}, 'a\u001b[31m')))).toThrow(
      '<body/> contains U+001B, which XML cannot carry',
    );
  });

  it.each(['', '1a', 'a b', 'a:b:c', ':a', 'a>', '-a', 'a\u00d7'])('refuses the name %j', (name) => {
    expect(() => serialize(xml(name))).toThrow(UsageError);
    if (name !== '') expect(() => serialize(xml('a', { [name]: '' }))).toThrow(UsageError);
  });

  it('is read back as it was', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 1 }),
        fc.constantFrom('\t', '\n', '\r', '&', '<', '>', '"'),
      ),
    });
    fc.assert(
      fc.property(text, text, (content, value) => {
        const read = readBack(serialize(xml('body', { xmlns: 'urn:x', a: value }, content)));
        expect(read?.getText()).toBe(content);
        expect(read?.attrs['a']).toBe(value);
      }),
    );
  });
});
