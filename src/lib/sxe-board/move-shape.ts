/** What moving a shape changes of its attributes. */

export interface Point {
  x: number;
  y: number;
}

type Attributes = Readonly<Record<string, string>>;

/** Shapes whose place is said by numbers, where no transformation comes between. */
const coordinates: ReadonlyMap<string, { x: readonly string[]; y: readonly string[] }> = new Map([
  ['rect', { x: ['x'], y: ['y'] }],
  ['circle', { x: ['cx'], y: ['cy'] }],
  ['ellipse', { x: ['cx'], y: ['cy'] }],
  ['line', { x: ['x1', 'x2'], y: ['y1', 'y2'] }],
  ['text', { x: ['x'], y: ['y'] }],
]);
const PLAIN = /^\s*[-+]?(\d+\.?\d*|\.\d+)\s*$/;
const TRANSLATE = /^\s*translate\(\s*([-+.\deE]+)(?:[\s,]+([-+.\deE]+))?\s*\)\s*/;

/**
 * @param by in the coordinates of the parent
 * @returns the attributes that become others
 */
export function movedAttributes(name: string, attributes: Attributes, by: Point): Record<string, string> {
  const places = coordinates.get(name);
  if (places && attributes['transform'] === undefined) {
    const moved: Record<string, string> = {};
    for (const axis of ['x', 'y'] as const) {
      for (const attribute of places[axis]) moved[attribute] = add(attributes[attribute] ?? '0', by[axis]);
    }
    if (Object.values(moved).every((value) => value !== '')) return moved;
  }
  return { transform: movedTransform(attributes['transform'] ?? '', by) };
}

function movedTransform(transform: string, by: Point): string {
  const [whole = '', x = '0', y = '0'] = TRANSLATE.exec(transform) ?? [];
  const first = `translate(${formatNumber(Number(x) + by.x)} ${formatNumber(Number(y) + by.y)})`;
  return `${first} ${transform.slice(whole.length)}`.trim();
}

/** Empty: it is in other units. */
function add(value: string, by: number): string {
  return PLAIN.test(value) ? formatNumber(Number(value) + by) : '';
}

/** Hundredths of a unit are enough for everybody. */
export function formatNumber(value: number): string {
  const rounded = Math.round(value * 100) / 100;
  return Number.isFinite(rounded) ? String(rounded === 0 ? 0 : rounded) : '0';
}
