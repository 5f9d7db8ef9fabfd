/** The drawing as elements of the page: the same ones as long as the records are there. */
import type { BoardNode, PlacedNode, ToPage } from '../messages.js';
import { buildElement, setAttributes } from './build-node.js';

interface Known {
  node: BoardNode;
  shown: SVGElement | Text;
}

/** What can be chosen, moved and erased. */
const shapeNames = new Set(['path', 'rect', 'circle', 'ellipse', 'line', 'polyline', 'polygon', 'text']);

export class Drawing {
  readonly #known = new Map<string, Known>();
  readonly #ids = new WeakMap<Node, string>();
  /** What is just being changed here: what comes of others waits until then. */
  readonly #held = new Map<string, number>();
  #root: SVGElement | undefined;

  constructor(private readonly host: SVGElement) {}

  /** Where new shapes go. */
  get root(): SVGElement | undefined {
    return this.#root;
  }

  /** Of the root, where the size of the drawing is. */
  get rootAttributes(): ReadonlyMap<string, string> {
    const id = this.#root && this.#ids.get(this.#root);
    const node = this.#known.get(id ?? '')?.node;
    return new Map(node?.kind === 'element' ? node.attributes : []);
  }

  /** Ids of what can be chosen, from the bottom to the top. */
  shapes(): string[] {
    const ids: string[] = [];
    for (const element of this.host.querySelectorAll<SVGElement>('*')) {
      const id = this.#ids.get(element);
      if (id !== undefined && shapeNames.has(element.localName)) ids.push(id);
    }
    return ids;
  }

  element(id: string): SVGGraphicsElement | undefined {
    const shown = this.#known.get(id)?.shown;
    return shown instanceof SVGGraphicsElement ? shown : undefined;
  }

  /** As they are shown, which may be more than others know. */
  attributes(id: string): Record<string, string> {
    const element = this.element(id);
    return Object.fromEntries([...(element?.attributes ?? [])].map(({ name, value }) => [name, value]));
  }

  /** The shape that an element of the page is, or is part of. */
  shapeOf(target: Element | null): string | undefined {
    for (let element = target; element && element !== this.host; element = element.parentElement) {
      if (shapeNames.has(element.localName)) return this.#ids.get(element);
    }
    return undefined;
  }

  hold(id: string): void {
    this.#held.set(id, (this.#held.get(id) ?? 0) + 1);
  }

  release(id: string): void {
    const count = (this.#held.get(id) ?? 1) - 1;
    if (count > 0) {
      this.#held.set(id, count);
      return;
    }
    this.#held.delete(id);
    const known = this.#known.get(id);
    if (known) this.#show(known);
  }

  /** What was drawn here has become a record. It is held. */
  adopt(id: string, element: SVGElement): void {
    this.hold(id);
    const known = this.#known.get(id);
    if (known) {
      element.remove();
      return;
    }
    const attributes = [...element.attributes].map(({ name, value }): [string, string] => [name, value]);
    this.#known.set(id, {
      node: { id, kind: 'element', name: element.localName, attributes },
      shown: element,
    });
    this.#ids.set(element, id);
    this.#root?.append(element);
  }

  apply(message: ToPage & { kind: 'document' | 'patch' }): void {
    if (message.kind === 'document') {
      this.host.replaceChildren();
      this.#known.clear();
      this.#root = undefined;
      for (const node of message.nodes) this.#put(node);
      return;
    }
    for (const node of message.put) this.#put(node);
    for (const node of message.changed) {
      const known = this.#known.get(node.id);
      if (!known) continue;
      known.node = node;
      this.#show(known);
    }
    // After what was in it has been put elsewhere.
    for (const id of message.gone) {
      const known = this.#known.get(id);
      if (known?.shown === this.#root) this.#root = undefined;
      known?.shown.remove();
      this.#known.delete(id);
      this.#held.delete(id);
    }
  }

  #put(node: PlacedNode): void {
    const shown = this.#shownFor(node);
    const known: Known = { node, shown };
    this.#known.set(node.id, known);
    this.#ids.set(shown, node.id);
    if (node.parent === '') this.#root = shown instanceof SVGElement ? shown : undefined;
    const parent = node.parent === '' ? this.host : this.#known.get(node.parent)?.shown;
    // Of what was drawn here the text was there before it had a record.
    for (const child of [...(parent?.childNodes ?? [])]) if (!this.#ids.has(child)) child.remove();
    const after = this.#known.get(node.after)?.shown;
    if (parent instanceof SVGElement && !shown.contains(parent)) {
      if (after?.parentNode === parent) after.after(shown);
      else parent.prepend(shown);
    }
    this.#show(known);
  }

  /** The one there is, if it is of that kind. What is in it stays in it. */
  #shownFor(node: PlacedNode): SVGElement | Text {
    const before = this.#known.get(node.id)?.shown;
    if (node.kind === 'text') {
      if (before instanceof Text) return before;
      before?.remove();
      return document.createTextNode('');
    }
    // The root is no window of its own: what is beside it is seen, too.
    const name = node.parent === '' ? 'g' : node.name;
    if (before instanceof SVGElement && before.localName === name) return before;
    const element = buildElement(name);
    if (before instanceof SVGElement) element.append(...before.childNodes);
    before?.remove();
    return element;
  }

  #show({ node, shown }: Known): void {
    if (this.#held.has(node.id)) return;
    if (node.kind === 'text') shown.textContent = node.text;
    else if (shown instanceof SVGElement && shown !== this.#root)
      setAttributes(shown, node.name, node.attributes);
  }
}
