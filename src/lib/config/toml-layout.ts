/**
 * Where things stand in a TOML text: which line a key is on, and where its value begins and ends.
 *
 * The parser (smol-toml) gives values without places. This reads only the layout, of texts that the parser has
 * accepted: that is what error messages and edits that keep comments need.
 */

export interface TomlPair {
  /** Table and key together: `['accounts', 'alice', 'jid']`. */
  path: string[];
  /** Line of the key, from 1. */
  line: number;
  /** Offsets of the whole statement, without its line break and comment. */
  start: number;
  valueStart: number;
  valueEnd: number;
}

export interface TomlHeader {
  path: string[];
  line: number;
  start: number;
  /** Offset after the line of the header. */
  end: number;
}

export interface TomlLayout {
  headers: TomlHeader[];
  pairs: TomlPair[];
}

/** Reads the layout of a valid TOML 1.0 text. */
export function readLayout(text: string): TomlLayout {
  const layout: TomlLayout = { headers: [], pairs: [] };
  let table: string[] = [];
  let offset = 0;
  let line = 1;
  while (offset < text.length) {
    const character = text[offset];
    if (character === '\n') {
      line += 1;
      offset += 1;
    } else if (character === '#') {
      offset = endOfLine(text, offset);
    } else if (character === '[') {
      const start = offset;
      const isArray = text[offset + 1] === '[';
      const { path, end } = readKey(text, offset + (isArray ? 2 : 1));
      table = path;
      offset = Math.min(text.length, endOfLine(text, end) + 1);
      layout.headers.push({ path, line, start, end: offset });
      line += 1;
    } else if (character === undefined || /\s/.test(character)) {
      offset += 1;
    } else {
      const start = offset;
      const { path, end } = readKey(text, offset);
      const valueStart = skipBlanks(text, end + 1);
      const valueEnd = endOfValue(text, valueStart);
      layout.pairs.push({ path: [...table, ...path], line, start, valueStart, valueEnd });
      line += count(text, '\n', start, valueEnd);
      offset = valueEnd;
    }
  }
  return layout;
}

/** Reads `a."b c".d` up to `=` or `]`. */
function readKey(text: string, from: number): { path: string[]; end: number } {
  const path: string[] = [];
  let offset = from;
  for (;;) {
    offset = skipBlanks(text, offset);
    const character = text[offset];
    if (character === '"' || character === "'") {
      const end = endOfString(text, offset);
      const raw = text.slice(offset + 1, end - 1);
      path.push(character === '"' ? unescapeBasic(raw) : raw);
      offset = end;
    } else {
      const start = offset;
      while (offset < text.length && /[A-Za-z0-9_-]/.test(text[offset] ?? '')) offset += 1;
      path.push(text.slice(start, offset));
    }
    offset = skipBlanks(text, offset);
    if (text[offset] !== '.') return { path, end: offset };
    offset += 1;
  }
}

/** The offset behind a value: behind its last character that is neither blank nor comment. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  let offset = from;
  let end = from;
  while (offset < text.length) {
    const character = text[offset];
    if (character === '"' || character === "'") {
      offset = end = endOfString(text, offset);
      continue;
    }
    if (character === '#') {
      offset = endOfLine(text, offset);
      continue;
    }
    if (character === '\n' && depth === 0) break;
    if (character === '[' || character === '{') depth += 1;
    if (character === ']' || character === '}') depth -= 1;
    offset += 1;
    if (character !== undefined && !/\s/.test(character)) end = offset;
  }
  return end;
}

/** The offset behind a string of any of the four kinds that starts here. */
function endOfString(text: string, from: number): number {
  const quote = text[from] ?? '"';
  const triple = quote.repeat(3);
  if (text.startsWith(triple, from)) {
    let offset = from + 3;
    while (offset < text.length && !text.startsWith(triple, offset)) {
      offset += quote === '"' && text[offset] === '\\' ? 2 : 1;
    }
    offset += 3;
    // Up to two quotes may stand directly before the closing three.
    while (text[offset] === quote) offset += 1;
    return offset;
  }
  let offset = from + 1;
  while (offset < text.length && text[offset] !== quote) {
    offset += quote === '"' && text[offset] === '\\' ? 2 : 1;
  }
  return offset + 1;
}

function unescapeBasic(raw: string): string {
  return raw
    .replace(/\\U([0-9A-Fa-f]{8})/g, (_all, hex: string) => String.fromCodePoint(parseInt(hex, 16)))
    .replace(/\\(u[0-9A-Fa-f]{4}|.)/g, (all) => JSON.parse(`"${all}"`) as string);
}

function skipBlanks(text: string, from: number): number {
  let offset = from;
  while (text[offset] === ' ' || text[offset] === '\t') offset += 1;
  return offset;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function count(text: string, character: string, from: number, to: number): number {
  return text.slice(from, to).split(character).length - 1;
}
