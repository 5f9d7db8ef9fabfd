import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../src/lib/sxe/inbox.js';
import { Participant } from '../../../src/lib/sxe/participant.js';
import { hasConflictMarks, mergeWorkingCopy } from '../../../src/lib/sxe/merge-working-copy.js';
import { readWorkingCopy, writeWorkingCopy } from '../../../src/lib/sxe/working-copy.js';
import { participantWith } from './document-text.js';
import { randomFrom } from './simulation.js';

/** Somebody with a file in an editor. */
class Writer {
  /** What the file said when it was last written by us. */
  #base: string;
  #file: string;
  readonly queue: Message[] = [];
  peer: Writer | undefined;

  constructor(readonly participant: Participant) {
    this.#base = this.#file = writeWorkingCopy(participant);
  }

  get file(): string {
    return this.#file;
  }

  /** Adds a word behind another, or a paragraph. */
  write(word: string, random: () => number): void {
    const places = [...this.#file.matchAll(/(?<=<p>|\w)(?= |<\/p>)|(?<=<\/p>\n)/g)].map(({ index }) => index);
    const at = places[Math.floor(random() * places.length)] ?? this.#file.indexOf('</doc>');
    const isParagraph = this.#file[at - 1] === '\n';
    const added = isParagraph ? `<p>${word}</p>\n` : ` ${word}`;
    this.#file = this.#file.slice(0, at) + added + this.#file.slice(at);
  }

  save(): void {
    const { text } = mergeWorkingCopy(this.#base, this.#file, writeWorkingCopy(this.participant));
    // A person would have to settle it: here both sides stay, which is a valid file as well.
    const settled = hasConflictMarks(text) ? text.replace(/^(<<<<<<<|=======|>>>>>>>).*\n/gm, '') : text;
    this.#send(this.participant.edit(readWorkingCopy(this.participant, settled)).message);
    this.#base = this.#file = writeWorkingCopy(this.participant);
  }

  hear(): boolean {
    const message = this.queue.shift();
    if (message) this.participant.receive(message);
    return message !== undefined;
  }

  speak(): boolean {
    const message = this.participant.speak();
    this.#send(message);
    return message !== undefined;
  }

  #send(message: Message | undefined): void {
    if (message) this.peer?.queue.push(message);
  }
}

describe('two working copies', () => {
  it('end in the same text, with every word that anybody has written', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = randomFrom(seed);
        const first = participantWith('<doc>\n<p>one</p>\n<p>two</p>\n</doc>\n', 'a');
        const second = Participant.fromSnapshot({ name: 'b', site: 'site0000b' }, first.snapshot(), 'a');
        const [a, b] = [new Writer(first), new Writer(second)];
        a.peer = b;
        b.peer = a;
        const words: string[] = [];
        for (let step = 0; step < 30; step++) {
          const writer = random() < 0.5 ? a : b;
          const dice = random();
          if (dice < 0.4) {
            words.push(`w${String(words.length).padStart(3, '0')}`);
            writer.write(words.at(-1) ?? '', random);
          } else if (dice < 0.7) writer.save();
          else if (dice < 0.9) writer.hear();
          else writer.speak();
        }
        for (const writer of [a, b]) writer.save();
        while (a.hear() || b.hear() || a.speak() || b.speak());
        for (const writer of [a, b]) writer.save();
        expect(a.file).toBe(b.file);
        for (const word of words) expect(a.file.split(word).length - 1, word).toBeGreaterThan(0);
      }),
      { numRuns: 100, seed: 284 },
    );
  });
});
