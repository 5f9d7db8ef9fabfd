/** A page as plain text for a terminal. */
import type { Block, Page } from './document.js';

const indent = 4;

export function renderText(page: Page, columns: number): string {
  const width = Math.max(40, Math.min(columns, 100));
  const blocks = page.sections.map(({ title, blocks }) =>
    [title, blocks.map((block) => renderBlock(block, width)).join('\n\n')].join('\n'),
  );
  return `${page.name} - ${page.summary}\n\n${blocks.join('\n\n')}\n`;
}

function renderBlock(block: Block, width: number): string {
  switch (block.kind) {
    case 'text':
      return block.text
        .split('\n\n')
        .map((paragraph) => wrap(plain(paragraph), width, indent))
        .join('\n\n');
    case 'code':
      return block.text
        .split('\n')
        .map((line) => `${' '.repeat(indent + 2)}${line}`.trimEnd())
        .join('\n');
    case 'terms':
      return block.terms
        .map(
          ({ term, text }) => `${' '.repeat(indent)}${plain(term)}\n${wrap(plain(text), width, indent + 4)}`,
        )
        .join('\n');
  }
}

/** Without the marks of literal and variable words. */
function plain(text: string): string {
  return text.replace(/`([^`]+)`/g, '$1').replace(/(?<!\w)\*([A-Za-z-]+)\*(?!\w)/g, '$1');
}

function wrap(text: string, width: number, by: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && by + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.map((content) => `${' '.repeat(by)}${content}`).join('\n');
}
