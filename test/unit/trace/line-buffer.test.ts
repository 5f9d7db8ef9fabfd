import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineBuffer } from '../../../src/lib/trace/line-buffer.js';
import { dataRecord, type DataRecord } from '../../../src/lib/trace/record.js';

describe('LineBuffer', () => {
  it('writes the same records that JSON would, whatever the text is', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 })), (texts) => {
        const buffer = new LineBuffer();
        const records = texts.map((text, index) => {
          const bytes = Buffer.from(text);
          const record = dataRecord(index, index / 8, 1, 'in', bytes);
          buffer.appendText(record, bytes);
          return record;
        });
        const length = buffer.length;
        const written = buffer.take().toString();
        expect(Buffer.byteLength(written)).toBe(length);
        const lines = written.split('\n');
        expect(lines.pop()).toBe('');
        expect(lines.map((line) => JSON.parse(line) as DataRecord)).toEqual(records);
      }),
    );
  });

  it('keeps lines together while it grows, and puts a gap before them', () => {
    const buffer = new LineBuffer();
    const line = `${'ü'.repeat(10_000)}\n`;
    for (let index = 0; index < 20; index += 1) buffer.append(line);
    buffer.prepend('first\n');
    expect(buffer.take().toString()).toBe(`first\n${line.repeat(20)}`);
    expect(buffer.length).toBe(0);
  });
});
