import { describe, expect, it } from 'vitest';
import { StanzaError, StreamError } from '../../../src/lib/errors.js';

describe('what others say in an error', () => {
  // A surrogate pair stands where it is cut.
  const long = `${'x'.repeat(499)}😀${'y'.repeat(5000)}`;

  it.each([
    new StreamError('host-unknown', long),
    new StanzaError('forbidden', 'auth', long, undefined, 'x.test'),
  ])('is shortened in the line of $name, and whole in its details', (error) => {
    expect(error.message).toContain(`${'x'.repeat(499)}…`);
    expect(error.message.length).toBeLessThan(600);
    expect(error.details).toMatchObject({ text: long });
  });

  it('is told as it is when it is short', () => {
    expect(new StreamError('reset', 'bye').message).toBe('the server closed the stream: reset (bye)');
  });
});
