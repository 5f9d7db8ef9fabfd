/**
 * Lays a unit of XML out for reading: elements under each other, text beside its tags. Every tag stands as it was
 * written; only white space between tags changes, and characters that could do something to a terminal.
 */
import { safeText } from '../output/safe-text.js';

export interface PrettyXmlOptions {
  /** Text and attribute runs longer than this are cut in the middle of the view; unlimited when left out. */
  maxText?: number;
  /** Colours a tag. */
  tag?: (text: string) => string;
}

interface Token {
  kind: 'open' | 'close' | 'empty' | 'text' | 'other';
  text: string;
}

const tokens =
  /<!--[\s\S]*?(?:-->|$)|<!\[CDATA\[[\s\S]*?(?:\]\]>|$)|<\?[\s\S]*?(?:\?>|$)|<!(?:[^>[]|\[[^\]]*(?:\]|$))*(?:>|$)|<\/[^<>]*>|<[^\s<>/][^<>"']*(?:(?:"[^"]*"|'[^']*')[^<>"']*)*>|[^<]+|<[^<]*/g;

function tokenise(text: string): Token[] {
  return Array.from(text.matchAll(tokens), ([token]): Token => {
    if (!token.startsWith('<')) return { kind: 'text', text: token };
    if (token.startsWith('</')) return { kind: 'close', text: token };
    if (token.startsWith('<!') || token.startsWith('<?')) {
      return { kind: token.startsWith('<![CDATA[') ? 'text' : 'other', text: token };
    }
    if (!token.endsWith('>')) return { kind: 'text', text: token };
    return { kind: token.endsWith('/>') ? 'empty' : 'open', text: token };
  });
}

/** What is nested deeper is not set in further: a hundred thousand levels would be gigabytes of spaces. */
export const maxIndent = 60;

/** The lines of the view, without line feeds. */
export function layOutXml(text: string, options: PrettyXmlOptions = {}): string[] {
  const { tag = (plain: string) => plain } = options;
  const all = tokenise(text);
  const lines: string[] = [];
  let depth = 0;
  const show = ({ kind, text: token }: Token): string => {
    const shown = safeText(shorten(token, options.maxText), { singleLine: true });
    return kind === 'text' || kind === 'other' ? shown : tag(shown);
  };
  const line = (content: string): void => void lines.push('  '.repeat(Math.min(depth, maxIndent)) + content);

  for (let index = 0; index < all.length; index += 1) {
    const token = all[index];
    if (token === undefined) break;
    switch (token.kind) {
      case 'open': {
        const end = endOfInline(all, index);
        if (end === undefined) {
          line(show(token));
          depth += 1;
        } else {
          line(
            all
              .slice(index, end + 1)
              .map(show)
              .join(''),
          );
          index = end;
        }
        break;
      }
      case 'close':
        depth = Math.max(0, depth - 1);
        line(show(token));
        break;
      case 'text':
        if (!isBlank(token.text))
          line(show({ ...token, text: token.text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '') }));
        break;
      case 'empty':
      case 'other':
        line(show(token));
        break;
    }
  }
  return lines;
}

/** Where an element ends that has text of its own, and so is shown in one piece; undefined for any other. */
function endOfInline(all: readonly Token[], start: number): number | undefined {
  let depth = 0;
  let hasText = false;
  for (let index = start; index < all.length; index += 1) {
    const token = all[index];
    if (token?.kind === 'open') depth += 1;
    else if (token?.kind === 'close') depth -= 1;
    else if (token?.kind === 'text' && depth === 1 && !isBlank(token.text)) hasText = true;
    if (depth === 0) return hasText || index === start + 1 ? index : undefined;
    // Without text before the first child it is a container.
    if (depth === 2 && !hasText) return undefined;
  }
  return undefined;
}

/** White space is what XML calls so: a no-break space was written by somebody. */
function isBlank(text: string): boolean {
  return !/[^ \t\r\n]/.test(text);
}

/** Keeps the beginning and the end of a long run. */
function shorten(text: string, limit: number | undefined): string {
  if (limit === undefined || text.length <= limit) return text;
  const half = Math.floor(limit / 2);
  return `${text.slice(0, half)}… ${text.length - 2 * half} more characters …${text.slice(-half)}`;
}
