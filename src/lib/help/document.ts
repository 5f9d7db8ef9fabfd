/** A page of documentation: written once, shown by `xmppctl help` and as a man page. */

/** A block of a page. In texts, words in `backquotes` are typed or shown literally, and *words* in asterisks stand for something. */
export type Block =
  /** Paragraphs, separated by empty lines. */
  | { kind: 'text'; text: string }
  | { kind: 'terms'; terms: readonly { term: string; text: string }[] }
  /** Lines that stay as they are. */
  | { kind: 'code'; text: string };

export interface Section {
  /** In capitals, as manuals have it. */
  title: string;
  blocks: readonly Block[];
}

export interface Page {
  /** `xmppctl-send` */
  name: string;
  /** Section of the manual: 1 commands, 5 files. */
  section: 1 | 5;
  /** One line, lower case, no full stop. */
  summary: string;
  sections: readonly Section[];
}

export const text = (content: string): Block => ({ kind: 'text', text: content });
export const code = (content: string): Block => ({ kind: 'code', text: content });
export const terms = (rows: readonly { term: string; text: string }[]): Block => ({
  kind: 'terms',
  terms: rows,
});

/** Paragraphs, where one that is indented is code: how descriptions of commands are written. */
export function blocksFrom(content: string): Block[] {
  return content
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== '')
    .map((paragraph) =>
      /^\s{2,}/.test(paragraph)
        ? code(paragraph.replace(/^ {2}/gm, ''))
        : text(paragraph.replace(/\s*\n\s*/g, ' ')),
    );
}
