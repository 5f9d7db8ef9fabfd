/**
 * Elements declared once: the TypeScript type is inferred, reading and writing both come from the declaration.
 *
 *     const Header = element(NS_UPLOAD, 'header', { name: attr('name'), value: text() });
 *     const Put = element(NS_UPLOAD, 'put', { url: attr('url'), headers: children(Header) });
 *     export const Slot = element(NS_UPLOAD, 'slot', { put: child(Put) });
 *     export type Slot = Infer<typeof Slot>;
 *
 *     Slot.decode(reply)            // { put: { url: string; headers: { name: string; value: string }[] } }
 *     Slot.encode({ put: { url } }) // what has a default may be left out
 *
 * Unknown attributes and children are ignored on reading. Fields are in `fields.ts`, scalars in `scalars.ts`.
 */
import { DecodeError } from '../errors.js';
import { Element, childElements } from './element.js';

/** `required`: reading fails without it. `optional`: a property that may be missing. `defaulted`: always read, need not be written. */
export type Presence = 'required' | 'optional' | 'defaulted';

/** One property of an element: where it is found, and where it is written. */
export interface Field<T, P extends Presence = Presence, Input = T> {
  readonly presence: P;
  /** Appended to the element's path in an error: `@url`, `/put`. */
  readonly place: string;
  /** `undefined` when it is not there. @throws DecodeError it is there and wrong */
  read(element: Element): T | undefined;
  /** @param namespace the namespace of `element`, which may be inherited from where it is going to be put */
  write(element: Element, value: Input, namespace?: string): void;
  /** The value of a `defaulted` field that is not there. */
  readonly fallback?: T;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

type Simplify<T> = { [K in keyof T]: T[K] };
type KeysOf<F extends Fields, P extends Presence> = {
  [K in keyof F]: F[K]['presence'] extends P ? K : never;
}[keyof F];
type Read<X> = X extends Field<infer T, Presence, infer _> ? T : never;
type Written<X> = X extends Field<infer _, Presence, infer Input> ? Input : never;

export type ReadValue<F extends Fields> = Simplify<
  { [K in KeysOf<F, 'required' | 'defaulted'>]: Read<F[K]> } & {
    [K in KeysOf<F, 'optional'>]?: Read<F[K]> | undefined;
  }
>;
export type WrittenValue<F extends Fields> = Simplify<
  { [K in KeysOf<F, 'required'>]: Written<F[K]> } & {
    [K in KeysOf<F, 'optional' | 'defaulted'>]?: Written<F[K]> | undefined;
  }
>;

export interface ElementCodec<T, Input = T> {
  readonly name: string;
  /** `undefined`: whatever namespace it is in (a stanza is in `jabber:client` or `jabber:component:accept`). */
  readonly namespace: string | undefined;
  matches(element: Element): boolean;
  /** @throws DecodeError it is another element, or something is missing or of the wrong kind */
  decode(element: Element): T;
  /** The first such child of `parent`, if there is one. @throws DecodeError */
  find(parent: Element): T | undefined;
  /** All such children. @throws DecodeError */
  findAll(parent: Element): T[];
  /** @param inheritedNamespace the namespace of the element it will be put into, which need not be declared again */
  encode(value: Input, inheritedNamespace?: string): Element;
}

/** The value a codec reads. */
export type Infer<C> = C extends ElementCodec<infer T, infer _> ? T : never;
/** The value a codec writes: the same, but what has a default may be left out. */
export type InferInput<C> = C extends ElementCodec<infer _, infer Input> ? Input : never;

export function element<F extends Fields>(
  namespace: string | undefined,
  name: string,
  fields: F,
): ElementCodec<ReadValue<F>, WrittenValue<F>> {
  const entries = Object.entries(fields);
  const codec: ElementCodec<ReadValue<F>, WrittenValue<F>> = {
    name,
    namespace,
    matches: (candidate) =>
      candidate.getName() === name && (namespace === undefined || candidate.getNS() === namespace),
    decode: (source) => {
      if (!codec.matches(source)) {
        throw new DecodeError(pathOf(source), `expected <${name}/>${namespace ? ` in ${namespace}` : ''}`);
      }
      const value: Record<string, unknown> = {};
      for (const [key, field] of entries) {
        const read = field.read(source);
        if (read !== undefined) value[key] = read;
        else if (field.presence === 'defaulted') value[key] = field.fallback;
        else if (field.presence === 'required')
          throw new DecodeError(pathOf(source) + field.place, 'it is missing');
      }
      return value as ReadValue<F>;
    },
    find: (parent) => {
      for (const candidate of parent.children) {
        if (candidate instanceof Element && codec.matches(candidate)) return codec.decode(candidate);
      }
      return undefined;
    },
    findAll: (parent) =>
      childElements(parent)
        .filter((candidate) => codec.matches(candidate))
        .map((candidate) => codec.decode(candidate)),
    encode: (value, inheritedNamespace) => {
      const target = new Element(name);
      if (namespace !== undefined && namespace !== inheritedNamespace) target.attrs['xmlns'] = namespace;
      const given = value as Record<string, unknown>;
      for (const [key, field] of entries) {
        const property = given[key];
        if (property !== undefined) field.write(target, property, namespace ?? inheritedNamespace);
      }
      return target;
    },
  };
  return codec;
}

/** An element without content: `<active xmlns='…'/>`. */
export function emptyElement(namespace: string | undefined, name: string) {
  return element(namespace, name, {});
}

/** Where an element is, for a person: `iq/query/item[2]`. */
export function pathOf(source: Element): string {
  const name = source.getName();
  const parent = source.parent;
  if (!parent || parent.getName() === 'stream') return name;
  const twins = childElements(parent).filter((sibling) => sibling.getName() === name);
  return `${pathOf(parent)}/${name}${twins.length > 1 ? `[${twins.indexOf(source) + 1}]` : ''}`;
}
