/** Text is written in a field that lies where it will stand. */
import { MAX_TEXT_LENGTH } from '../allowed-svg.js';
import { formatNumber } from '../move-shape.js';
import { newGesture } from './live-change.js';
import { LiveShape } from './live-shape.js';
import type { At, Studio } from './tools.js';

/** Of text in units of the drawing, by the width of lines. */
const sizeOf = (width: number): number => 14 + width * 2;
/** From the top of a line to what its letters stand on. */
const ASCENT = 0.95;

/** @param id the text that is changed; a new one when it is none */
export function editText(studio: Studio, at: At, id: string | undefined): void {
  const { camera, drawing, stroke } = studio;
  const element = id === undefined ? undefined : drawing.element(id);
  const isOld = element?.localName === 'text' && element.childElementCount === 0;
  if (isOld && id !== undefined) {
    const box = element.getBoundingClientRect();
    const size = Number.parseFloat(getComputedStyle(element).fontSize) * camera.scale;
    const before = element.textContent;
    showInput({ left: box.left, top: box.top, size, colour: '' }, before, (text) => {
      if (text === before) return;
      if (text === '') studio.connection.act({ kind: 'erase', gesture: newGesture(), ids: [id] });
      else studio.connection.act({ kind: 'text', gesture: newGesture(), id, text });
    });
    return;
  }
  const size = sizeOf(stroke.width);
  const { x, y } = camera.toDrawing(at.clientX, at.clientY);
  const place = { left: at.clientX, top: at.clientY - size * camera.scale * ASCENT };
  showInput({ ...place, size: size * camera.scale, colour: stroke.colour }, '', (text) => {
    if (text === '') return;
    const attributes = {
      x: formatNumber(x),
      y: formatNumber(y),
      fill: stroke.colour,
      'font-size': formatNumber(size),
      'font-family': 'sans-serif',
    };
    new LiveShape(studio, studio.drafts, 'text', attributes, text).end();
  });
}

interface Look {
  left: number;
  top: number;
  size: number;
  colour: string;
}

function showInput({ left, top, size, colour }: Look, text: string, done: (text: string) => void): void {
  const input = document.createElement('input');
  input.id = 'text-input';
  input.setAttribute('aria-label', 'text');
  input.maxLength = MAX_TEXT_LENGTH;
  input.value = text;
  const { style } = input;
  style.left = `${left}px`;
  style.top = `${top}px`;
  style.fontSize = `${size}px`;
  style.color = colour;
  const fit = (): void => void (style.width = `${Math.max(4, input.value.length + 2)}ch`);
  let isOver = false;
  const end = (isKept: boolean): void => {
    if (isOver) return;
    isOver = true;
    input.remove();
    if (isKept) done(input.value.trim());
    document.querySelector<SVGElement>('#canvas')?.focus({ preventScroll: true });
  };
  input.addEventListener('input', fit);
  input.addEventListener('blur', () => end(true));
  input.addEventListener('keydown', (event) => {
    event.stopPropagation();
    if (event.key === 'Enter') end(true);
    if (event.key === 'Escape') end(false);
  });
  document.body.append(input);
  fit();
  // The pointer that has brought it would take the focus away again.
  requestAnimationFrame(() => input.focus());
}
