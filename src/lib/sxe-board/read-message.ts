/** Messages of the page, which are taken for those of anybody: what is not exactly as it should be is none. */
import { isAllowedAttribute, isAllowedElement, MAX_TEXT_LENGTH } from './allowed-svg.js';
import type { BoardAction, FromPage, Shape, ShapeChange } from './messages.js';

/** Shapes that one action may change. */
const MAX_SHAPES = 10_000;
const MAX_ATTRIBUTES = 50;
const MAX_ID_LENGTH = 1024;
const NAME = /^[a-z0-9]{1,32}$/;
/** What the page draws. Groups and drawings in drawings come from elsewhere. */
const drawable = new Set(['path', 'rect', 'circle', 'ellipse', 'line', 'polyline', 'polygon', 'text']);

type Fields = Readonly<Record<string, unknown>>;

/** `undefined`: it is none. */
export function readMessage(text: string): FromPage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isFields(value)) return undefined;
  if (value['kind'] !== 'hello') return readAction(value);
  const page = value['page'];
  return isName(page) ? { kind: 'hello', page } : undefined;
}

function readAction(value: Fields): BoardAction | undefined {
  const { kind, seq, gesture } = value;
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return undefined;
  if (kind === 'undo' || kind === 'redo') return { kind, seq };
  if (!isName(gesture)) return undefined;
  switch (kind) {
    case 'draw': {
      const shape = readShape(value['shape']);
      return shape && { kind, seq, gesture, shape };
    }
    case 'change': {
      const changes = readList(value['changes'], readChange);
      return changes && { kind, seq, gesture, changes };
    }
    case 'text': {
      const { id, text } = value;
      return isId(id) && isText(text) ? { kind, seq, gesture, id, text } : undefined;
    }
    case 'erase': {
      const ids = readList(value['ids'], (id) => (isId(id) ? id : undefined));
      return ids && { kind, seq, gesture, ids };
    }
    default:
      return undefined;
  }
}

function readShape(value: unknown): Shape | undefined {
  if (!isFields(value)) return undefined;
  const { name, attributes, text } = value;
  if (typeof name !== 'string' || !drawable.has(name) || !isAllowedElement(name)) return undefined;
  if (!isFields(attributes) || (text !== undefined && !isText(text))) return undefined;
  const read: Record<string, string> = {};
  for (const [key, each] of bounded(attributes) ?? [['', undefined]]) {
    if (typeof each !== 'string' || !isAllowedAttribute(name, key, each)) return undefined;
    read[key] = each;
  }
  return { name, attributes: read, ...(text !== undefined && { text }) };
}

/** Whether its attributes may stand there is told when it is known what they change. */
function readChange(value: unknown): ShapeChange | undefined {
  if (!isFields(value)) return undefined;
  const { id, attributes } = value;
  if (!isId(id) || !isFields(attributes)) return undefined;
  const read: Record<string, string | null> = {};
  for (const [key, each] of bounded(attributes) ?? [['', undefined]]) {
    if (typeof each !== 'string' && each !== null) return undefined;
    read[key] = each;
  }
  return { id, attributes: read };
}

function readList<T>(value: unknown, read: (each: unknown) => T | undefined): T[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_SHAPES) return undefined;
  const list: T[] = [];
  for (const each of value) {
    const one = read(each);
    if (one === undefined) return undefined;
    list.push(one);
  }
  return list;
}

function bounded(fields: Fields): [string, unknown][] | undefined {
  const entries = Object.entries(fields);
  return entries.length > MAX_ATTRIBUTES ? undefined : entries;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value);
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID_LENGTH;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH;
}
