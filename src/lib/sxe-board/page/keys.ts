/** What the keys do. */
import type { Panels } from './panels.js';
import type { Pointer } from './pointer.js';
import { Mover, type Studio, type ToolName } from './tools.js';
import { newGesture } from './live-change.js';

const tools: ReadonlyMap<string, ToolName> = new Map([
  ['v', 'select'],
  ['p', 'pen'],
  ['l', 'line'],
  ['r', 'rect'],
  ['e', 'ellipse'],
  ['t', 'text'],
  ['x', 'erase'],
]);
const arrows: ReadonlyMap<string, { x: number; y: number }> = new Map([
  ['ArrowLeft', { x: -1, y: 0 }],
  ['ArrowRight', { x: 1, y: 0 }],
  ['ArrowUp', { x: 0, y: -1 }],
  ['ArrowDown', { x: 0, y: 1 }],
]);

export interface KeyOptions {
  studio: Studio;
  panels: Panels;
  pointer: Pointer;
  zoom: (factor: number) => void;
  fit: () => void;
  say: (text: string) => void;
}

export function listenToKeys(options: KeyOptions): void {
  const { pointer } = options;
  document.addEventListener('keydown', (event) => {
    if (event.target instanceof HTMLInputElement) return;
    // Buttons are pressed with it.
    if (event.key === ' ' && !(event.target instanceof HTMLButtonElement)) {
      pointer.isHand = true;
      event.preventDefault();
    } else if (event.ctrlKey || event.metaKey ? pressWithControl(event, options) : press(event, options))
      event.preventDefault();
  });
  document.addEventListener('keyup', (event) => {
    if (event.key === ' ') pointer.isHand = false;
  });
}

/** @returns whether the key means something here */
function pressWithControl(event: KeyboardEvent, { studio }: KeyOptions): boolean {
  const { connection, selection, drawing } = studio;
  switch (event.key.toLowerCase()) {
    case 'z':
      connection.act({ kind: event.shiftKey ? 'redo' : 'undo' });
      return true;
    case 'y':
      connection.act({ kind: 'redo' });
      return true;
    case 'a':
      selection.choose(drawing.shapes());
      return true;
    default:
      return false;
  }
}

function press(event: KeyboardEvent, options: KeyOptions): boolean {
  if (event.altKey) return false;
  const { studio, panels, pointer, zoom, fit } = options;
  const { selection, connection, camera } = studio;
  const tool = tools.get(event.key.toLowerCase());
  if (tool) {
    panels.choose(tool);
    return true;
  }
  const arrow = arrows.get(event.key);
  if (arrow) {
    const way = event.shiftKey ? 10 : 1;
    if (selection.ids.length > 0) {
      const by = { x: arrow.x * way * camera.scale, y: arrow.y * way * camera.scale };
      new Mover(studio, selection.ids, true).end(by);
    } else camera.pan(-arrow.x * 40, -arrow.y * 40);
    return true;
  }
  switch (event.key) {
    case 'Delete':
    case 'Backspace':
      if (selection.ids.length > 0)
        connection.act({ kind: 'erase', gesture: newGesture(), ids: selection.ids });
      return true;
    case 'Escape':
      if (!pointer.cancel()) selection.choose([]);
      return true;
    case '+':
    case '=':
      zoom(1.25);
      return true;
    case '-':
      zoom(0.8);
      return true;
    case '0':
      fit();
      return true;
    case '[':
    case ']':
      panels.step('width', event.key === ']' ? 1 : -1);
      return true;
    case 'c':
    case 'C':
      panels.step('colour', event.shiftKey ? -1 : 1);
      return true;
    case 'n':
    case 'N':
      chooseNext(options, event.shiftKey ? -1 : 1);
      return true;
    default:
      return false;
  }
}

/** For those who have no pointer. */
function chooseNext({ studio, panels, say }: KeyOptions, step: 1 | -1): void {
  const { drawing, selection } = studio;
  const ids = drawing.shapes();
  const now = ids.indexOf(selection.ids[0] ?? '');
  const next = ids.at(now < 0 && step < 0 ? -1 : (now + step) % ids.length);
  if (next === undefined) return;
  panels.choose('select');
  selection.choose([next]);
  const element = drawing.element(next);
  const text = element?.localName === 'text' ? ` ${element.textContent}` : '';
  say(`${element?.localName ?? ''}${text}, ${ids.indexOf(next) + 1} of ${ids.length}`);
}
