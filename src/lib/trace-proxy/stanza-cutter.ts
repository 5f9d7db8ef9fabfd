/** Cuts the bytes of one direction into stanzas without changing one of them, for whoever acts on stanzas. */
import type { Direction } from '../trace/events.js';
import { defaultScope, scopeOfHeader, type NamespaceScope } from '../trace/trace-element.js';
import { TracedStanza } from '../trace/traced-stanza.js';
import { UnitSplitter, type Unit, type UnitKind } from '../trace/unit-splitter.js';

/** All the pieces of a direction, put together, are what came in. */
export interface Piece {
  kind: UnitKind;
  bytes: Buffer;
  /** Of the same text, read when it is asked for. */
  stanza: TracedStanza;
}

/** A longer stanza is passed on in pieces: nothing acts on it, and it does not fill memory. */
const maxStanzaBytes = 16 * 1024 * 1024;

export class StanzaCutter {
  readonly #splitter: UnitSplitter;
  #scope: NamespaceScope = defaultScope;
  /** The next piece belongs to a stanza that was too long to be kept. */
  #isWithinLong = false;

  constructor(
    dir: Direction,
    private readonly emit: (piece: Piece) => void,
  ) {
    this.#splitter = new UnitSplitter(1, dir, (unit) => this.#take(unit), maxStanzaBytes);
  }

  /** Between two stanzas. */
  get isEmpty(): boolean {
    return this.#splitter.isEmpty;
  }

  push(bytes: Buffer): void {
    // One character for each byte: broken UTF-8 comes out as it went in, and XML's syntax is ASCII.
    this.#splitter.push(bytes.toString('latin1'), 0, 0);
  }

  /** Hands out what is not complete. */
  end(): void {
    this.#splitter.end();
  }

  #take(unit: Unit): void {
    const bytes = Buffer.from(unit.text, 'latin1');
    const text = bytes.toString('utf8');
    if (unit.kind === 'header') this.#scope = scopeOfHeader(text);
    const kind = this.#isWithinLong ? 'incomplete' : unit.kind;
    this.#isWithinLong = unit.kind === 'incomplete';
    this.emit({ kind, bytes, stanza: new TracedStanza({ ...unit, text }, this.#scope) });
  }
}
