/** The buttons around the drawing. */
import type { Stroke } from '../draw-shape.js';
import { toolNames, type ToolName } from './tools.js';

const palette = ['#1f2937', '#dc2626', '#ea580c', '#16a34a', '#2563eb', '#9333ea'];
const paletteNames = ['black', 'red', 'orange', 'green', 'blue', 'purple'];

export function get<T extends Element>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new TypeError(`the page has no ${id}`);
  return element;
}

export interface PanelHandlers {
  onTool: (tool: ToolName) => void;
  /** Colour or width were chosen. */
  onStroke: (stroke: Stroke) => void;
}

export class Panels {
  #tool: ToolName = 'pen';
  #stroke: Stroke = { colour: palette[0] ?? '', width: 3 };
  readonly #buttons = [...document.querySelectorAll<HTMLButtonElement>('[data-tool]')];
  readonly #swatches: HTMLButtonElement[];
  readonly #picker = get('colour', HTMLInputElement);
  readonly #width = get('width', HTMLInputElement);

  constructor(private readonly handlers: PanelHandlers) {
    for (const button of this.#buttons) {
      button.setAttribute('aria-label', button.title.replace(/ \(.*/, ''));
      button.addEventListener('click', () =>
        this.choose(toolNames.find((name) => name === button.dataset['tool'])),
      );
    }
    this.#swatches = palette.map((colour, index) => this.#makeSwatch(colour, paletteNames[index] ?? colour));
    get('colours', HTMLElement).append(...this.#swatches);
    this.#picker.addEventListener('input', () => this.#setStroke({ colour: this.#picker.value }));
    this.#width.addEventListener('input', () => this.#setStroke({ width: Number(this.#width.value) }));
    this.choose(this.#tool);
    this.#showStroke();
    for (const id of ['undo', 'redo', 'zoom-in', 'zoom-out', 'zoom-fit', 'theme']) {
      const button = get(id, HTMLButtonElement);
      button.setAttribute('aria-label', button.title.replace(/ \(.*/, ''));
    }
  }

  get tool(): ToolName {
    return this.#tool;
  }

  get stroke(): Readonly<Stroke> {
    return this.#stroke;
  }

  choose(tool: ToolName | undefined): void {
    if (!tool) return;
    this.#tool = tool;
    for (const button of this.#buttons)
      button.setAttribute('aria-pressed', String(button.dataset['tool'] === tool));
    get('canvas', SVGSVGElement).dataset['tool'] = tool;
    this.handlers.onTool(tool);
  }

  /** One colour further, or one width. */
  step(what: 'colour' | 'width', by: 1 | -1): void {
    if (what === 'width') {
      this.#setStroke({ width: Math.min(24, Math.max(1, this.#stroke.width + by)) });
      return;
    }
    const index = palette.indexOf(this.#stroke.colour);
    this.#setStroke({
      colour: palette[(index + by + palette.length) % palette.length] ?? this.#stroke.colour,
    });
  }

  #makeSwatch(colour: string, name: string): HTMLButtonElement {
    const swatch = document.createElement('button');
    swatch.type = 'button';
    swatch.className = 'swatch';
    swatch.setAttribute('role', 'radio');
    swatch.setAttribute('aria-label', name);
    swatch.title = name;
    swatch.dataset['colour'] = colour;
    swatch.style.background = colour;
    swatch.addEventListener('click', () => this.#setStroke({ colour }));
    return swatch;
  }

  #setStroke(change: Partial<Stroke>): void {
    this.#stroke = { ...this.#stroke, ...change };
    this.#showStroke();
    this.handlers.onStroke(this.#stroke);
  }

  #showStroke(): void {
    const { colour, width } = this.#stroke;
    for (const swatch of this.#swatches)
      swatch.setAttribute('aria-checked', String(swatch.dataset['colour'] === colour));
    this.#width.value = String(width);
    const { style } = get('dot', HTMLElement);
    style.width = style.height = `${Math.max(3, width)}px`;
    style.color = colour;
  }
}
