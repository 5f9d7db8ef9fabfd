/** A shape that is being drawn: a draft until the command has made a record of it, and changed from then on. */
import { buildElement, setAttributes } from './build-node.js';
import { LiveChange, newGesture, type Desk } from './live-change.js';

export class LiveShape {
  readonly #element: SVGElement;
  readonly #gesture = newGesture();
  #attributes: Record<string, string>;
  #id: string | undefined;
  #change: LiveChange | undefined;
  #isEnded = false;
  #isCancelled = false;

  constructor(
    private readonly desk: Desk,
    drafts: SVGElement,
    private readonly name: string,
    private readonly drawn: Readonly<Record<string, string>>,
    text?: string,
  ) {
    const attributes = { ...drawn };
    this.#element = buildElement(name);
    this.#attributes = attributes;
    setAttributes(this.#element, name, Object.entries(attributes));
    if (text !== undefined) this.#element.textContent = text;
    drafts.append(this.#element);
    desk.connection.act({ kind: 'draw', gesture: this.#gesture, shape: { name, attributes, text } }, (made) =>
      this.#onMade(made),
    );
  }

  update(attributes: Record<string, string>): void {
    this.#attributes = { ...this.#attributes, ...attributes };
    if (this.#id === undefined) setAttributes(this.#element, this.name, Object.entries(this.#attributes));
    else this.#change?.set(this.#id, attributes);
  }

  end(): void {
    this.#isEnded = true;
    this.#change?.end();
  }

  /** It is taken back. */
  cancel(): void {
    this.#isCancelled = true;
    this.end();
    if (this.#id !== undefined) this.desk.connection.act({ kind: 'undo' });
  }

  #onMade(id: string | undefined): void {
    if (id === undefined) {
      this.#element.remove();
      return;
    }
    const { drawing } = this.desk;
    this.#id = id;
    drawing.adopt(id, this.#element);
    this.#change = new LiveChange(this.desk, this.#gesture);
    const since = Object.entries(this.#attributes).filter(([name, value]) => this.drawn[name] !== value);
    if (since.length > 0) this.#change.set(id, Object.fromEntries(since));
    drawing.release(id);
    if (this.#isEnded) this.#change.end();
    if (this.#isCancelled) this.desk.connection.act({ kind: 'undo' });
  }
}
