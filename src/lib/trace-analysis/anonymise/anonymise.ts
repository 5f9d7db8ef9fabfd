/**
 * Makes a trace that can be shown to others: addresses, names and texts replaced, the course of things kept.
 *
 * What is not known to be the protocol's own is replaced. Stanzas are written anew, one a record, so the way in which
 * packets were cut is lost.
 */
import {
  dataRecord,
  encodeRecord,
  type ConnectionRecord,
  type EventRecord,
  type HeaderRecord,
  type TraceRecord,
} from '../../trace/record.js';
import { StanzaStream, type Happening } from '../../trace/stanza-stream.js';
import { defaultScope, scopeOfHeader, type NamespaceScope } from '../../trace/trace-element.js';
import type { Unit } from '../../trace/unit-splitter.js';
import { Pseudonyms, type PseudonymOptions } from './pseudonyms.js';
import { anonymiseXml } from './rewrite-xml.js';
import { factTreatment, treat } from './treatments.js';
import { isToken } from './vocabulary.js';

/** Facts are not nested deeper. */
const maxDepth = 6;

export class Anonymiser {
  readonly #names: Pseudonyms;
  readonly #stream = new StanzaStream((happening) => this.#take(happening));
  readonly #scopes = new Map<string, NamespaceScope>();
  #count = 0;
  #written = '';

  constructor(options: PseudonymOptions = {}) {
    this.#names = new Pseudonyms(options);
  }

  /** Takes the next records and returns lines of the new trace. */
  push(records: readonly TraceRecord[]): string {
    for (const record of records) {
      if (record.kind === 'header') this.#write(anonymiseHeader(record));
      else this.#stream.push(record);
    }
    return this.#drain();
  }

  /** The trace ended. */
  end(): string {
    this.#stream.end();
    return this.#drain();
  }

  #drain(): string {
    const written = this.#written;
    this.#written = '';
    return written;
  }

  #write(record: TraceRecord): void {
    this.#written += encodeRecord(record);
  }

  #take(happening: Happening): void {
    switch (happening.kind) {
      case 'unit':
        this.#takeUnit(happening.unit);
        return;
      case 'connection': {
        const { t, conn, label }: ConnectionRecord = happening.record;
        const words = label.split(' ').map((word) => (isToken(word) ? word : this.#names.jid(word)));
        this.#write({ kind: 'connection', n: ++this.#count, t, conn, label: words.join(' ') });
        return;
      }
      case 'event': {
        const { t, conn, name, detail }: EventRecord = happening.record;
        // A name that we do not know may be anything.
        const known = isToken(name) || name === 'error' ? name : 'error';
        const facts = this.#anonymiseFacts(detail, 'text', 0) as Record<string, unknown>;
        this.#write({ kind: 'event', n: ++this.#count, t, conn, name: known, detail: facts });
        return;
      }
      case 'gap': {
        // The numbers are those of the new trace, where nothing stands for what is missing.
        const { from, to } = happening.record;
        const missing = Math.max(0, to - from);
        this.#write({
          kind: 'gap',
          from: this.#count + 1,
          to: this.#count + 1 + missing,
          reason: 'not kept',
        });
        this.#count += missing + 1;
        return;
      }
    }
  }

  #takeUnit({ conn, dir, kind, text, endedAt }: Unit): void {
    const key = `${conn} ${dir}`;
    if (kind === 'header') this.#scopes.set(key, scopeOfHeader(text));
    const written = this.#rewrite(kind, text, this.#scopes.get(key) ?? defaultScope);
    if (written !== '') this.#write(dataRecord(++this.#count, endedAt, conn, dir, Buffer.from(written)));
  }

  #rewrite(kind: Unit['kind'], text: string, scope: NamespaceScope): string {
    if (kind === 'space') return text;
    return kind === 'other' ? this.#names.text(text) : anonymiseXml(text, scope, this.#names);
  }

  #anonymiseFacts(value: unknown, key: string, depth: number): unknown {
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
    if (typeof value === 'string') return treat(factTreatment(key), value, this.#names);
    if (depth >= maxDepth || typeof value !== 'object') return undefined;
    if (Array.isArray(value)) return value.map((each) => this.#anonymiseFacts(each, key, depth + 1));
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => /^[A-Za-z][A-Za-z0-9]{0,40}$/.test(name))
        .map(([name, each]) => [name, this.#anonymiseFacts(each, name, depth + 1)]),
    );
  }
}

function anonymiseHeader({ format, version, started, tool }: HeaderRecord): HeaderRecord {
  return {
    kind: 'header',
    format,
    version,
    started: new Date(started).toISOString(),
    tool: typeof tool === 'string' && /^xmppctl \d[\d.]*$/.test(tool) ? tool : 'unknown',
    redacted: true,
  };
}
