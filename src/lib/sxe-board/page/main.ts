/** The board: brings the drawing, the tools and the command together. */
import type { ToPage } from '../messages.js';
import { Camera, type Box } from './camera.js';
import { Connection } from './connection.js';
import { Drawing } from './drawing.js';
import { listenToKeys } from './keys.js';
import { LiveChange, newGesture } from './live-change.js';
import { get, Panels } from './panels.js';
import { People } from './people.js';
import { Pointer } from './pointer.js';
import { Selection } from './selection.js';
import { editText } from './text-input.js';
import { beginGesture, shapeAt, type Studio } from './tools.js';

const SAID_MS = 4000;

const canvas = get('canvas', SVGSVGElement);
const status = get('status', HTMLElement);
const drawing = new Drawing(get('drawing', SVGGElement));
const people = new People(
  get('people', HTMLElement),
  get('title', HTMLElement),
  get('tags', HTMLElement),
  drawing,
);
const camera = new Camera(get('camera', SVGGElement), () => {
  get('zoom-fit', HTMLButtonElement).textContent = `${Math.round(camera.scale * 100)}%`;
  people.move();
  selection.redraw();
});
const selection = new Selection(drawing, camera, get('marks', SVGGElement));
const connection = new Connection(takeMessage, (state) => {
  say(state === 'lost' ? 'The program is not there; trying again …' : '', true);
});
const panels = new Panels({
  onTool: (tool) => {
    if (tool !== 'select') selection.choose([]);
  },
  onStroke: ({ colour, width }) => recolour(colour, width),
});
const studio: Studio = {
  connection,
  drawing,
  camera,
  selection,
  drafts: get('drafts', SVGGElement),
  get stroke() {
    return panels.stroke;
  },
};
const pointer = new Pointer({
  canvas,
  camera,
  begin: (at) => {
    canvas.focus({ preventScroll: true });
    return connection.isOver || !drawing.root ? undefined : beginGesture(panels.tool, studio, at);
  },
});
let sayTimer = 0;
let isFitted = false;
let recoloured = { chosen: '', gesture: '' };

canvas.addEventListener('dblclick', (event) => {
  const id = shapeAt(studio, event);
  if (panels.tool === 'select' && id !== undefined && drawing.element(id)?.localName === 'text')
    editText(studio, event, id);
});
const centre = (): [number, number] => [innerWidth / 2, innerHeight / 2];
const onClick = (id: string, handler: () => void): void =>
  get(id, HTMLButtonElement).addEventListener('click', handler);
onClick('undo', () => connection.act({ kind: 'undo' }));
onClick('redo', () => connection.act({ kind: 'redo' }));
onClick('zoom-in', () => camera.zoomAt(...centre(), 1.25));
onClick('zoom-out', () => camera.zoomAt(...centre(), 0.8));
onClick('zoom-fit', fit);
listenToKeys({
  studio,
  panels,
  pointer,
  zoom: (factor) => camera.zoomAt(...centre(), factor),
  fit,
  say,
});

const dark = matchMedia('(prefers-color-scheme: dark)');
const setTheme = (isDark: boolean): void =>
  void (document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light');
setTheme(dark.matches);
dark.addEventListener('change', ({ matches }) => setTheme(matches));
onClick('theme', () => setTheme(document.documentElement.dataset['theme'] !== 'dark'));

function takeMessage(message: ToPage): void {
  switch (message.kind) {
    case 'document':
    case 'patch':
      drawing.apply(message);
      if (message.kind === 'document') {
        if (!message.isDrawing) say('This document is no drawing.', true);
        if (message.isCutOff) say('There is more in this drawing than can be shown here.', true);
      }
      afterChange();
      break;
    case 'people':
      people.show(message);
      break;
    case 'touched':
      people.touched(message);
      break;
    case 'history':
      get('undo', HTMLButtonElement).disabled = !message.canUndo;
      get('redo', HTMLButtonElement).disabled = !message.canRedo;
      break;
    case 'notice':
      say(message.text);
      break;
    case 'end':
      say(message.text, true);
      break;
    case 'done':
      break;
  }
}

function afterChange(): void {
  showFrame();
  selection.redraw();
  people.move();
  canvas.setAttribute('aria-label', `the drawing, ${drawing.shapes().length} shapes`);
  if (isFitted || !drawing.root) return;
  isFitted = true;
  fit();
}

/** How large the drawing says it is. Nobody has to keep to it. */
function frameOf(): Box | undefined {
  const attributes = drawing.rootAttributes;
  const [x = 0, y = 0, width = 0, height = 0] = (attributes.get('viewBox') ?? '').split(/[\s,]+/).map(Number);
  if (width > 0 && height > 0) return { x, y, width, height };
  const size = {
    width: Number.parseFloat(attributes.get('width') ?? ''),
    height: Number.parseFloat(attributes.get('height') ?? ''),
  };
  const isAbsolute = !(attributes.get('width') ?? '%').includes('%');
  return isAbsolute && size.width > 0 && size.height > 0 ? { x: 0, y: 0, ...size } : undefined;
}

function showFrame(): void {
  const frame = get('frame', SVGRectElement);
  const box = frameOf();
  frame.style.display = box ? '' : 'none';
  for (const [side, value] of Object.entries(box ?? {})) frame.setAttribute(side, String(value));
}

function fit(): void {
  const frame = frameOf();
  const content = drawing.root instanceof SVGGraphicsElement ? drawing.root.getBBox() : undefined;
  if (frame) camera.fit(frame);
  else if (content && content.width + content.height > 0) camera.fit(content);
  else camera.fit({ x: 0, y: 0, width: innerWidth, height: innerHeight });
}

/** What is chosen gets the colour and the width that are chosen; while it stays chosen that is one change. */
function recolour(colour: string, width: number): void {
  const chosen = selection.ids.join(' ');
  if (chosen !== recoloured.chosen) recoloured = { chosen, gesture: newGesture() };
  const change = new LiveChange(studio, recoloured.gesture);
  for (const id of selection.ids) {
    const { fill = '', stroke = '' } = drawing.attributes(id);
    const isLine = stroke !== '' && stroke !== 'none';
    if (isLine) change.set(id, { stroke: colour, 'stroke-width': String(width) });
    else if (fill !== 'none') change.set(id, { fill: colour });
  }
  change.end();
}

function say(text: string, isLasting = false): void {
  clearTimeout(sayTimer);
  status.textContent = text;
  if (!isLasting) sayTimer = setTimeout(() => (status.textContent = ''), SAID_MS);
}
