import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadColourStyle, plainStyle } from '../../../src/lib/output/style.js';
import { LineBuffer } from '../../../src/lib/trace/line-buffer.js';
import { formatMs, PrettyPrinter } from '../../../src/lib/trace/pretty-printer.js';
import type { Unit } from '../../../src/lib/trace/unit-splitter.js';

const unit = (text: string, dir: 'in' | 'out' = 'in'): Unit => ({
  ...{ conn: 1, dir, kind: 'element', text },
  ...{ n: 1, startedAt: 1, endedAt: 1 },
});

function printBytes(texts: readonly string[], note?: string): string {
  const printer = new PrettyPrinter({ style: plainStyle });
  const target = new LineBuffer();
  for (const text of texts) printer.printTo(target, { kind: 'unit', unit: unit(text) }, note);
  return target.take().toString('utf8');
}

function printText(texts: readonly string[], note?: string): string {
  const printer = new PrettyPrinter({ style: plainStyle });
  return texts.map((text) => printer.print({ kind: 'unit', unit: unit(text) }, note)).join('');
}

describe('PrettyPrinter, as bytes', () => {
  it.each([
    '<a/>',
    '<a></a>',
    '<a> </a>',
    '<a>text</a>',
    '<a><b/></a>',
    '<a>text<b>more</b> tail</a>',
    '<a><b>x</b> tail <c/></a>',
    '<a> <b/> </a>',
    `<a x='>' y="'/>"><b/></a>`,
    '<a><b><c><d>x</d></c></b></a>',
    '<a>é – 😀</a>',
    '<a>\u0085</a>',
    '<a>\u202e</a>',
    '<a>\u00a0<b/></a>',
    '<a>tab\tline\n</a>',
    '<a><!-- no --><b/></a>',
    '<a><![CDATA[<b>]]></a>',
    '<a><b></a>',
    '<a',
    '</a>',
    '<a><b/>',
    'text',
    '<1/>',
    `${'<a>'.repeat(100)}x${'</a>'.repeat(100)}`,
  ])('prints %j as it is printed as text', (text) => {
    expect(printBytes([text, text])).toBe(printText([text, text]));
    expect(printBytes([text], '(a note)')).toBe(printText([text], '(a note)'));
  });

  it('prints anything as it is printed as text', () => {
    const piece = fc.constantFrom(
      ...[
        '<a>',
        '</a>',
        '<b x="1">',
        "<c d='>'/>",
        '</b>',
        'text',
        ' ',
        '\n',
        'é',
        '\u001b',
        '<',
        '>',
        '&lt;',
      ],
    );
    fc.assert(
      fc.property(fc.array(fc.array(piece).map((pieces) => pieces.join(''))), (texts) => {
        expect(printBytes(texts)).toBe(printText(texts));
      }),
    );
  });
});

describe('PrettyPrinter, in colour', () => {
  it('tells kinds apart', async () => {
    const style = await loadColourStyle();
    const printer = new PrettyPrinter({ style });
    const coloured = (text: string): string => printer.print({ kind: 'unit', unit: unit(text) });
    for (const [text, expected] of [
      ['<message/>', style.message('<message/>')],
      ['<message type="error"/>', style.bad('<message type="error"/>')],
      ['<presence/>', style.presence('<presence/>')],
      ['<iq type="get"/>', style.request('<iq type="get"/>')],
      ['<iq type="set"/>', style.request('<iq type="set"/>')],
      ['<iq type="result"/>', style.reply('<iq type="result"/>')],
      ['<iq type="error"/>', style.bad('<iq type="error"/>')],
      ['<r xmlns="urn:xmpp:sm:3"/>', style.nonza('<r xmlns="urn:xmpp:sm:3"/>')],
      ['<stream:features/>', style.dim('<stream:features/>')],
    ] as const) {
      expect(coloured(text)).toContain(expected);
    }
  });
});

describe('formatMs', () => {
  it.each([
    [0, '0.00 ms'],
    [0.05, '0.05 ms'],
    [1.5, '1.50 ms'],
    [9.999, '10.00 ms'],
    [12.34, '12.3 ms'],
    [2500, '2.50 s'],
  ])('%d is %s', (ms, text) => {
    expect(formatMs(ms)).toBe(text);
  });
});
