/**
 * A change in progress: seen here at once, and by the others a few times a second, as one gesture. The next message waits for
 * the answer to the last one, so that a slow way gets fewer and not later ones.
 */
import type { ShapeChange } from '../messages.js';
import { setAttributes } from './build-node.js';
import type { Connection } from './connection.js';
import type { Drawing } from './drawing.js';

const INTERVAL_MS = 100;

export interface Desk {
  readonly connection: Connection;
  readonly drawing: Drawing;
}

let gestures = 0;
/** What belongs together has one name. */
export function newGesture(): string {
  gestures += 1;
  return `g${gestures.toString(36)}`;
}

type Attributes = Record<string, string>;

export class LiveChange {
  readonly #wanted = new Map<string, Attributes>();
  readonly #held = new Set<string>();
  #isBusy = false;
  #isEnded = false;
  #timer = 0;

  constructor(
    private readonly desk: Desk,
    private readonly gesture = newGesture(),
  ) {}

  /** Some attributes of a shape. */
  set(id: string, attributes: Attributes): void {
    const { drawing } = this.desk;
    const element = drawing.element(id);
    if (!element) return;
    if (!this.#held.has(id)) {
      this.#held.add(id);
      drawing.hold(id);
    }
    setAttributes(element, element.localName, Object.entries({ ...drawing.attributes(id), ...attributes }));
    this.#wanted.set(id, { ...this.#wanted.get(id), ...attributes });
    this.#timer ||= setTimeout(() => this.#flush(), INTERVAL_MS);
  }

  end(): void {
    this.#isEnded = true;
    this.#flush();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#isBusy) return;
    const changes = [...this.#wanted].map(([id, attributes]): ShapeChange => ({ id, attributes }));
    this.#wanted.clear();
    if (changes.length > 0) {
      this.#isBusy = true;
      this.desk.connection.act({ kind: 'change', gesture: this.gesture, changes }, () => {
        this.#isBusy = false;
        // Otherwise the timer says when.
        if (this.#isEnded || this.#timer === 0) this.#flush();
      });
    } else if (this.#isEnded) {
      for (const id of this.#held) this.desk.drawing.release(id);
      this.#held.clear();
    }
  }
}
