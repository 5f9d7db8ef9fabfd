/** What the pointer does with each tool. */
import { PenPath, shapeBetween, type ShapeTool, type Stroke } from '../draw-shape.js';
import { movedAttributes, type Point } from '../move-shape.js';
import type { Camera } from './camera.js';
import { LiveChange, newGesture, type Desk } from './live-change.js';
import { LiveShape } from './live-shape.js';
import type { Selection } from './selection.js';
import { editText } from './text-input.js';

export const toolNames = ['select', 'pen', 'line', 'rect', 'ellipse', 'text', 'erase'] as const;
export type ToolName = (typeof toolNames)[number];

export interface Studio extends Desk {
  readonly camera: Camera;
  readonly selection: Selection;
  readonly drafts: SVGElement;
  readonly stroke: Readonly<Stroke>;
}

/** Where the pointer is. */
export interface At {
  clientX: number;
  clientY: number;
  shiftKey: boolean;
}

export interface Gesture {
  move: (at: At) => void;
  end: (at: At) => void;
  cancel: () => void;
}

/** A hand is less exact than a pen. */
const REACH_PX = [0, 4, 8];
const MIN_PEN_DISTANCE_PX = 3.5;
const MIN_SIZE_PX = 3;

export function beginGesture(tool: ToolName, studio: Studio, at: At): Gesture | undefined {
  switch (tool) {
    case 'pen':
      return draw(studio, at);
    case 'line':
    case 'rect':
    case 'ellipse':
      return drawShape(tool, studio, at);
    case 'select':
      return select(studio, at);
    case 'erase':
      return erase(studio, at);
    case 'text':
      editText(studio, at, shapeAt(studio, at));
      return undefined;
  }
}

/** The shape at a place, or beside it. */
export function shapeAt({ drawing }: Studio, { clientX, clientY }: At): string | undefined {
  for (const reach of REACH_PX) {
    for (let turn = 0; turn < 8; turn++) {
      const [x, y] = [Math.cos((turn * Math.PI) / 4) * reach, Math.sin((turn * Math.PI) / 4) * reach];
      const id = drawing.shapeOf(document.elementFromPoint(clientX + x, clientY + y));
      if (id !== undefined) return id;
      if (reach === 0) break;
    }
  }
  return undefined;
}

function draw(studio: Studio, at: At): Gesture {
  const { camera } = studio;
  const pointOf = ({ clientX, clientY }: At): Point => camera.toDrawing(clientX, clientY);
  const path = new PenPath(pointOf(at), MIN_PEN_DISTANCE_PX / camera.scale);
  const shape = new LiveShape(studio, studio.drafts, 'path', { d: path.data, ...strokeAttributes(studio) });
  return {
    move: (to) => {
      path.add(pointOf(to));
      shape.update({ d: path.data });
    },
    end: (to) => {
      path.end(pointOf(to));
      shape.update({ d: path.data });
      shape.end();
    },
    cancel: () => shape.cancel(),
  };
}

function drawShape(tool: ShapeTool, studio: Studio, at: At): Gesture {
  const { camera } = studio;
  const from = camera.toDrawing(at.clientX, at.clientY);
  let shape: LiveShape | undefined;
  const move = (to: At): void => {
    const attributes = shapeBetween(tool, from, camera.toDrawing(to.clientX, to.clientY), to.shiftKey);
    const isLarge = Math.hypot(to.clientX - at.clientX, to.clientY - at.clientY) >= MIN_SIZE_PX;
    if (shape) shape.update(attributes);
    else if (isLarge)
      shape = new LiveShape(studio, studio.drafts, tool, { ...attributes, ...strokeAttributes(studio) });
  };
  return {
    move,
    end: (to) => {
      move(to);
      shape?.end();
    },
    cancel: () => shape?.cancel(),
  };
}

function strokeAttributes({ stroke }: Studio): Record<string, string> {
  return {
    fill: 'none',
    stroke: stroke.colour,
    'stroke-width': String(stroke.width),
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
  };
}

function select(studio: Studio, at: At): Gesture | undefined {
  const { selection } = studio;
  const id = shapeAt(studio, at);
  if (id === undefined) {
    if (!at.shiftKey) selection.choose([]);
    return undefined;
  }
  if (at.shiftKey) selection.toggle(id);
  else if (!selection.has(id)) selection.choose([id]);
  const mover = new Mover(studio, selection.ids);
  const byOf = (to: At): Point => ({ x: to.clientX - at.clientX, y: to.clientY - at.clientY });
  return {
    move: (to) => mover.move(byOf(to)),
    end: (to) => mover.end(byOf(to)),
    cancel: () => mover.end({ x: 0, y: 0 }),
  };
}

/** Some shapes on their way. `isSure`: also when it is only a little. */
export class Mover {
  readonly #change: LiveChange;
  readonly #before: Map<string, Record<string, string>>;
  #hasMoved: boolean;

  constructor(
    private readonly studio: Studio,
    ids: readonly string[],
    isSure = false,
  ) {
    this.#hasMoved = isSure;
    this.#change = new LiveChange(studio);
    this.#before = new Map(ids.map((id) => [id, studio.drawing.attributes(id)]));
  }

  /** @param by pixels of the screen */
  move(by: Point): void {
    // A click is none.
    this.#hasMoved ||= Math.hypot(by.x, by.y) >= MIN_SIZE_PX;
    if (!this.#hasMoved) return;
    for (const [id, attributes] of this.#before) {
      const element = this.studio.drawing.element(id);
      if (element)
        this.#change.set(id, movedAttributes(element.localName, attributes, inParent(element, by)));
    }
    this.studio.selection.redraw();
  }

  end(by: Point): void {
    this.move(by);
    this.#change.end();
  }
}

/** A way on the screen in the coordinates that the attributes of a shape are in. */
function inParent(element: SVGGraphicsElement, { x, y }: Point): Point {
  const parent = element.parentElement;
  const matrix = parent instanceof SVGGraphicsElement ? parent.getScreenCTM() : null;
  const scale = matrix ? matrix.a * matrix.d - matrix.b * matrix.c : 0;
  if (!matrix || scale === 0) return { x, y };
  return { x: (matrix.d * x - matrix.c * y) / scale, y: (matrix.a * y - matrix.b * x) / scale };
}

function erase(studio: Studio, at: At): Gesture {
  const gesture = newGesture();
  const erased = new Set<string>();
  let last = at;
  const eraseAt = (to: At): void => {
    const id = shapeAt(studio, to);
    if (id === undefined || erased.has(id)) return;
    erased.add(id);
    studio.connection.act({ kind: 'erase', gesture, ids: [id] });
  };
  const move = (to: At): void => {
    // A quick hand leaves out what it crosses.
    const steps = Math.max(
      1,
      Math.ceil(Math.hypot(to.clientX - last.clientX, to.clientY - last.clientY) / 6),
    );
    for (let step = 1; step <= steps; step++) {
      const part = step / steps;
      eraseAt({
        clientX: last.clientX + (to.clientX - last.clientX) * part,
        clientY: last.clientY + (to.clientY - last.clientY) * part,
        shiftKey: false,
      });
    }
    last = to;
  };
  eraseAt(at);
  return { move, end: move, cancel: () => undefined };
}
