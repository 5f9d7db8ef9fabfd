import { describe, expect, it } from 'vitest';
import { isAllowedAttribute } from '../../../src/lib/sxe-board/allowed-svg.js';
import { PenPath, shapeBetween } from '../../../src/lib/sxe-board/draw-shape.js';
import { formatNumber, movedAttributes } from '../../../src/lib/sxe-board/move-shape.js';

const by = { x: 10, y: -5 };

describe('moving a shape', () => {
  it.each([
    ['rect', { x: '1', y: '2', width: '3' }, { x: '11', y: '-3' }],
    ['rect', {}, { x: '10', y: '-5' }],
    ['ellipse', { cx: '1.25', cy: '2' }, { cx: '11.25', cy: '-3' }],
    ['line', { x1: '0', y1: '0', x2: '1', y2: '1' }, { x1: '10', x2: '11', y1: '-5', y2: '-4' }],
    ['text', { x: '1 2', y: '3' }, { transform: 'translate(10 -5)' }],
    ['rect', { x: '1cm', y: '2' }, { transform: 'translate(10 -5)' }],
    ['rect', { x: '1', transform: 'rotate(45)' }, { transform: 'translate(10 -5) rotate(45)' }],
    ['path', { d: 'M0 0' }, { transform: 'translate(10 -5)' }],
    ['path', { transform: 'translate(1,2) scale(2)' }, { transform: 'translate(11 -3) scale(2)' }],
    ['path', { transform: 'translate(1)' }, { transform: 'translate(11 -5)' }],
  ])('changes of <%s> %j', (name, attributes, moved) => {
    expect(movedAttributes(name, attributes as Record<string, string>, by)).toEqual(moved);
  });

  it('writes numbers that are short, and numbers', () => {
    expect([0.1 + 0.2, -0, 1e-9, NaN, Infinity, -12.346].map(formatNumber)).toEqual([
      '0.3',
      '0',
      '0',
      '0',
      '0',
      '-12.35',
    ]);
  });
});

describe('drawing', () => {
  it('makes shapes of two points, whatever comes first', () => {
    const [from, to] = [
      { x: 10, y: 20 },
      { x: 4, y: 50 },
    ];
    expect(shapeBetween('rect', from, to)).toEqual({ x: '4', y: '20', width: '6', height: '30' });
    expect(shapeBetween('rect', from, to, true)).toEqual({ x: '-20', y: '20', width: '30', height: '30' });
    expect(shapeBetween('ellipse', from, to)).toEqual({ cx: '7', cy: '35', rx: '3', ry: '15' });
    expect(shapeBetween('line', from, to)).toEqual({ x1: '10', y1: '20', x2: '4', y2: '50' });
    expect(shapeBetween('line', { x: 0, y: 0 }, { x: 10, y: 1 }, true)).toMatchObject({
      x2: '10.05',
      y2: '0',
    });
  });

  it('makes lines of a pen that only grow, and end where the pen does', () => {
    const pen = new PenPath({ x: 0.04, y: 0 }, 2);
    expect(pen.data).toBe('M0 0l0 0');
    pen.add({ x: 1, y: 1 });
    expect(pen.data).toBe('M0 0l0 0');
    let before = pen.data;
    for (let step = 1; step <= 200; step++) {
      pen.add({ x: step * 3.333, y: Math.sin(step) * 10 });
      expect(pen.data.startsWith(before)).toBe(true);
      before = pen.data;
    }
    pen.end({ x: 200 * 3.333, y: 0 });
    expect(isAllowedAttribute('path', 'd', pen.data)).toBe(true);
    let [x, y] = [0, 0];
    for (const [, numbers = ''] of pen.data.matchAll(/[ql]([^ql]*)/g)) {
      const all = numbers.trim().split(' ').map(Number);
      x += all.at(-2) ?? 0;
      y += all.at(-1) ?? 0;
    }
    expect(Math.hypot(x - 200 * 3.333, y)).toBeLessThan(0.2);
  });
});
