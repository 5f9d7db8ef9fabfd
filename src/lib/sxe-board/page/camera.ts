/** Which part of the drawing is seen, and how large. */
import type { Point } from '../move-shape.js';

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const [MIN_SCALE, MAX_SCALE] = [0.02, 50];
/** Of the width and the height, for the buttons. */
const MARGIN = 0.08;

export class Camera {
  #scale = 1;
  #x = 0;
  #y = 0;

  constructor(
    private readonly layer: SVGElement,
    private readonly onChange: () => void,
  ) {}

  get scale(): number {
    return this.#scale;
  }

  toDrawing(clientX: number, clientY: number): Point {
    return { x: (clientX - this.#x) / this.#scale, y: (clientY - this.#y) / this.#scale };
  }

  toScreen({ x, y }: Point): Point {
    return { x: x * this.#scale + this.#x, y: y * this.#scale + this.#y };
  }

  pan(dx: number, dy: number): void {
    this.#x += dx;
    this.#y += dy;
    this.#apply();
  }

  /** What is under the pointer stays there. */
  zoomAt(clientX: number, clientY: number, factor: number): void {
    const scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, this.#scale * factor));
    this.#x = clientX - ((clientX - this.#x) * scale) / this.#scale;
    this.#y = clientY - ((clientY - this.#y) * scale) / this.#scale;
    this.#scale = scale;
    this.#apply();
  }

  /** Everything, as large as there is room, and no larger than it is. */
  fit({ x, y, width, height }: Box): void {
    const part = 1 - 2 * MARGIN;
    const scale = Math.min(1, (innerWidth * part) / (width || 1), (innerHeight * part) / (height || 1));
    this.#scale = Math.max(MIN_SCALE, scale);
    this.#x = innerWidth / 2 - (x + width / 2) * this.#scale;
    this.#y = innerHeight / 2 - (y + height / 2) * this.#scale;
    this.#apply();
  }

  #apply(): void {
    const numbers = [this.#scale, 0, 0, this.#scale, this.#x, this.#y].map((value) => value.toFixed(4));
    this.layer.setAttribute('transform', `matrix(${numbers.join(' ')})`);
    this.onChange();
  }
}
