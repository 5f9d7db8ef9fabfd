/**
 * Pairs `test/fixtures/<family>/<case>.xml` and `.json`: the element, and the value it stands for. Checked in both
 * directions by `test/unit/xml/fixtures.test.ts`; a new case is two files, a new family one line in `fixture-codecs.ts`.
 */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { JID } from '../../src/lib/jid/jid.js';
import type { Element } from '../../src/lib/xml/element.js';
import { parseXml } from '../../src/lib/xml/parse.js';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../fixtures');

export interface Fixture {
  family: string;
  name: string;
  xml: Element;
  /** What the JSON file holds. */
  expected: unknown;
}

/** Every case of a family. A file without its twin, XML or JSON that does not parse, and an empty family are errors. */
export function loadFixtures(family: string): Fixture[] {
  const folder = path.join(root, family);
  const files = readdirSync(folder);
  const names = [...new Set(files.map((file) => path.parse(file).name))].sort();
  if (names.length === 0) throw new Error(`no fixtures in ${folder}`);
  return names.map((name) => {
    for (const extension of ['xml', 'json']) {
      if (!files.includes(`${name}.${extension}`))
        throw new Error(`${folder}: ${name}.${extension} is missing`);
    }
    const read = (extension: string): string =>
      readFileSync(path.join(folder, `${name}.${extension}`), 'utf8');
    try {
      const expected: unknown = JSON.parse(read('json'));
      return { family, name, xml: withoutIndentation(parseXml(read('xml'))), expected };
    } catch (error) {
      throw new Error(`${folder}/${name}: ${String(error)}`, { cause: error });
    }
  });
}

/** The value as JSON shows it: dates and addresses as text, bytes as base64, nothing undefined. */
export function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(toPlain(value))) as unknown;
}

function toPlain(value: unknown): unknown {
  if (value instanceof JID || value instanceof Date)
    return value instanceof Date ? value.toISOString() : String(value);
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toPlain(inner)]));
  }
  return value;
}

/** Fixtures are indented for reading; a stanza on the wire is not. */
function withoutIndentation(element: Element): Element {
  const hasElements = element.children.some((child) => typeof child !== 'string');
  if (!hasElements) return element;
  element.children = element.children.filter((child) => typeof child !== 'string' || child.trim() !== '');
  for (const child of element.children) if (typeof child !== 'string') withoutIndentation(child);
  return element;
}
