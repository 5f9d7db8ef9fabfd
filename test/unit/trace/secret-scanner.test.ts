import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exchanges, NS_SASL, SECRET, streamHeader as stream } from './secret-exchanges.js';
import { SecretScanner } from '../../../src/lib/trace/secret-scanner.js';

const sasl = `xmlns='${NS_SASL}'`;

function redact(
  text: string,
  cuts: readonly number[] = [],
): { text: string; redacted: number; marks: number } {
  const bytes = Buffer.from(text);
  const scanner = new SecretScanner();
  const pieces: Uint8Array[] = [];
  let redacted = 0;
  let marks = 0;
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    const { bytes: piece, redactions } = scanner.scan(bytes.subarray(at, cut));
    pieces.push(Buffer.from(piece));
    for (const redaction of redactions) {
      redacted += redaction.bytes;
      if (!redaction.continued) {
        marks += 1;
        expect(Buffer.from(piece).toString('latin1').slice(redaction.at)).toMatch(/^\[redacted\]/);
      }
    }
    at = cut;
  }
  pieces.push(scanner.end());
  return { text: Buffer.concat(pieces).toString(), redacted, marks };
}

/** Text with the secret in it → the same with the marker, for every way of cutting it in two and for single bytes. */
function expectRedacted(text: string, expected = text.replaceAll(SECRET, '[redacted]')): void {
  const whole = redact(text);
  expect(whole.text).toBe(expected);
  const bytes = Buffer.byteLength(text);
  expect(bytes - whole.redacted + whole.marks * '[redacted]'.length).toBe(Buffer.byteLength(expected));
  for (let cut = 0; cut <= bytes; cut += 1) expect(redact(text, [cut])).toEqual(whole);
  expect(
    redact(
      text,
      Array.from({ length: bytes }, (_, index) => index),
    ),
  ).toEqual(whole);
}

describe('SecretScanner', () => {
  it.each(Object.entries(exchanges))('redacts %s wherever it is cut', (name, text) => {
    expectRedacted(
      stream + text + '<iq/>',
      name === 'CDATA' ? `${stream}<password>[redacted]</password><iq/>` : undefined,
    );
  });

  it('hides content of every shape: CDATA, comments, instructions, children and their attributes', () => {
    expectRedacted(
      `<password>a<!-- ${SECRET} -->b<![CDATA[ ]] ${SECRET} ]]>c<?x ${SECRET}?>&#50;<c a='${SECRET}'>${SECRET}</c>d</password><x/>`,
      "<password>[redacted]<c a='[redacted]'>[redacted]</c>[redacted]</password><x/>",
    );
  });

  it('leaves everything that is not secret exactly as it was', () => {
    const text = `<?xml version='1.0'?>\n${stream} <message to="a@b" type='chat'><body>token='x' &lt;password&gt; 🎉 &#10;</body><!-- c > --><password-hint>p</password-hint><x xmlns='a'><success>s</success><response>r</response><header name='X'>h</header></x><![CDATA[<password>p</password>]]></message>\n</stream:stream>`;
    expectRedacted(text, text);
    const bytes = Buffer.from(text);
    expect(new SecretScanner().scan(bytes).bytes).toBe(bytes);
  });

  it('remembers a private field of the form for the answer in the other direction', () => {
    const shared = new Set<string>();
    new SecretScanner(shared).scan(Buffer.from("<x><field var='geheim' type='text-private'/></x>"));
    const { bytes } = new SecretScanner(shared).scan(
      Buffer.from(`<x><field var='geheim'><value>${SECRET}</value></field></x>`),
    );
    expect(Buffer.from(bytes).toString()).not.toContain(SECRET);
  });

  it('starts anew with each stream header, so that a restart changes nothing', () => {
    const success = `<success ${sasl}/>`;
    expectRedacted(
      `${stream}${success}<?xml version='1.0'?>${stream}<iq><query xmlns='jabber:iq:auth'><password>${SECRET}</password></query></iq></stream:stream>`,
    );
  });

  describe('with broken XML', () => {
    it.each([
      ['a wrong end tag', `<auth ${sasl}>x</body>${SECRET}`],
      ['a prefix nobody declared', `<q:auth>${SECRET}</q:auth>`],
      [
        'a namespace written with an escape',
        `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sas&#108;'>${SECRET}</auth>`,
      ],
      ['a field name written with an escape', `<field var='pass&#119;ord'><value>${SECRET}</value></field>`],
      ['a missing quote', `<auth ${sasl} mechanism='PLAIN>${SECRET}</auth>`],
      ['a missing quote on the namespace', `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl>${SECRET}</auth>`],
      ['an unfinished tag', `<auth ${sasl} <password>${SECRET}`],
      ['no quotes at all', `<token token=${SECRET} x='1'/>`],
      ['a secret value with a <', `<service password='<a>${SECRET}'/>`],
      ['no end', `<auth ${sasl}>${SECRET}`],
      ['an end before the start', `</a></b><password>${SECRET}</password>`],
      ['a declaration that does not end', `<!x <password>${SECRET}</password>`],
      ['a comment that is none', `<!-><password>${SECRET}</password>`],
      ['double <', `<<password>${SECRET}</password>`],
    ])('lets nothing through: %s', (_name, text) => {
      for (const cuts of [[], Array.from({ length: text.length }, (_, index) => index)]) {
        expect(redact(stream + text, cuts).text).not.toContain(SECRET);
      }
    });
  });

  it('makes the same of any heap of markup, wherever it is cut', () => {
    const scraps = [
      ...['<', '</', '/>', '>', '"', "'", '=', ' ', ':', '!', '?', '-', '--', '[', ']]', '&', 'x', '\n'],
      ...["<a b='c'>", '</a>', '<a/>', '<password>', '</password>', SECRET, '<!--', '-->', '<![CDATA[', '?>'],
      ...[
        "<field var='password'>",
        '<value>',
        '</value>',
        '</field>',
        " token='",
        " xmlns='",
        NS_SASL,
        '<auth',
      ],
      ...[
        '<s:auth>',
        " xmlns:s='",
        stream,
        '</stream:stream>',
        "<header name='Cookie'>",
        '</header>',
        '<!x ',
      ],
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...scraps), { maxLength: 30 }), fc.nat(), (parts, seed) => {
        const text = parts.join('');
        const whole = redact(text);
        const { length } = Buffer.from(text);
        expect(redact(text, [seed % (length + 1)]).text).toBe(whole.text);
        expect(
          redact(
            text,
            Array.from({ length }, (_, index) => index),
          ).text,
        ).toBe(whole.text);
      }),
      { numRuns: 2000 },
    );
  });
});
