/** Where two elements differ, by paths like `features/mechanisms/mechanism` and `iq@type`. */
import { attributeOf } from '../../trace/trace-element.js';
import { alignLists } from './align.js';
import type { Normal } from './normalise.js';

export interface Change {
  path: string;
  /** Missing where there was none. */
  a?: string;
  b?: string;
}

/** A stanza that differs in more places is simply another one. */
const maxChanges = 100;

/** Nothing when they are equal. */
export function compareElements(a: Normal, b: Normal): Change[] {
  const changes: Change[] = [];
  compare(a, b, a.name, changes);
  return changes.slice(0, maxChanges);
}

function compare(a: Normal, b: Normal, path: string, changes: Change[]): void {
  if (a.canonical === b.canonical || changes.length >= maxChanges) return;
  if (a.namespace !== b.namespace)
    changes.push({ path: `${path} (namespace)`, a: a.namespace, b: b.namespace });
  for (const key of new Set([...Object.keys(a.attributes), ...Object.keys(b.attributes)])) {
    const [left, right] = [attributeOf(a, key), attributeOf(b, key)];
    if (left !== right) changes.push(change(`${path}@${key}`, left, right));
  }
  if (a.text !== b.text) changes.push(change(`${path} (text)`, a.text || undefined, b.text || undefined));
  compareChildren(a, b, path, changes);
}

function compareChildren(a: Normal, b: Normal, path: string, changes: Change[]): void {
  const canonical = (element: Normal): string => element.canonical;
  const same = alignLists(a.children.map(canonical), b.children.map(canonical));
  const [seenA, seenB] = [new Set(same.map(([i]) => i)), new Set(same.map(([, j]) => j))];
  const leftA = a.children.filter((_, index) => !seenA.has(index));
  const leftB = b.children.filter((_, index) => !seenB.has(index));
  for (const child of leftA) {
    const moved = leftB.findIndex((other) => other.canonical === child.canonical);
    if (moved >= 0) {
      leftB.splice(moved, 1);
      changes.push({ path: `${path}/${child.name} (order)`, a: describe(child), b: describe(child) });
      continue;
    }
    // A short text is what the element is about, as with a mechanism: another text is another element.
    const partner = leftB.findIndex(
      (other) => other.name === child.name && other.namespace === child.namespace && !isValue(other),
    );
    const [other] = partner >= 0 && !isValue(child) ? leftB.splice(partner, 1) : [];
    if (other) compare(child, other, `${path}/${child.name}`, changes);
    else changes.push({ path: `${path}/${child.name}`, a: describe(child) });
  }
  for (const child of leftB) changes.push({ path: `${path}/${child.name}`, b: describe(child) });
}

/** One of several of its kind, told from the others by its text or by its only attribute: a mechanism, a feature. */
function isValue({ name, children }: Normal): boolean {
  return (
    children.length === 0 &&
    (name === 'mechanism' || name === 'feature' || name === 'item' || name === 'identity')
  );
}

function change(path: string, a: string | undefined, b: string | undefined): Change {
  return { path, ...(a !== undefined && { a }), ...(b !== undefined && { b }) };
}

function describe({ name, namespace, attributes, text, children }: Normal): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${value}"`);
  const inner = children.length > 0 ? '…' : text;
  const start = `<${name} xmlns="${namespace}"${written.join('')}`;
  return inner === '' ? `${start}/>` : `${start}>${inner}</${name}>`;
}
