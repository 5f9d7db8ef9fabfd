/** What is chosen, with a frame around it. */
import { NS_SVG } from '../allowed-svg.js';
import type { Camera } from './camera.js';
import type { Drawing } from './drawing.js';

export class Selection {
  readonly #ids = new Set<string>();
  readonly #marks = new Map<string, SVGElement>();

  constructor(
    private readonly drawing: Drawing,
    private readonly camera: Camera,
    private readonly layer: SVGElement,
  ) {}

  get ids(): string[] {
    return [...this.#ids];
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  choose(ids: readonly string[]): void {
    this.#ids.clear();
    for (const id of ids) this.#ids.add(id);
    this.redraw();
  }

  toggle(id: string): void {
    if (!this.#ids.delete(id)) this.#ids.add(id);
    this.redraw();
  }

  /** After anything has moved, or is gone. */
  redraw(): void {
    for (const id of this.#ids) if (!this.drawing.element(id)) this.#ids.delete(id);
    for (const [id, mark] of this.#marks) {
      if (this.#ids.has(id)) continue;
      mark.remove();
      this.#marks.delete(id);
    }
    for (const id of this.#ids) this.#draw(id);
  }

  #draw(id: string): void {
    const box = this.drawing.element(id)?.getBoundingClientRect();
    if (!box) return;
    let mark = this.#marks.get(id);
    if (!mark) {
      mark = document.createElementNS(NS_SVG, 'rect');
      mark.setAttribute('rx', '3');
      this.layer.append(mark);
      this.#marks.set(id, mark);
    }
    const from = this.camera.toDrawing(box.left - 5, box.top - 5);
    const to = this.camera.toDrawing(box.right + 5, box.bottom + 5);
    const sides = { x: from.x, y: from.y, width: to.x - from.x, height: to.y - from.y };
    for (const [side, value] of Object.entries(sides)) mark.setAttribute(side, value.toFixed(2));
  }
}
