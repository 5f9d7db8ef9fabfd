/** What a unit of XML is. Nothing is read before it is asked for: most of a large trace is looked at only once. */
import { readPlainElement } from './plain-element.js';
import {
  defaultScope,
  NS_STREAM,
  parseTraceElement,
  walkElements,
  type NamespaceScope,
  type TraceElement,
} from './trace-element.js';
import type { Unit } from './unit-splitter.js';
import { GT, isSpace, LT, SLASH } from './xml-bytes.js';

/** What `--kind` tells apart. */
export const unitKinds = ['message', 'presence', 'iq', 'nonza', 'stream', 'space', 'other'] as const;
export type StanzaKind = (typeof unitKinds)[number];

const NS_FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing';

export class TracedStanza {
  readonly kind: StanzaKind;
  #start: { element: TraceElement | undefined } | undefined;
  #tree: TraceElement | undefined;

  constructor(
    readonly unit: Unit,
    private readonly scope: NamespaceScope = defaultScope,
  ) {
    this.kind = kindOf(unit, () => this.start);
  }

  /** The start tag, as an element without children; undefined for white space and for what is no XML. */
  get start(): TraceElement | undefined {
    this.#start ??= { element: this.#readStart() };
    return this.#start.element;
  }

  #readStart(): TraceElement | undefined {
    const { kind, text } = this.unit;
    const hasElement = kind === 'element' || kind === 'header' || kind === 'incomplete';
    if (!hasElement) return undefined;
    return readPlainElement(text, this.scope, true) ?? parseTraceElement(startTagOf(text), this.scope);
  }

  /** The whole element. */
  get tree(): TraceElement | undefined {
    this.#tree ??= this.start && parseTraceElement(this.unit.text, this.scope);
    return this.#tree;
  }

  attribute(name: string): string | undefined {
    return this.start?.attributes[name];
  }

  /** Whether the element or one inside of it is in a namespace. */
  hasNamespace(namespace: string): boolean {
    const { tree } = this;
    if (tree === undefined) return false;
    for (const element of walkElements(tree)) if (element.namespace === namespace) return true;
    return false;
  }
}

const startTag =
  /^(?:\s|<\?[\s\S]*?\?>|<!--[\s\S]*?-->)*<[^\s<>/!?][^<>"']*(?:(?:"[^"]*"|'[^']*')[^<>"']*)*>/;

function startTagOf(text: string): string {
  return startTag.exec(text)?.[0] ?? text;
}

/** Nearly every unit of a trace, told without reading more of it. */
const plainStanzas = ['message', 'iq', 'presence'] as const;

function kindOf(unit: Unit, readStart: () => TraceElement | undefined): StanzaKind {
  switch (unit.kind) {
    case 'header':
    case 'footer':
      return 'stream';
    case 'space':
      return 'space';
    case 'other':
      return 'other';
    case 'element':
    case 'incomplete': {
      for (const name of plainStanzas) if (isNamed(unit.text, name)) return name;
      const start = readStart();
      if (start === undefined) return 'other';
      if (start.namespace === NS_STREAM || start.namespace === NS_FRAMING) return 'stream';
      return isStanzaName(start.name) ? start.name : 'nonza';
    }
  }
}

function isNamed(text: string, name: string): boolean {
  if (!text.startsWith(name, 1)) return false;
  const next = text.charCodeAt(name.length + 1);
  return text.charCodeAt(0) === LT && (isSpace(next) || next === SLASH || next === GT);
}

function isStanzaName(name: string): name is 'message' | 'presence' | 'iq' {
  return name === 'message' || name === 'presence' || name === 'iq';
}
