/**
 * Changes config.toml and keeps the rest of it as it was written: comments, order, spacing.
 *
 * Only the statements that differ are touched in the text. The result is parsed again and must mean exactly what was
 * wanted; where it does not (an account written as an inline table, say) nothing is written and the user is told.
 */
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { FileError, UsageError } from '../errors.js';
import type { AccountProfile, Config } from './keys.js';
import { loadConfig, parseConfig } from './load-config.js';
import type { ConfigPaths } from './paths.js';
import { writePrivateFile } from './private-file.js';
import { readLayout, type TomlLayout } from './toml-layout.js';

const attempts = 5;

/**
 * Reads the configuration, applies `change` and writes it back in one step. A change that somebody else made in the
 * meantime is kept: then all is done again on the new text.
 * @throws FileError, UsageError as `loadConfig`; UsageError when the text cannot be edited
 */
export async function changeConfig(paths: ConfigPaths, change: (config: Config) => Config): Promise<Config> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const { config, text, file } = await loadConfig(paths);
    const wanted = withoutUndefined(change(structuredClone(config)));
    const edited = await editConfig(text, config, wanted, file);
    if (edited === text) return wanted;
    const current = await readFile(file, 'utf8').catch(() => '');
    if (current !== text) continue;
    await writePrivateFile(file, edited, 'the configuration');
    return wanted;
  }
  throw new FileError(`${paths.configFile} keeps changing while it is written`, {
    hint: 'is another program writing it?',
  });
}

/**
 * The text that means `wanted`, made from the text that means `config`.
 * @throws UsageError it is written in a way that cannot be edited
 */
export async function editConfig(
  text: string,
  config: Config,
  wanted: Config,
  file: string,
): Promise<string> {
  const { stringify } = await import('smol-toml');
  const showValue = (value: unknown): string => stringify({ v: value }).replace(/^v = /, '').trimEnd();
  const edits = [
    ...accountEdits(text, config, wanted, showValue),
    ...tableEdits([], config, wanted, text, showValue),
  ];
  let edited = text;
  for (const { from, to, insert } of edits.sort((a, b) => b.from - a.from || b.to - a.to)) {
    edited = edited.slice(0, from) + insert + edited.slice(to);
  }
  if (edited.trim() === '') edited = '';
  const result = await parseConfig(edited, file).catch((error: unknown) => error);
  if (!isDeepStrictEqual(plain(result), plain(wanted))) {
    throw new UsageError(`${file} is written in a way that cannot be edited without losing something`, {
      hint: 'write each account as its own table, [accounts.NAME], or change it by hand',
    });
  }
  return edited;
}

interface Edit {
  from: number;
  to: number;
  insert: string;
}

type ShowValue = (value: unknown) => string;

function accountEdits(text: string, config: Config, wanted: Config, showValue: ShowValue): Edit[] {
  const layout = readLayout(text);
  const edits: Edit[] = [];
  let appended = '';
  for (const name of new Set([...Object.keys(config.accounts), ...Object.keys(wanted.accounts)])) {
    const before = config.accounts[name];
    const after = wanted.accounts[name];
    if (before && after) edits.push(...tableEdits(['accounts', name], before, after, text, showValue));
    else if (before) edits.push(...removalOf(name, text, layout));
    else if (after) appended += renderAccount(name, after, showValue);
  }
  if (appended !== '') {
    const isFirst = text === '' && wanted.default_account === undefined;
    const gap = isFirst ? '' : text === '' || text.endsWith('\n') ? '\n' : '\n\n';
    // First, as of two insertions at one place the later one comes to stand before: keys of the last table go above.
    edits.unshift({ from: text.length, to: text.length, insert: `${gap}${appended.trimEnd()}\n` });
  }
  return edits;
}

/** What differs between two versions of one table, not looking into tables inside it. */
function tableEdits(
  path: readonly string[],
  before: object,
  after: object,
  text: string,
  showValue: ShowValue,
): Edit[] {
  const layout = readLayout(text);
  const old = new Map(Object.entries(before).filter(([, value]) => isScalar(value)));
  const now = new Map(Object.entries(after).filter(([, value]) => isScalar(value)));
  const edits: Edit[] = [];
  let added = '';
  for (const key of new Set([...old.keys(), ...now.keys()])) {
    const value: unknown = now.get(key);
    if (isDeepStrictEqual(old.get(key), value)) continue;
    const place = layout.pairs.find((pair) => isSamePath(pair.path, [...path, key]));
    if (value === undefined && place) {
      edits.push({ from: startOfLine(text, place.start), to: afterLine(text, place.valueEnd), insert: '' });
    } else if (place) {
      edits.push({ from: place.valueStart, to: place.valueEnd, insert: showValue(value) });
    } else {
      added += `${key} = ${showValue(value)}\n`;
    }
  }
  if (added !== '') edits.push(additionTo(path, added, text, layout));
  return edits;
}

/** New keys go behind the last one of their table. */
function additionTo(path: readonly string[], lines: string, text: string, layout: TomlLayout): Edit {
  const last = layout.pairs.filter((pair) => isSamePath(pair.path.slice(0, -1), path)).at(-1);
  const header = layout.headers.find((candidate) => isSamePath(candidate.path, path));
  let at = last ? afterLine(text, last.valueEnd) : header?.end;
  let insert = lines;
  if (at === undefined) {
    // Top-level keys must stand before the first table, and before the comment that belongs to it.
    const [first] = layout.headers;
    at = first ? startOfCommentAbove(text, startOfLine(text, first.start)) : text.length;
    if (first) insert = `${lines}\n`;
  }
  if (at === text.length && at > 0 && !text.endsWith('\n')) insert = `\n${insert}`;
  return { from: at, to: at, insert };
}

/** From the header to the last key: comments above and below stay. */
function removalOf(name: string, text: string, layout: TomlLayout): Edit[] {
  const path = ['accounts', name];
  const header = layout.headers.find((candidate) => isSamePath(candidate.path, path));
  if (!header) return [];
  const last = layout.pairs.filter((pair) => isSamePath(pair.path.slice(0, 2), path)).at(-1);
  let to = last ? afterLine(text, last.valueEnd) : header.end;
  const from = startOfLine(text, header.start);
  // One empty line goes with it, so that the gaps between tables stay even; not below a comment, which would
  // seem to belong to the next table.
  if (text[to] === '\n' && startOfCommentAbove(text, from) === from) to += 1;
  return [{ from, to, insert: '' }];
}

function renderAccount(name: string, profile: AccountProfile, showValue: ShowValue): string {
  const lines = Object.entries(profile).map(([key, value]) => `${key} = ${showValue(value)}`);
  return `[accounts.${showKey(name)}]\n${lines.join('\n')}\n\n`;
}

function showKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}

function withoutUndefined(config: Config): Config {
  return JSON.parse(JSON.stringify(config)) as Config;
}

/** smol-toml's tables and ours may differ in their prototypes; what they say counts. */
function plain(value: unknown): unknown {
  return value instanceof Error ? value : (JSON.parse(JSON.stringify(value)) as unknown);
}

function isScalar(value: unknown): boolean {
  return value !== undefined && (typeof value !== 'object' || Array.isArray(value));
}

function isSamePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((part, index) => part === b[index]);
}

function startOfLine(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function afterLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end + 1;
}

function startOfCommentAbove(text: string, lineStart: number): number {
  let start = lineStart;
  while (start > 0) {
    const previous = startOfLine(text, start - 1);
    if (!text.slice(previous, start).trimStart().startsWith('#')) break;
    start = previous;
  }
  return start;
}
