import { describe, expect, it } from 'vitest';
import { isAllowedAttribute, isAllowedElement } from '../../../src/lib/sxe-board/allowed-svg.js';

describe('what of an SVG document is shown', () => {
  it.each(['svg', 'g', 'path', 'rect', 'circle', 'ellipse', 'line', 'polyline', 'polygon', 'text', 'tspan'])(
    'is <%s>',
    (name) => expect(isAllowedElement(name)).toBe(true),
  );

  it.each(
    'script style a image use foreignObject iframe object embed animate set handler filter feImage pattern mask defs symbol switch audio video title SCRIPT Rect constructor __proto__ '.split(
      ' ',
    ),
  )('is not <%s>', (name) => expect(isAllowedElement(name)).toBe(false));

  it.each([
    ['rect', 'x', '-1.5e1'],
    ['rect', 'width', '100%'],
    ['rect', 'fill', '#A0b1c2'],
    ['rect', 'stroke', 'rgb(1, 2, 3)'],
    ['rect', 'fill', 'hsla(120deg 10% 20% / 0.5)'],
    ['rect', 'transform', ' translate(1 2) rotate(45,1,2) matrix(1 0 0 1 .5 -.5)'],
    ['path', 'd', 'M1 2l3,4Q5 6 7 8zA1 1 0 0 1 2 2'],
    ['polygon', 'points', '1,2 3,4'],
    ['text', 'font-family', `'Noto Sans', "DejaVu Sans", sans-serif`],
    ['text', 'x', '1 2 3'],
    ['svg', 'viewBox', '0 0 100 100'],
    ['line', 'stroke-dasharray', '1 2, 3%'],
    ['g', 'font-weight', '700'],
  ])('is %s %s="%s"', (element, name, value) => expect(isAllowedAttribute(element, name, value)).toBe(true));

  it.each([
    ['rect', 'onclick', 'alert(1)'],
    ['svg', 'onload', 'alert(1)'],
    ['rect', 'style', 'fill: red'],
    ['rect', 'class', 'panel'],
    ['rect', 'id', 'status'],
    ['rect', 'href', '#a'],
    ['rect', 'xlink:href', 'javascript:alert(1)'],
    ['rect', 'fill', 'url(#a)'],
    ['rect', 'fill', 'url(https://example.org/a)'],
    ['rect', 'fill', 'javascript:alert(1)'],
    ['rect', 'fill', 'var(--a)'],
    ['rect', 'stroke', 'image-set("a.png")'],
    ['rect', 'clip-path', 'url(#a)'],
    ['rect', 'filter', 'url(#a)'],
    ['rect', 'x', 'calc(1px)'],
    ['rect', 'x', '1'.repeat(100)],
    ['rect', 'd', 'M0 0'],
    ['path', 'd', 'M0 0</path><script>'],
    ['rect', 'transform', 'translate(1px)'],
    ['rect', 'transform', 'url(1)'],
    ['text', 'font-family', 'a;b:url(c)'],
    ['rect', 'stroke-dasharray', 'url(a)'],
    ['rect', 'constructor', '1'],
    ['rect', '__proto__', '1'],
    ['script', 'x', '1'],
  ])('is not %s %s="%s"', (element, name, value) =>
    expect(isAllowedAttribute(element, name, value)).toBe(false),
  );

  it('is nothing that is too long, and is told at once', () => {
    expect(isAllowedAttribute('path', 'd', 'M0 0'.repeat(50_001))).toBe(false);
    for (const [name, text] of [
      ['transform', 'translate(1 '],
      ['fill', 'rgb('],
      ['x', '1.'],
      ['stroke-dasharray', '1 a'],
      ['font-family', 'a '],
    ] as const)
      expect(isAllowedAttribute('rect', name, `${text.repeat(15_000)};`)).toBe(false);
  });
});
