/**
 * What of an SVG document the board shows, and what it lets anybody draw: shapes and text, with values that are numbers,
 * colours, paths and words from lists. Everything is refused that is not named here: scripts, handlers of events, links,
 * styles, whatever fetches something, and ids, by which a page can be confused about its own elements.
 *
 * The command sends nothing else to the page, and the page looks again before it makes an element.
 */
export const NS_SVG = 'http://www.w3.org/2000/svg';

/** Longer values, as those of traced photographs, are not shown. */
export const MAX_VALUE_LENGTH = 200_000;
export const MAX_TEXT_LENGTH = 20_000;

const NUMBER = String.raw`[-+]?(?:\d{1,12}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][-+]?\d{1,2})?`;
const SEPARATOR = String.raw`[\s,]{1,8}`;
const length = new RegExp(`^\\s{0,8}${NUMBER}(?:px|pt|pc|mm|cm|in|em|ex|%)?\\s{0,8}$`);
const numbers = /^[-+\d.eE\s,]+$/;
const lengths = /^(?:none|[-+\d.eE\s,%a-z]{1,2000})$/;
const colour =
  /^\s{0,8}(?:[a-zA-Z]{3,30}|#[\da-fA-F]{3,8}|(?:rgb|hsl)a?\(\s{0,4}[-\d.%\s,/deg]{1,60}\))\s{0,8}$/;
const path = /^[-+\d.eE\s,MmZzLlHhVvCcSsQqTtAa]*$/;
const transform = new RegExp(
  `^\\s{0,8}(?:(?:translate|scale|rotate|matrix|skewX|skewY)\\s{0,4}\\(\\s{0,4}${NUMBER}(?:${SEPARATOR}${NUMBER}){0,5}\\s{0,4}\\)[\\s,]{0,8}){1,20}$`,
);
const fontFamily = /^[-\p{L}\p{N}\s,'"]{1,200}$/u;
const word = (...words: string[]): RegExp => new RegExp(`^\\s{0,8}(?:${words.join('|')})\\s{0,8}$`);

const common: Readonly<Record<string, RegExp>> = {
  transform,
  fill: colour,
  stroke: colour,
  color: colour,
  opacity: length,
  'fill-opacity': length,
  'stroke-opacity': length,
  'stroke-width': length,
  'stroke-miterlimit': length,
  'stroke-dashoffset': length,
  'stroke-dasharray': lengths,
  'stroke-linecap': word('butt', 'round', 'square'),
  'stroke-linejoin': word('miter', 'round', 'bevel', 'arcs', 'miter-clip'),
  'fill-rule': word('nonzero', 'evenodd'),
  'vector-effect': word('none', 'non-scaling-stroke'),
  'paint-order': word('normal', 'fill', 'stroke', 'markers'),
  display: word('none', 'inline', 'block'),
  visibility: word('visible', 'hidden', 'collapse'),
  'font-family': fontFamily,
  'font-size': length,
  'font-style': word('normal', 'italic', 'oblique'),
  'font-weight': word('normal', 'bold', 'bolder', 'lighter', String.raw`\d{1,4}`),
  'letter-spacing': word('normal', NUMBER),
  'text-anchor': word('start', 'middle', 'end'),
  'text-decoration': word('none', 'underline', 'overline', 'line-through'),
  'dominant-baseline': word('auto', 'middle', 'central', 'hanging', 'alphabetic', 'ideographic'),
};
const of = (pattern: RegExp, ...names: string[]): Record<string, RegExp> =>
  Object.fromEntries(names.map((name) => [name, pattern]));
const text = { ...of(lengths, 'x', 'y', 'dx', 'dy'), ...of(length, 'textLength') };
const preserveAspectRatio = /^[a-zA-Z\s]{1,40}$/;

const elements: ReadonlyMap<string, Readonly<Record<string, RegExp>>> = new Map([
  ['svg', { ...of(length, 'x', 'y', 'width', 'height'), viewBox: numbers, preserveAspectRatio }],
  ['g', {}],
  ['path', { d: path }],
  ['rect', of(length, 'x', 'y', 'width', 'height', 'rx', 'ry')],
  ['circle', of(length, 'cx', 'cy', 'r')],
  ['ellipse', of(length, 'cx', 'cy', 'rx', 'ry')],
  ['line', of(length, 'x1', 'y1', 'x2', 'y2')],
  ['polyline', { points: numbers }],
  ['polygon', { points: numbers }],
  ['text', text],
  ['tspan', text],
]);

/** @param name without a prefix */
export function isAllowedElement(name: string): boolean {
  return elements.has(name);
}

/** Whether an attribute in no namespace may stand in an element of SVG. */
export function isAllowedAttribute(element: string, name: string, value: string): boolean {
  const own = elements.get(element);
  if (!own || value.length > MAX_VALUE_LENGTH) return false;
  const pattern = Object.hasOwn(own, name)
    ? own[name]
    : Object.hasOwn(common, name)
      ? common[name]
      : undefined;
  return pattern?.test(value) === true;
}
