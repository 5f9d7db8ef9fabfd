/**
 * Edits as elements, in either dialect: XEP-0284 names the record of a `<set/>` and a `<remove/>` in `target`, Psi in `rid`.
 *
 * Numbers that are none are read as NaN, and what is missing as the empty string, so that the engine can refuse the one
 * edit they belong to and take the others of the same message.
 */
import { element, type ElementCodec } from '../xml/codec.js';
import { childElements, type Element } from '../xml/element.js';
import { attr, optional, withDefault } from '../xml/fields.js';
import type { Scalar } from '../xml/scalars.js';
import type { Edit, NewEdit, RemoveEdit, SetEdit } from './edits.js';

/** XML Schema's `float` without `INF` and `NaN`, in double precision (CLARIFICATIONS 8). */
const looseFloat: Scalar<number> = {
  what: 'a number',
  read: (text) => (/^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(text) ? Number(text) : NaN),
  write: String,
};

const looseCount: Scalar<number> = {
  what: 'a whole number',
  read: (text) => (/^\s*\+?\d{1,15}\s*$/.test(text) ? Number(text) : NaN),
  write: String,
};

const fieldAttributes = {
  parent: optional(attr('parent')),
  weight: optional(attr('primary-weight', looseFloat)),
  ns: optional(attr('ns')),
  name: optional(attr('name')),
  chdata: optional(attr('chdata')),
  pitarget: optional(attr('pitarget')),
  pidata: optional(attr('pidata')),
};

export interface EditElements {
  /** `undefined`: it is no edit. */
  decode(source: Element): Edit | undefined;
  encode(edit: Edit, inheritedNamespace?: string): Element;
}

export function editElements(namespace: string, targetName: 'target' | 'rid'): EditElements {
  const newElement: ElementCodec<Omit<NewEdit, 'kind'>> = element(namespace, 'new', {
    type: withDefault(attr('type'), ''),
    rid: withDefault(attr('rid'), ''),
    version: optional(attr('version', looseCount)),
    ...fieldAttributes,
    creator: optional(attr('creator')),
    lastModifiedBy: optional(attr('last-modified-by')),
  });
  const setElement: ElementCodec<Omit<SetEdit, 'kind'>> = element(namespace, 'set', {
    target: withDefault(attr(targetName), ''),
    version: withDefault(attr('version', looseCount), NaN),
    ...fieldAttributes,
    replaceFrom: optional(attr('replacefrom', looseCount)),
    replaceCount: optional(attr('replacen', looseCount)),
    author: optional(attr('last-modified-by')),
  });
  const removeElement: ElementCodec<Omit<RemoveEdit, 'kind'>> = element(namespace, 'remove', {
    target: withDefault(attr(targetName), ''),
  });
  return {
    decode: (source) => {
      if (source.getNS() !== namespace) return undefined;
      switch (source.getName()) {
        case 'new':
          return { kind: 'new', ...newElement.decode(source) };
        case 'set':
          return { kind: 'set', ...setElement.decode(source) };
        case 'remove':
          return { kind: 'remove', ...removeElement.decode(source) };
        default:
          return undefined;
      }
    },
    encode: (edit, inheritedNamespace) => {
      switch (edit.kind) {
        case 'new':
          return newElement.encode(edit, inheritedNamespace);
        case 'set':
          return setElement.encode(edit, inheritedNamespace);
        case 'remove':
          return removeElement.encode(edit, inheritedNamespace);
      }
    },
  };
}

/** The items of a list that a reader knows. */
export function readItems<T>(parent: Element, read: (child: Element) => T | undefined): T[] {
  const items: T[] = [];
  for (const child of childElements(parent)) {
    const item = read(child);
    if (item !== undefined) items.push(item);
  }
  return items;
}
