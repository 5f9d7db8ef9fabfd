import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPlainElement } from '../../../src/lib/trace/plain-element.js';
import { defaultScope, readAnyElement } from '../../../src/lib/trace/trace-element.js';

describe('readPlainElement', () => {
  it('reads what programs write', () => {
    const text = `<message to="a" xml:lang='en'><body>a &amp; b</body><x:y xmlns:x='n' z="1>2"/><c xmlns='m'><d/></c></message>`;
    expect(readPlainElement(text, defaultScope, false)).toEqual(readAnyElement(text, defaultScope));
    expect(readPlainElement(text, defaultScope, true)).toMatchObject({ name: 'message', children: [] });
  });

  it('takes names that every object has something under for names', () => {
    const text = "<constructor:a toString='1' __proto__:b='2'>&constructor;<__proto__:c/></constructor:a>";
    const expected = { namespace: '', children: ['&constructor;', { name: 'c', namespace: '' }] };
    expect(readPlainElement(text, defaultScope, false)).toMatchObject(expected);
    expect(readAnyElement(text, defaultScope)).toMatchObject(expected);
  });

  it('leaves everything else to the long way, or reads the same', () => {
    const piece = fc.constantFrom(
      ...[
        '<a>',
        '</a>',
        '<b/>',
        '<a:b ',
        '>',
        '/>',
        '<',
        '/',
        ' ',
        '\n',
        "x='1'",
        'x="&lt;"',
        "xmlns='n'",
        "xmlns:a='m'",
        "xmlnsy='k'",
      ],
      ...[
        '<!-- c -->',
        '<![CDATA[<a>]]>',
        '<?p?>',
        '<!D>',
        'text',
        '&amp;',
        '"',
        "'",
        '=',
        "x = '2'",
        '<é>',
        "<a x='1'y='2'>",
        '<a/ >',
        '</a x="1">',
        '</>',
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = pieces.join('');
        const plain = readPlainElement(text, defaultScope, false);
        if (plain !== undefined) expect(plain).toEqual(readAnyElement(text, defaultScope));
      }),
      { numRuns: 3000 },
    );
  });
});
