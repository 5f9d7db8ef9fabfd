/** What may be done with a stanza on its way: the shape that rules, scripts and break points share. */
import type { Direction } from '../trace/events.js';
import type { TraceElement } from '../trace/trace-element.js';

/** A whole element on the level of stanzas; also what is no stanza: authentication, stream management, features. */
export interface InterceptedStanza {
  /** `out` is from the client. */
  dir: Direction;
  /** As it crossed. */
  text: string;
  tree: TraceElement;
}

export interface Verdict {
  /** What was done, for the record: `drop`, `replace`, … */
  action: string;
  /** What goes on in place of the stanza; `original` stands for its own bytes. */
  forward: readonly ('original' | { xml: string })[];
  /** What its sender is given. */
  reply?: readonly string[];
  /** It and everything behind it waits so long: the order of a stream is kept. */
  delayMs?: number;
}

/** Undefined: somebody else may decide; a stanza that nobody decides on passes byte for byte. */
export type Interceptor = (stanza: InterceptedStanza) => Verdict | undefined | Promise<Verdict | undefined>;
