/** Fingers, pens and mice: one draws, two move the paper, and the wheel, too. */
import type { Camera } from './camera.js';
import type { At, Gesture } from './tools.js';

export interface PointerOptions {
  canvas: SVGSVGElement;
  camera: Camera;
  begin: (at: At) => Gesture | undefined;
}

interface Place {
  x: number;
  y: number;
}

export class Pointer {
  readonly #places = new Map<number, Place>();
  #gesture: Gesture | undefined;
  #isPanning = false;
  /** With the space bar the paper is moved. */
  isHand = false;

  constructor(private readonly options: PointerOptions) {
    const { canvas, camera } = options;
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    canvas.addEventListener('pointerup', (event) => this.#up(event, false));
    canvas.addEventListener('pointercancel', (event) => this.#up(event, true));
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
        const { clientX, clientY } = event;
        if (event.ctrlKey || event.metaKey)
          camera.zoomAt(clientX, clientY, Math.exp(-event.deltaY * unit * 0.004));
        else if (event.shiftKey) camera.pan(-(event.deltaX + event.deltaY) * unit, 0);
        else camera.pan(-event.deltaX * unit, -event.deltaY * unit);
      },
      { passive: false },
    );
  }

  /** Escape. @returns whether there was something to be taken back */
  cancel(): boolean {
    const gesture = this.#gesture;
    this.#gesture = undefined;
    gesture?.cancel();
    return gesture !== undefined;
  }

  #down(event: PointerEvent): void {
    const { canvas, begin } = this.options;
    if (event.button > 1) return;
    canvas.setPointerCapture(event.pointerId);
    this.#places.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.#places.size === 2) this.cancel();
    this.#isPanning = this.#places.size > 1 || event.button === 1 || this.isHand;
    canvas.classList.toggle('panning', this.#isPanning);
    if (this.#isPanning) event.preventDefault();
    else this.#gesture = begin(event);
  }

  #move(event: PointerEvent): void {
    const before = this.#places.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    if (this.#isPanning) this.#pan(event.pointerId, before, now);
    // What came between two frames is part of the line, too.
    else for (const each of allOf(event)) this.#gesture?.move(each);
    this.#places.set(event.pointerId, now);
  }

  #up(event: PointerEvent, isCancelled: boolean): void {
    if (!this.#places.delete(event.pointerId)) return;
    const gesture = this.#gesture;
    this.#gesture = undefined;
    if (isCancelled) gesture?.cancel();
    else gesture?.end(event);
    if (this.#places.size > 0) return;
    this.#isPanning = false;
    this.options.canvas.classList.remove('panning');
  }

  #pan(id: number, before: Place, now: Place): void {
    const { camera } = this.options;
    const other = [...this.#places].find(([each]) => each !== id)?.[1];
    if (!other) {
      camera.pan(now.x - before.x, now.y - before.y);
      return;
    }
    const distance = (place: Place): number => Math.hypot(place.x - other.x, place.y - other.y);
    camera.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    const factor = distance(now) / Math.max(1, distance(before));
    camera.zoomAt((now.x + other.x) / 2, (now.y + other.y) / 2, factor);
  }
}

function allOf(event: PointerEvent): PointerEvent[] {
  const events = event.getCoalescedEvents();
  return events.length > 0 ? events : [event];
}
