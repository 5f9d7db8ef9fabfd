/** Cuts what is typed or piped in into elements, over as many lines and pieces as it takes. */
import { UsageError } from '../errors.js';
import { UnitSplitter, type Unit } from '../trace/unit-splitter.js';

export interface InputElement {
  text: string;
  /** The line it began in, from 1. */
  line: number;
}

/** Characters of one element; what is not complete then is refused. */
const maxLength = 16 * 1024 * 1024;

export class StanzaInput {
  #found: Unit[] = [];
  readonly #splitter = new UnitSplitter(1, 'out', (unit) => this.#found.push(unit), maxLength);
  #line = 1;

  /** Nothing is begun and not ended. */
  get isEmpty(): boolean {
    return this.#splitter.isEmpty;
  }

  /**
   * The elements that this text completes.
   * @throws UsageError text outside of an element, or an element that is too long
   */
  push(text: string): InputElement[] {
    const elements: InputElement[] = [];
    let failure: UsageError | undefined;
    // The splitter notes where a unit begins by the number it is given: here that of a line.
    for (const line of text.split(/(?<=\n)/)) {
      this.#splitter.push(line, this.#line, 0);
      if (line.endsWith('\n')) this.#line += 1;
      for (const unit of this.#found.splice(0)) {
        if (unit.kind === 'element') elements.push({ text: unit.text, line: unit.n });
        else if (unit.kind !== 'space') failure ??= refusalOf(unit);
      }
    }
    if (failure) throw failure;
    return elements;
  }

  /** The input ended. @throws UsageError within an element */
  end(): void {
    this.#splitter.end();
    for (const unit of this.#found.splice(0)) if (unit.kind !== 'space') throw refusalOf(unit);
  }
}

function refusalOf({ kind, text, n }: Unit): UsageError {
  const shown = text.trim().slice(0, 40);
  switch (kind) {
    case 'incomplete':
      return new UsageError(
        text.length > maxLength
          ? `line ${n}: the stanza is longer than ${maxLength} characters`
          : `line ${n}: the stanza that begins here is never closed: ${shown}`,
      );
    case 'header':
    case 'footer':
      return new UsageError(`line ${n}: the stream is open already: ${shown}`, {
        hint: 'xmppctl console --raw begins before it',
      });
    default:
      return new UsageError(`line ${n}: text outside of a stanza: ${shown}`);
  }
}
