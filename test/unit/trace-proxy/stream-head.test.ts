import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readStreamHead, speaks } from '../../../src/lib/trace-proxy/stream-head.js';
import { StanzaCutter } from '../../../src/lib/trace-proxy/stanza-cutter.js';

const header = (namespace: string, attributes = ''): string =>
  `<stream:stream xmlns='${namespace}' xmlns:stream='http://etherx.jabber.org/streams'${attributes}>`;

describe('the first bytes', () => {
  it.each([
    [Buffer.from([0x16, 3, 1]), 'tls'],
    [Buffer.from('GET /xmpp-websocket HTTP/1.1\r\n'), 'http'],
    [Buffer.from('<?xml'), 'xmpp'],
    [Buffer.from('\ufeff <stream'), 'xmpp'],
    [Buffer.from(' '), 'xmpp'],
    [Buffer.from([0xff, 0xfe, 0]), 'other'],
    [Buffer.from('EHLO example.org'), 'other'],
  ])('%j say what is spoken: %s', (bytes, spoken) => {
    expect(speaks(bytes)).toBe(spoken);
  });
});

describe('the header of a stream', () => {
  it.each([
    ['jabber:client', 'c2s'],
    ['jabber:server', 's2s'],
    ['jabber:component:accept', 'component'],
  ])('in %s is %s', (namespace, kind) => {
    const text = `<?xml version='1.0'?>\n${header(namespace, " to='example.org' from='a&amp;b' version='1.0'")}`;
    expect(readStreamHead(Buffer.from(text))).toEqual({
      kind,
      to: 'example.org',
      from: 'a&b',
      version: '1.0',
    });
  });

  it('is waited for until it is complete', () => {
    const text = header('jabber:client', " to='ex>ample'");
    for (let length = 0; length < text.length; length += 1)
      expect(readStreamHead(Buffer.from(text.slice(0, length)))).toBe('incomplete');
    expect(readStreamHead(Buffer.from(`${text}<presence/>`))).toMatchObject({ kind: 'c2s', to: 'ex>ample' });
  });

  it.each([
    ['another element', '<html><body/></html>'],
    ['text', 'hello <stream:stream>'],
    ['a namespace that is not ours', header('http://www.w3.org/1999/xhtml')],
    ['a header without an end', `<stream:stream xmlns='${'x'.repeat(20_000)}`],
  ])('is not %s', (_what, text) => {
    expect(readStreamHead(Buffer.from(text))).toBe('wrong');
  });

  it('survives anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(readStreamHead(Buffer.from(bytes))).toMatch(/^(incomplete|wrong)$/);
      }),
    );
  });
});

describe('StanzaCutter', () => {
  it('hands on every byte, wherever the packets are cut, broken ones too', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '<message><body>ä😀</body></message>',
        '<presence/>',
        ' ',
        '</stream:stream>',
        '<!-- < -->',
      ),
      fc.string({ maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.uint8Array({ maxLength: 10 }), fc.nat(40), (pieces, junk, cut) => {
        const input = Buffer.concat([
          Buffer.from(header('jabber:client') + pieces.join('')),
          Buffer.from(junk),
        ]);
        const out: Buffer[] = [];
        const cutter = new StanzaCutter('out', ({ bytes }) => out.push(bytes));
        for (let at = 0; at < input.length; at += cut + 1) cutter.push(input.subarray(at, at + cut + 1));
        cutter.end();
        expect(Buffer.concat(out)).toEqual(input);
      }),
    );
  });

  it('lets nobody act on a stanza that is too long to be kept', () => {
    const kinds: string[] = [];
    const cutter = new StanzaCutter('out', ({ kind }) => kinds.push(kind));
    cutter.push(Buffer.from(`${header('jabber:client')}<message><body>`));
    const block = Buffer.alloc(1024 * 1024, 'a');
    for (let index = 0; index < 20; index += 1) cutter.push(block);
    cutter.push(Buffer.from('</body></message><presence/>'));
    expect(kinds).toEqual(['header', 'incomplete', 'incomplete', 'element']);
  });
});
