/**
 * From records to what happened: units of XML put together from the packets, in the order in which they were
 * complete, between the events of their connection.
 */
import { StringDecoder } from 'node:string_decoder';
import type { Direction } from './events.js';
import type { ConnectionRecord, EventRecord, GapRecord, TraceRecord } from './record.js';
import { UnitSplitter, type Unit } from './unit-splitter.js';

export type Happening =
  | { kind: 'unit'; unit: Unit }
  | { kind: 'event'; record: EventRecord }
  | { kind: 'connection'; record: ConnectionRecord }
  | { kind: 'gap'; record: GapRecord };

interface DirectionState {
  splitter: UnitSplitter;
  /** Keeps the half of a character that the last record ended in. */
  decoder: StringDecoder;
  isDecoding: boolean;
}

interface ConnectionState {
  in?: DirectionState;
  out?: DirectionState;
}

export class StanzaStream {
  readonly #connections = new Map<number, ConnectionState>();

  /** @param maxLength what is watched live must not fill memory: a longer stanza comes in pieces */
  constructor(
    private readonly emit: (happening: Happening) => void,
    private readonly maxLength?: number,
  ) {}

  push(record: TraceRecord): void {
    switch (record.kind) {
      case 'header':
        return;
      case 'data': {
        const state = this.#direction(record.conn, record.dir);
        let text = record.text;
        if (text === undefined) {
          text = state.decoder.write(Buffer.from(record.base64 ?? '', 'base64'));
          state.isDecoding = true;
        } else if (state.isDecoding) {
          // Text begins a character of its own: what the decoder still holds was never completed.
          text = state.decoder.end() + text;
          state.isDecoding = false;
        }
        state.splitter.push(text, record.n, record.t);
        return;
      }
      case 'connection':
        this.emit({ kind: 'connection', record });
        return;
      case 'event':
        // A new socket starts a new stream, and a closed one ends its last.
        if (record.name === 'tcp' || record.name === 'websocket' || record.name === 'close')
          this.#end(this.#connections.get(record.conn));
        if (record.name === 'close') this.#connections.delete(record.conn);
        this.emit({ kind: 'event', record });
        return;
      case 'gap':
        // What was cut in two by the gap cannot be put together again.
        this.end();
        this.#connections.clear();
        this.emit({ kind: 'gap', record });
        return;
    }
  }

  /** The trace ended: hands out what was not complete. */
  end(): void {
    for (const connection of this.#connections.values()) this.#end(connection);
  }

  #end(connection: ConnectionState | undefined): void {
    connection?.in?.splitter.end();
    connection?.out?.splitter.end();
  }

  #direction(conn: number, dir: Direction): DirectionState {
    let connection = this.#connections.get(conn);
    if (connection === undefined) this.#connections.set(conn, (connection = {}));
    return (connection[dir] ??= {
      splitter: new UnitSplitter(conn, dir, (unit) => this.emit({ kind: 'unit', unit }), this.maxLength),
      decoder: new StringDecoder('utf8'),
      isDecoding: false,
    });
  }
}
