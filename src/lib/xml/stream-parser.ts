import { EventEmitter } from 'node:events';
import type { Element } from './element.js';

export interface StreamParserOptions {
  /** `stream`: one `<stream:stream>` document. `websocket`: each message is one element, `<open/>` starts, `<close/>` ends (RFC 7395). */
  framing?: 'stream' | 'websocket';
  /** Bytes of one stanza; 4 MiB unless given. */
  maxStanzaBytes?: number;
  maxDepth?: number;
  maxAttributes?: number;
}

export interface StreamParserEvents {
  /** The stream header, without children. */
  start: [Element];
  /**
   * A child of the stream, complete. Names have no prefix: an element says its namespace by an `xmlns` attribute where it
   * differs from its parent's, and always at the top, so that it can be serialised on its own.
   */
  element: [Element];
  /** `</stream:stream>` or `<close/>`. */
  end: [Element];
  /** A ProtocolError; the parser ignores everything after it. */
  error: [Error];
}

/** Never throws from `write`; no-argument construction gives the defaults. */
export class StreamParser extends EventEmitter<StreamParserEvents> {
  constructor(_options: StreamParserOptions = {}) {
    super();
    throw new Error('being written');
  }

  /** Bytes in any pieces (UTF-8 is decoded across them), or text. For `websocket`, one call per message. */
  write(_data: Uint8Array | string): void {
    throw new Error('being written');
  }

  /** Nothing more will come: a stanza cut in the middle is an error. */
  end(): void {
    throw new Error('being written');
  }
}
