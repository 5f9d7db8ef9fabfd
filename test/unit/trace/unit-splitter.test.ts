import { describe, expect, it } from 'vitest';
import { UnitSplitter, type Unit } from '../../../src/lib/trace/unit-splitter.js';

const header =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

/** Pieces → units as `[kind, text]`; pieces of stray text and space are joined, because they are handed out at once. */
function split(...pieces: string[]): [string, string][] {
  const units: [string, string][] = [];
  const splitter = new UnitSplitter(3, 'in', ({ kind, text }) => {
    const last = units.at(-1);
    if ((kind === 'space' || kind === 'other') && last?.[0] === kind) last[1] += text;
    else units.push([kind, text]);
  });
  pieces.forEach((piece, index) => {
    splitter.push(piece, index + 1, index);
  });
  splitter.end();
  return units;
}

describe('UnitSplitter', () => {
  const stream: [string, string][] = [
    ['header', header],
    ['element', "<stream:features><a x='>' y=\"/>'\"/><b/></stream:features>"],
    ['element', "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"],
    ['header', header],
    ['element', '<message><body>a &lt; b<!-- <x> --><![CDATA[ </body> ]]><?pi <y> ?></body></message>'],
    ['space', ' \n'],
    ['element', "<iq id='1' />"],
    ['element', '<a><a><a/></a></a>'],
    ['footer', '</stream:stream>'],
  ];
  const text = stream.map(([, part]) => part).join('');

  it('cuts a stream into headers, elements and the end', () => {
    expect(split(text)).toEqual(stream);
  });

  it('finds the same wherever the packets are cut', () => {
    for (let cut = 0; cut <= text.length; cut += 1) {
      expect(split(text.slice(0, cut), text.slice(cut))).toEqual(stream);
    }
    expect(split(...text.split(''))).toEqual(stream);
  });

  it('works on WebSocket, where nothing is around the stanzas', () => {
    expect(split("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/><iq><x/></iq>", '<message/>')).toEqual([
      ['element', "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"],
      ['element', '<iq><x/></iq>'],
      ['element', '<message/>'],
    ]);
  });

  it('hands out what is not XMPP, and what never ended', () => {
    expect(split('HTTP/1.1 400 Bad Request\r\n', '\r\n')).toEqual([
      ['other', 'HTTP/1.1 400 Bad Request\r\n'],
      ['space', '\r\n'],
    ]);
    expect(split(header, '<message><body>half')).toEqual([
      ['header', header],
      ['incomplete', '<message><body>half'],
    ]);
  });

  it('survives end tags that end nothing and tags that do not end', () => {
    expect(split('</a></b><iq/>')).toEqual([
      ['footer', '</a>'],
      ['footer', '</b>'],
      ['element', '<iq/>'],
    ]);
    expect(split(header, '<a <b/>').map(([kind]) => kind)).toEqual(['header', 'element']);
  });

  it('says in which record and when a unit began and ended', () => {
    const units: Unit[] = [];
    const splitter = new UnitSplitter(3, 'in', (unit) => units.push(unit));
    splitter.push('<a>', 7, 1.5);
    splitter.push('</a><b', 9, 2.5);
    splitter.push('/>', 12, 4);
    expect(units).toEqual([
      { conn: 3, dir: 'in', kind: 'element', text: '<a></a>', n: 7, startedAt: 1.5, endedAt: 2.5 },
      { conn: 3, dir: 'in', kind: 'element', text: '<b/>', n: 9, startedAt: 2.5, endedAt: 4 },
    ]);
  });
});
