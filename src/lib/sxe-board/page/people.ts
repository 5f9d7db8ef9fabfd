/** Who is here, and where each has just drawn. Names are text, whatever they say. */
import type { ToPage } from '../messages.js';
import type { Drawing } from './drawing.js';

const SHOWN_MS = 2500;
const MAX_TAGS = 30;
const colours = ['#b4235a', '#0f766e', '#7c3aed', '#b45309', '#1d4ed8', '#15803d', '#be123c', '#0369a1'];

export class People {
  readonly #tags = new Map<string, { tag: HTMLElement; id: string; timer: number }>();

  constructor(
    private readonly list: HTMLElement,
    private readonly title: HTMLElement,
    private readonly layer: HTMLElement,
    private readonly drawing: Drawing,
  ) {}

  show({ own, others, title }: ToPage & { kind: 'people' }): void {
    this.title.textContent = title;
    document.title = `${title} – board`;
    const entries = others.map((name) => {
      const entry = document.createElement('li');
      entry.textContent = name;
      entry.style.background = colourOf(name);
      return entry;
    });
    const self = document.createElement('li');
    self.className = 'own';
    self.textContent = own;
    self.title = 'you';
    this.list.replaceChildren(self, ...entries);
  }

  touched({ id, name }: ToPage & { kind: 'touched' }): void {
    const known = this.#tags.get(name);
    if (!known && this.#tags.size >= MAX_TAGS) return;
    clearTimeout(known?.timer);
    const tag = known?.tag ?? document.createElement('span');
    if (!known) {
      tag.textContent = name;
      tag.style.background = colourOf(name);
      this.layer.append(tag);
    }
    const timer = setTimeout(() => {
      tag.remove();
      this.#tags.delete(name);
    }, SHOWN_MS);
    this.#tags.set(name, { tag, id, timer });
    this.move();
  }

  /** To where the shapes are now. */
  move(): void {
    for (const { tag, id } of this.#tags.values()) {
      const box = this.drawing.element(id)?.getBoundingClientRect();
      if (!box) continue;
      tag.style.left = `${box.right + 4}px`;
      tag.style.top = `${box.top - 2}px`;
    }
  }
}

function colourOf(name: string): string {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return colours[sum % colours.length] ?? '#555';
}
