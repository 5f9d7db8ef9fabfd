/**
 * The fields an element can have: attributes, texts and children (see `codec.ts`).
 */
import { DecodeError } from '../errors.js';
import { pathOf, type ElementCodec, type Field } from './codec.js';
import { Element, childElements } from './element.js';
import { str, type Scalar } from './scalars.js';

/** An attribute. */
export function attr(name: string): Field<string, 'required'>;
export function attr<T>(name: string, scalar: Scalar<T>): Field<T, 'required'>;
export function attr(name: string, scalar: Scalar<unknown> = str): Field<unknown, 'required'> {
  const place = `@${name}`;
  return {
    presence: 'required',
    place,
    read: (element) => {
      const raw: unknown = element.attrs[name];
      return typeof raw === 'string' ? readScalar(scalar, raw, element, place) : undefined;
    },
    write: (element, value) => {
      element.attrs[name] = scalar.write(value);
    },
  };
}

/** The text of the element itself; an element without text has the empty one. */
export function text(): Field<string, 'required'>;
export function text<T>(scalar: Scalar<T>): Field<T, 'required'>;
export function text(scalar: Scalar<unknown> = str): Field<unknown, 'required'> {
  return {
    presence: 'required',
    place: '/text()',
    read: (element) => readScalar(scalar, element.getText(), element, '/text()'),
    write: (element, value) => {
      const written = scalar.write(value);
      if (written !== '') element.t(written);
    },
  };
}

/** The text of a child element, in the same namespace unless another is given: `<body>hi</body>`. */
export function childText(name: string): Field<string, 'required'>;
export function childText<T>(name: string, scalar: Scalar<T>, namespace?: string): Field<T, 'required'>;
export function childText(
  name: string,
  scalar: Scalar<unknown> = str,
  namespace?: string,
): Field<unknown, 'required'> {
  const place = `/${name}`;
  return {
    presence: 'required',
    place,
    read: (element) => {
      const found = findChild(element, name, namespace ?? element.getNS());
      return found && readScalar(scalar, found.getText(), element, place);
    },
    write: (element, value) => {
      const added = new Element(name, namespace);
      const written = scalar.write(value);
      if (written !== '') added.t(written);
      element.cnode(added);
    },
  };
}

/** The texts of all children of a name: `<value>a</value><value>b</value>`. */
export function childTexts(name: string): Field<string[], 'defaulted'>;
export function childTexts<T>(name: string, scalar: Scalar<T>): Field<T[], 'defaulted'>;
export function childTexts(name: string, scalar: Scalar<unknown> = str): Field<unknown[], 'defaulted'> {
  const one = childText(name, scalar);
  return {
    presence: 'defaulted',
    place: one.place,
    fallback: [],
    read: (element) => {
      const namespace = element.getNS();
      return childElements(element)
        .filter((child) => child.getName() === name && child.getNS() === namespace)
        .map((child) => readScalar(scalar, child.getText(), element, one.place));
    },
    write: (element, values) => {
      for (const value of values) one.write(element, value);
    },
  };
}

/**
 * A text in several languages: `{ '': 'Hello', de: 'Hallo' }`, with the empty key for the one without `xml:lang`.
 * The first of each language wins.
 */
export function langText(name: string): Field<Readonly<Record<string, string>>, 'defaulted'> {
  return {
    presence: 'defaulted',
    place: `/${name}`,
    fallback: {},
    read: (element) => {
      const namespace = element.getNS();
      const found = new Map<string, string>();
      for (const child of childElements(element)) {
        if (child.getName() !== name || child.getNS() !== namespace) continue;
        const lang: unknown = child.attrs['xml:lang'];
        const key = typeof lang === 'string' ? lang : '';
        if (!found.has(key)) found.set(key, child.getText());
      }
      return Object.fromEntries(found);
    },
    write: (element, texts) => {
      for (const [lang, value] of Object.entries(texts)) {
        element.c(name, lang === '' ? undefined : { 'xml:lang': lang }).t(value);
      }
    },
  };
}

