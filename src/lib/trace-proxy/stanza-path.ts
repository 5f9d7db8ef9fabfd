/** What one direction of a connection goes through before its lane: features are rewritten, stanzas intercepted. */
import type { ConnectionTrace, Direction } from '../trace/events.js';
import { NS_STREAM } from '../trace/trace-element.js';
import { rewriteFeatures, type FeatureChanges } from './features.js';
import type { Interceptor, Verdict } from './intercept.js';
import type { Lane } from './lane.js';
import { StanzaCutter, type Piece } from './stanza-cutter.js';

export interface StanzaPathOptions {
  dir: Direction;
  lane: Lane;
  /** Back to whoever sent the stanza. */
  replyLane: Lane;
  interceptors: readonly Interceptor[];
  /** Of the server's features, until the client has authenticated. */
  features?: FeatureChanges | undefined;
  /** Told when the server offers mechanisms with channel binding. */
  onPlusOffered?: ((mechanisms: readonly string[]) => void) | undefined;
  /** Told when the server has let the client in. */
  onAuthenticated?: (() => void) | undefined;
  /** Told of `<starttls/>`, which is not passed on; looked for only when given. */
  onStartTls?: (() => void) | undefined;
  trace: ConnectionTrace;
  onError: (error: unknown) => void;
}

export class StanzaPath {
  readonly #options: StanzaPathOptions;
  readonly #cutter: StanzaCutter | undefined;
  #isCutting: boolean;
  #isNegotiating: boolean;
  readonly #waiting: Piece[] = [];
  #isDeciding = false;
  #isEnding = false;
  #isClosed = false;

  constructor(options: StanzaPathOptions) {
    this.#options = options;
    this.#isNegotiating = options.features !== undefined || options.onStartTls !== undefined;
    this.#isCutting = this.#isNegotiating || options.interceptors.length > 0;
    if (this.#isCutting) this.#cutter = new StanzaCutter(options.dir, (piece) => this.#take(piece));
  }

  push(bytes: Buffer): void {
    if (this.#isClosed) return;
    if (!this.#isCutting || !this.#cutter) {
      this.#options.lane.push(bytes);
      return;
    }
    this.#cutter.push(bytes);
    if (this.#isNegotiating || this.#options.interceptors.length > 0) return;
    // Nothing is left to look for: from here on the bytes are not even looked at.
    this.#cutter.end();
    this.#isCutting = false;
  }

  /** Nothing more comes. */
  end(): void {
    if (this.#isCutting) this.#cutter?.end();
    this.#isEnding = true;
    this.#endIfDone();
  }

  /** Forgets what waits. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
  }

  /** The client has authenticated: features are no longer any of our business. */
  stopNegotiating(): void {
    this.#isNegotiating = false;
  }

  #take(piece: Piece): void {
    if (this.#isDeciding || this.#waiting.length > 0) {
      this.#waiting.push(piece);
      return;
    }
    this.#handle(piece);
  }

  #handle(piece: Piece): void {
    const { lane } = this.#options;
    if (this.#isClosed) return;
    if (piece.kind !== 'element') {
      lane.push(piece.bytes);
      return;
    }
    const negotiated = this.#isNegotiating ? this.#negotiate(piece) : piece;
    if (negotiated) this.#intercept(negotiated);
  }

  /** @returns what goes on; undefined for what the proxy answers itself */
  #negotiate(piece: Piece): Piece | undefined {
    const { dir, features, onPlusOffered, onStartTls } = this.#options;
    const { name, namespace } = piece.stanza.start ?? {};
    if (dir === 'out') {
      if (name !== 'starttls' || !onStartTls) return piece;
      onStartTls();
      return undefined;
    }
    if (name === 'success') {
      this.#isNegotiating = false;
      this.#options.onAuthenticated?.();
    }
    if (name !== 'features' || namespace !== NS_STREAM || !features) return piece;
    // A byte is a character here, so that the rest comes out as it went in.
    const { text, plusMechanisms } = rewriteFeatures(piece.bytes.toString('latin1'), features);
    if (plusMechanisms.length > 0) onPlusOffered?.(plusMechanisms);
    return { ...piece, bytes: Buffer.from(text, 'latin1') };
  }

  #intercept(piece: Piece): void {
    const { interceptors, dir } = this.#options;
    const { tree, unit } = piece.stanza;
    if (interceptors.length === 0 || !tree) {
      this.#options.lane.push(piece.bytes);
      return;
    }
    const stanza = { dir, text: unit.text, tree };
    const ask = (index: number): Verdict | undefined | Promise<Verdict | undefined> => {
      const verdict = interceptors[index]?.(stanza);
      if (verdict instanceof Promise)
        return verdict.then(
          (decided) => decided ?? (index + 1 < interceptors.length ? ask(index + 1) : undefined),
        );
      return verdict ?? (index + 1 < interceptors.length ? ask(index + 1) : undefined);
    };
    const verdict = ask(0);
    if (verdict instanceof Promise || (verdict?.delayMs ?? 0) > 0) void this.#decideLater(piece, verdict);
    else this.#carryOut(piece, verdict);
  }

  /** Everything behind a stanza waits for it. */
  async #decideLater(
    piece: Piece,
    pending: Verdict | undefined | Promise<Verdict | undefined>,
  ): Promise<void> {
    const { lane, onError } = this.#options;
    this.#isDeciding = true;
    lane.hold();
    try {
      const verdict = await pending;
      const delayMs = verdict?.delayMs ?? 0;
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      this.#carryOut(piece, verdict);
    } catch (error) {
      onError(error);
    }
    lane.release();
    this.#isDeciding = false;
    while (!this.#isStillDeciding()) {
      const next = this.#waiting.shift();
      if (!next) break;
      this.#handle(next);
    }
    this.#endIfDone();
  }

  /** Handling a stanza may begin another decision. */
  #isStillDeciding(): boolean {
    return this.#isDeciding;
  }

  #carryOut(piece: Piece, verdict: Verdict | undefined): void {
    const { dir, lane, replyLane, trace } = this.#options;
    if (this.#isClosed) return;
    if (!verdict) {
      lane.push(piece.bytes);
      return;
    }
    const { start } = piece.stanza;
    trace.event('proxy', {
      what: 'stanza',
      action: verdict.action,
      dir,
      ...(start && { name: start.name, id: start.attributes['id'] }),
    });
    for (const each of verdict.forward) lane.push(each === 'original' ? piece.bytes : Buffer.from(each.xml));
    for (const xml of verdict.reply ?? []) replyLane.push(Buffer.from(xml));
  }

  #endIfDone(): void {
    if (!this.#isEnding || this.#isDeciding || this.#isClosed) return;
    this.#isEnding = false;
    this.#options.lane.end();
  }
}
