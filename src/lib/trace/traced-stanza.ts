/** What a unit of XML is: read from its start tag at once, the rest only when it is asked for. */
import {
  defaultScope,
  elementsOf,
  NS_STREAM,
  parseTraceElement,
  type NamespaceScope,
  type TraceElement,
} from './trace-element.js';
import type { TracedUnit } from './stanza-stream.js';

/** What `--kind` tells apart. */
export const unitKinds = ['message', 'presence', 'iq', 'nonza', 'stream', 'space', 'other'] as const;
export type StanzaKind = (typeof unitKinds)[number];

const NS_FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing';

export class TracedStanza {
  readonly kind: StanzaKind;
  /** The start tag, as an element without children; undefined for white space and for what is no XML. */
  readonly start: TraceElement | undefined;
  #tree: TraceElement | undefined;

  constructor(
    readonly unit: TracedUnit,
    private readonly scope: NamespaceScope = defaultScope,
  ) {
    const hasElement = unit.kind === 'element' || unit.kind === 'header' || unit.kind === 'incomplete';
    this.start = hasElement ? parseTraceElement(startTagOf(unit.text), scope) : undefined;
    this.kind = kindOf(unit, this.start);
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
    return tree !== undefined && isAnyIn(tree, namespace);
  }
}

function isAnyIn(element: TraceElement, namespace: string): boolean {
  return element.namespace === namespace || elementsOf(element).some((child) => isAnyIn(child, namespace));
}

const startTag =
  /^(?:\s|<\?[\s\S]*?\?>|<!--[\s\S]*?-->)*<[^\s<>/!?][^<>"']*(?:(?:"[^"]*"|'[^']*')[^<>"']*)*>/;

function startTagOf(text: string): string {
  return startTag.exec(text)?.[0] ?? text;
}

function kindOf(unit: TracedUnit, start: TraceElement | undefined): StanzaKind {
  switch (unit.kind) {
    case 'header':
    case 'footer':
      return 'stream';
    case 'space':
      return 'space';
    case 'other':
      return 'other';
    case 'element':
    case 'incomplete':
      if (start === undefined) return 'other';
      if (start.namespace === NS_STREAM || start.namespace === NS_FRAMING) return 'stream';
      if (start.name === 'message' || start.name === 'presence' || start.name === 'iq') return start.name;
      return 'nonza';
  }
}
