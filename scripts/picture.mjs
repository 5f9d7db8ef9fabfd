/**
 * Draws docs/demo.svg: what `npm run demo` really prints on a terminal, for the README.
 *
 *     node scripts/picture.mjs [COMMAND [ARGUMENT…]] > docs/demo.svg
 */
import pty from '@lydell/node-pty';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const columns = 104;
const escapeCharacter = '\u001b';
/** SGR codes → the classes of the drawing. */
const classes = { 1: 'b', 2: 'd', 31: 'r', 32: 'g', 33: 'y', 34: 'u', 35: 'm', 36: 'c' };
const [program = process.execPath, ...args] = process.argv.slice(2);
const output = await record(
  program,
  args.length > 0 || process.argv[2] ? args : ['scripts/demo.mjs', '--no-install'],
);
process.stdout.write(draw(interpret(output)));

function record(command, words) {
  return new Promise((resolve) => {
    const env = { ...process.env, TERM: 'xterm-256color' };
    delete env.NO_COLOR;
    const terminal = pty.spawn(command, words, { cols: columns, rows: 50, cwd: root, env });
    let text = '';
    terminal.onData((data) => (text += data));
    terminal.onExit(() => resolve(text));
  });
}

/** Follows the few control sequences our own output uses: colours, carriage return, erase line. */
function interpret(text) {
  const lines = [[]];
  let column = 0;
  let style = '';
  for (let index = 0; index < text.length; index += 1) {
    const sequence =
      text[index] === escapeCharacter
        ? /^\[([0-9;?]*)([A-Za-z])/.exec(text.slice(index + 1, index + 16))
        : null;
    const line = lines.at(-1);
    if (sequence) {
      const [all, parameters, kind] = sequence;
      if (kind === 'm') style = nextStyle(style, parameters);
      if (kind === 'K') line.length = Math.min(line.length, column);
      if (kind === 'G') column = Math.max(0, Number(parameters || 1) - 1);
      index += all.length;
    } else if (text[index] === '\r') {
      column = 0;
    } else if (text[index] === '\n') {
      lines.push([]);
      column = 0;
    } else {
      const character = String.fromCodePoint(text.codePointAt(index));
      index += character.length - 1;
      if (column >= columns) {
        lines.push([]);
        column = 0;
      }
      lines.at(-1)[column] = { character, style };
      column += 1;
    }
  }
  return lines;
}

function nextStyle(style, parameters) {
  let next = style;
  for (const code of (parameters || '0').split(';').map(Number)) {
    if (code === 0 || code === 39) next = code === 0 ? '' : next.replace(/[rgyumc]/g, '');
    else if (code === 22) next = next.replace(/[bd]/g, '');
    else if (classes[code]) next = `${next.replace(code >= 30 ? /[rgyumc]/g : /$^/g, '')}${classes[code]}`;
  }
  return next;
}

function draw(lines) {
  while (lines.length > 0 && lines.at(-1).length === 0) lines.pop();
  const [width, height] = [columns * 8.4 + 32, lines.length * 18 + 56];
  const rows = lines.map((line, row) => {
    const spans = [];
    for (const cell of Array.from(line, (cell) => cell ?? { character: ' ', style: '' })) {
      const last = spans.at(-1);
      if (last?.style === cell.style) last.text += cell.character;
      else spans.push({ style: cell.style, text: cell.character });
    }
    const body = spans
      .map(({ style, text }) =>
        style ? `<tspan class="${[...style].join(' ')}">${escape(text)}</tspan>` : escape(text),
      )
      .join('');
    return `<text x="16" y="${row * 18 + 54}">${body}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14">
<style>text{fill:#d8dee9;white-space:pre}.b{font-weight:bold}.d{opacity:.6}.r{fill:#e06c75}.g{fill:#98c379}.y{fill:#e5c07b}.u{fill:#61afef}.m{fill:#c678dd}.c{fill:#56b6c2}</style>
<rect width="${width}" height="${height}" rx="8" fill="#1e222a"/>
<circle cx="20" cy="18" r="6" fill="#e06c75"/><circle cx="40" cy="18" r="6" fill="#e5c07b"/><circle cx="60" cy="18" r="6" fill="#98c379"/>
${rows.join('\n')}
</svg>
`;
}

function escape(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
