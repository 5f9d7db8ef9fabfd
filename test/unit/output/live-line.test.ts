import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LiveLine } from '../../../src/lib/output/live-line.js';

class Terminal extends Writable {
  readonly isTTY = true;
  written = '';

  constructor(readonly columns: number) {
    super();
  }

  cursorTo(): boolean {
    return true;
  }

  clearLine(): boolean {
    return true;
  }

  moveCursor(): boolean {
    return true;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString();
    done();
  }
}

test('on a terminal without columns nothing moves, and nothing goes on for ever', async () => {
  for (const [columns, isShown] of [
    [80, true],
    [0, false],
  ] as const) {
    const terminal = new Terminal(columns);
    using spinner = new LiveLine(terminal, true).spinner('waiting');
    expect(spinner).toBeDefined();
    // The same module, so it has been given to the line by the next turn.
    await import('ora');
    await nextTurn();
    expect(terminal.written.includes('waiting')).toBe(isShown);
  }
});
