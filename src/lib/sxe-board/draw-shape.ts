/** The attributes of what is drawn with a tool between two points, or along many. */
import { formatNumber, type Point } from './move-shape.js';

export interface Stroke {
  colour: string;
  width: number;
}

export type ShapeTool = 'line' | 'rect' | 'ellipse';

/** @param isEven squares, circles, and lines in steps of 45° */
export function shapeBetween(
  tool: ShapeTool,
  from: Point,
  to: Point,
  isEven = false,
): Record<string, string> {
  const end = isEven ? evenEnd(tool, from, to) : to;
  const [left, right] = [Math.min(from.x, end.x), Math.max(from.x, end.x)];
  const [top, bottom] = [Math.min(from.y, end.y), Math.max(from.y, end.y)];
  switch (tool) {
    case 'line':
      return format({ x1: from.x, y1: from.y, x2: end.x, y2: end.y });
    case 'rect':
      return format({ x: left, y: top, width: right - left, height: bottom - top });
    case 'ellipse':
      return format({
        cx: (left + right) / 2,
        cy: (top + bottom) / 2,
        rx: (right - left) / 2,
        ry: (bottom - top) / 2,
      });
  }
}

function evenEnd(tool: ShapeTool, from: Point, to: Point): Point {
  const [x, y] = [to.x - from.x, to.y - from.y];
  if (tool === 'line') {
    const length = Math.hypot(x, y);
    const angle = (Math.round(Math.atan2(y, x) / (Math.PI / 4)) * Math.PI) / 4;
    return { x: from.x + length * Math.cos(angle), y: from.y + length * Math.sin(angle) };
  }
  const size = Math.max(Math.abs(x), Math.abs(y));
  return { x: from.x + (x < 0 ? -size : size), y: from.y + (y < 0 ? -size : size) };
}

function format(numbers: Record<string, number>): Record<string, string> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, formatNumber(value)]));
}

/**
 * A line through points, as a pen draws it. What is drawn is only added to, never changed, so that what has to be sent is
 * only what is new: a curve from the middle between two points to the next middle.
 */
export class PenPath {
  readonly #minDistance: number;
  readonly #digits: number;
  #last: Point;
  /** Where the curve has come to, with what was rounded. */
  #at: Point;
  #data: string;

  /** @param minDistance of two points, in units of the drawing */
  constructor(start: Point, minDistance: number) {
    this.#minDistance = minDistance;
    this.#digits = minDistance > 1 ? 1 : 2;
    this.#last = start;
    this.#at = { x: this.#round(start.x), y: this.#round(start.y) };
    // Of nothing but a beginning nothing would be seen.
    this.#data = `M${this.#at.x} ${this.#at.y}l0 0`;
  }

  get data(): string {
    return this.#data;
  }

  add(point: Point): void {
    if (Math.hypot(point.x - this.#last.x, point.y - this.#last.y) < this.#minDistance) return;
    const middle = { x: (this.#last.x + point.x) / 2, y: (this.#last.y + point.y) / 2 };
    this.#data += `q${this.#by(this.#last)} ${this.#by(middle)}`;
    this.#at = this.#after(middle);
    this.#last = point;
  }

  /** The last half of the way. */
  end(point: Point): void {
    this.add(point);
    if (this.#data.endsWith('l0 0')) return;
    this.#data += `l${this.#by(this.#last)}`;
    this.#at = this.#after(this.#last);
  }

  #by({ x, y }: Point): string {
    return `${this.#round(x - this.#at.x)} ${this.#round(y - this.#at.y)}`;
  }

  #after({ x, y }: Point): Point {
    return { x: this.#at.x + this.#round(x - this.#at.x), y: this.#at.y + this.#round(y - this.#at.y) };
  }

  #round(value: number): number {
    const factor = 10 ** this.#digits;
    // Minus zero is none.
    return Math.round(value * factor) / factor + 0;
  }
}