/** A child element. */
export function child<T, Input>(codec: ElementCodec<T, Input>): Field<T, 'required', Input> {
  return {
    presence: 'required',
    place: `/${codec.name}`,
    read: (element) => codec.find(element),
    write: (element, value, namespace) => {
      element.cnode(codec.encode(value, namespace));
    },
  };
}

/** All child elements of a kind; none is an empty list. */
export function children<T, Input>(codec: ElementCodec<T, Input>): Field<T[], 'defaulted', readonly Input[]> {
  return {
    presence: 'defaulted',
    place: `/${codec.name}`,
    fallback: [],
    read: (element) => codec.findAll(element),
    write: (element, values, namespace) => {
      for (const value of values) element.cnode(codec.encode(value, namespace));
    },
  };
}

/**
 * Those child elements of a kind that can be read, at most `limit`: for lists of a peer, where one bad entry, or a
 * thousand of them, must not spoil the rest.
 */
export function readableChildren<T, Input>(
  codec: ElementCodec<T, Input>,
  limit: number,
): Field<T[], 'defaulted', readonly Input[]> {
  return {
    ...children(codec),
    read: (element) => {
      const found: T[] = [];
      for (const candidate of childElements(element)) {
        if (found.length >= limit) break;
        if (!codec.matches(candidate)) continue;
        try {
          found.push(codec.decode(candidate));
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
        }
      }
      return found;
    },
  };
}

/** Whether an empty child is there: `<required/>`. In the same namespace unless another is given. */
export function flag(name: string, namespace?: string): Field<boolean, 'defaulted'> {
  return {
    presence: 'defaulted',
    place: `/${name}`,
    fallback: false,
    read: (element) => findChild(element, name, namespace ?? element.getNS()) !== undefined,
    write: (element, isThere) => {
      if (isThere) element.cnode(new Element(name, namespace));
    },
  };
}

/** Which children are meant: all, or those of a namespace, of a name, of both. */
interface Which {
  namespace?: string;
  name?: string;
}

/** The child elements as they are, for payloads that somebody else understands. */
export function rawChildren({ namespace, name }: Which = {}): Field<
  Element[],
  'defaulted',
  readonly Element[]
> {
  return {
    presence: 'defaulted',
    place: `/${name ?? '*'}`,
    fallback: [],
    read: (element) =>
      childElements(element).filter(
        (child) =>
          (namespace === undefined || child.getNS() === namespace) &&
          (name === undefined || child.getName() === name),
      ),
    write: (element, elements) => {
      for (const added of elements) element.cnode(added);
    },
  };
}

/** The first such child element as it is. */
export function rawChild(which: Which = {}): Field<Element, 'required'> {
  const all = rawChildren(which);
  return {
    presence: 'required',
    place: all.place,
    read: (element) => all.read(element)?.[0],
    write: (element, added) => all.write(element, [added]),
  };
}

/** A property that may be missing. */
export function optional<T, Input>(field: Field<T, 'required', Input>): Field<T, 'optional', Input> {
  return { ...field, presence: 'optional' };
}

/** What is read when it is missing; written only when it differs. */
export function withDefault<T extends string | number | boolean>(
  field: Field<T, 'required'>,
  fallback: T,
): Field<T, 'defaulted'> {
  return {
    ...field,
    presence: 'defaulted',
    fallback,
    write: (element, value, namespace) => {
      if (value !== fallback) field.write(element, value, namespace);
    },
  };
}

function findChild(element: Element, name: string, namespace: string | undefined): Element | undefined {
  for (const candidate of element.children) {
    if (
      candidate instanceof Element &&
      candidate.getName() === name &&
      (namespace === undefined || candidate.getNS() === namespace)
    ) {
      return candidate;
    }
  }
  return undefined;
}

function readScalar<T>(scalar: Scalar<T>, raw: string, element: Element, place: string): T {
  const value = scalar.read(raw);
  if (value === undefined) {
    const shown = raw.length > 60 ? `${raw.slice(0, 60)}…` : raw;
    throw new DecodeError(pathOf(element) + place, `"${shown}" is not ${scalar.what}`);
  }
  return value;
}
