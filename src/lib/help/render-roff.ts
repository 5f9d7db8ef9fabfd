/**
 * A page as roff for man(1), with the macros of man(7) only. Every character that roff or a formatter gives a meaning
 * of its own is escaped, so that what is shown can be copied and typed.
 */
import type { Block, Page } from './document.js';

/** @param version as in `xmppctl 0.1.0`; there is no date, so that a page changes only when its text does */
export function renderRoff(page: Page, version: string): string {
  const lines = [
    `.TH ${argument(page.name.toUpperCase())} ${page.section} "" ${argument(`xmppctl ${version}`)} ${argument('xmppctl manual')}`,
    '.nh',
    '.ad l',
    '.SH NAME',
    `${escape(page.name)} \\- ${inline(page.summary)}`,
  ];
  for (const { title, blocks } of page.sections) {
    lines.push(`.SH ${argument(title)}`);
    for (const [index, block] of blocks.entries()) lines.push(...renderBlock(block, index === 0));
  }
  return `${lines.join('\n')}\n`;
}

function renderBlock(block: Block, isFirst: boolean): string[] {
  switch (block.kind) {
    case 'text':
      return block.text.split('\n\n').flatMap((paragraph, index) => {
        const start = isFirst && index === 0 ? [] : ['.PP'];
        return [...start, textLine(inline(paragraph.replace(/\s*\n\s*/g, ' ')))];
      });
    case 'code':
      return [
        ...(isFirst ? [] : ['.PP']),
        '.RS 4',
        '.nf',
        ...block.text.split('\n').map((line) => textLine(escape(line))),
        '.fi',
        '.RE',
      ];
    case 'terms':
      return block.terms.flatMap(({ term, text }) => [
        '.TP',
        textLine(`\\fB${inline(term, 'B')}\\fR`),
        textLine(inline(text)),
      ]);
  }
}

/** A line that begins with a control character would be a request, and an empty one a gap. */
function textLine(line: string): string {
  if (line === '') return '\\&';
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

/** Literal words in bold, variable ones in italics. */
function inline(text: string, font: 'R' | 'B' = 'R'): string {
  return text
    .split(/(`[^`]+`|(?<!\w)\*[A-Za-z-]+\*(?!\w)|<[a-z][a-z0-9 .-]*>)/)
    .map((part, index) => {
      if (index % 2 === 0) return escape(part);
      const back = `\\f${font}`;
      if (part.startsWith('`')) return `\\fB${escape(part.slice(1, -1))}${back}`;
      if (part.startsWith('*')) return `\\fI${escape(part.slice(1, -1))}${back}`;
      return `${escape('<')}\\fI${escape(part.slice(1, -1))}${back}${escape('>')}`;
    })
    .join('');
}

const special: Readonly<Record<string, string>> = {
  '\\': '\\(rs',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

/** Plain text: a hyphen stays the one that options begin with, and what is not ASCII is named by its code point. */
function escape(text: string): string {
  return text.replace(/[\\'`^~-]|\P{ASCII}/gu, (character) => {
    const known = special[character];
    if (known !== undefined) return known;
    return `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`;
  });
}

/** An argument of a macro. */
function argument(text: string): string {
  return `"${escape(text).replaceAll('"', '\\(dq')}"`;
}
