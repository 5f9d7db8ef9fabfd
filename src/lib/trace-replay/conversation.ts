/** A recording as it is replayed: of one connection, what the two sides said once the stream was bound. */
import { UsageError } from '../errors.js';
import { NS_BIND2, NS_SASL2, smNamespaces } from '../trace-analysis/namespaces.js';
import { StreamPhase, type StreamKind } from '../trace-analysis/stream-phase.js';
import type { Direction } from '../trace/events.js';
import { IqPairing } from '../trace/iq-pairing.js';
import { REDACTION_MARKER, type TraceRecord } from '../trace/record.js';
import { elementsOf, NS_STREAM, walkElements, type TraceElement } from '../trace/trace-element.js';
import type { TracedStanza } from '../trace/traced-stanza.js';
import { TraceView, type TraceEntry } from '../trace/view-trace.js';

/** Something that one side said. */
export interface Line {
  /** Its place among the lines of the conversation. */
  index: number;
  /** Number and time (milliseconds since the start of the recording) of its record. */
  n: number;
  t: number;
  /** `out` is from the client. */
  dir: Direction;
  isStanza: boolean;
  element: TraceElement;
  /** Of a reply: the line of its request. */
  replyTo: number | undefined;
  /** Something was taken out of it when it was recorded. */
  hasSecret: boolean;
}

export interface Conversation {
  conn: number;
  label: string | undefined;
  kind: StreamKind;
  /** The address that was bound, or the domain of a component. */
  jid: string | undefined;
  domain: string | undefined;
  /** What the server offered to a client that had logged in. */
  features: TraceElement | undefined;
  /** What it offered of SASL2 (XEP-0388) to a client that took it. */
  sasl2: TraceElement | undefined;
  /** The client could do something only when the stream was bound. */
  isBound: boolean;
  /** An older stream went on here (XEP-0198). */
  isResumed: boolean;
  /** What the login asked for inline (Bind 2), by namespace. */
  inline: string[];
  lines: Line[];
  /** Lines that were cut off, by the numbers of their records. */
  broken: number[];
}

const NS_SESSION = 'urn:ietf:params:xml:ns:xmpp-session';
/** What more cannot be kept in order; a recording of so much is no test of anything. */
const maxLines = 1_000_000;
const maxDepth = 200;

interface Loading extends Conversation {
  phase: StreamPhase;
  pairing: IqPairing;
  /** Ids of requests for a session (RFC 3921), which belong to the login. */
  sessionIds: Set<string>;
}

/** Puts a recording together, record by record. */
export class ConversationLoader {
  readonly #view = new TraceView({});
  readonly #connections = new Map<number, Loading>();
  #isRedacted = true;
  #count = 0;
  /** Records are missing. */
  hasGap = false;

  /** @throws UsageError it is too long */
  push(records: readonly TraceRecord[]): void {
    for (const record of records) if (record.kind === 'header') this.#isRedacted = record.redacted;
    for (const entry of this.#view.push(records)) this.#take(entry);
  }

  /** The connections, in the order in which they were opened. */
  end(): Conversation[] {
    for (const entry of this.#view.end()) this.#take(entry);
    return [...this.#connections.values()].map((loading) => ({
      ...loading,
      kind: loading.phase.kind,
      jid: loading.jid ?? loading.phase.jid,
      domain: domainOf(loading.jid ?? loading.phase.jid) ?? loading.phase.domain,
      isBound: loading.isBound,
    }));
  }

  #take(entry: TraceEntry): void {
    if (entry.kind === 'event') {
      const { record } = entry;
      if (record.kind === 'gap') this.hasGap = true;
      else if (record.kind === 'connection') this.#loading(record.conn).label = record.label;
      else if (record.name === 'bind' && typeof record.detail['jid'] === 'string')
        this.#loading(record.conn).jid = record.detail['jid'];
      return;
    }
    const { stanza } = entry;
    const loading = this.#loading(stanza.unit.conn);
    const wasBound = loading.isBound;
    loading.phase.observe(stanza);
    this.#noteLogin(loading, stanza);
    loading.isBound ||= loading.phase.isBound;
    if (stanza.unit.kind === 'incomplete') {
      loading.broken.push(stanza.unit.n);
      return;
    }
    // What bound the stream belongs to the login; `<enabled/>` and the like may come in one element with it.
    if (wasBound) this.#takeLine(loading, stanza);
  }

  #noteLogin(loading: Loading, { kind, tree, unit }: TracedStanza): void {
    if (tree === undefined || loading.isBound) return;
    if (tree.namespace === NS_STREAM && tree.name === 'features') loading.features = tree;
    if (kind !== 'nonza') return;
    if (smNamespaces.has(tree.namespace) && tree.name === 'resumed') {
      loading.isResumed = loading.isBound = true;
      return;
    }
    if (unit.dir !== loading.phase.initiator) return;
    if (tree.namespace === NS_SASL2 && tree.name === 'authenticate' && loading.features !== undefined)
      loading.sasl2 = elementsOf(loading.features).find(({ namespace }) => namespace === NS_SASL2);
    for (const element of walkElements(tree)) {
      if (element.name !== 'bind' || element.namespace !== NS_BIND2) continue;
      loading.inline = elementsOf(element)
        .filter(({ name }) => name === 'enable')
        .map(({ namespace }) => namespace);
    }
  }

  #takeLine(loading: Loading, { kind, tree, unit }: TracedStanza): void {
    if (tree === undefined || !['message', 'presence', 'iq', 'nonza'].includes(kind)) {
      // With Bind 2 the features come when all is done.
      if (tree?.namespace === NS_STREAM && tree.name === 'features' && loading.lines.length === 0)
        loading.features = tree;
      return;
    }
    const { type, id, from, to } = tree.attributes;
    if (kind === 'iq' && belongsToSession(tree, loading.sessionIds)) return;
    if (isTooDeep(tree)) {
      loading.broken.push(unit.n);
      return;
    }
    this.#count += 1;
    if (this.#count > maxLines)
      throw new UsageError(`the recording has more than ${maxLines} stanzas`, {
        hint: 'cut it with jq, or record less',
      });
    const index = loading.lines.length;
    const pair =
      kind === 'iq'
        ? loading.pairing.observe({
            ...{ conn: 1, dir: unit.dir, n: index, endedAt: unit.endedAt },
            ...{ type, id, from, to },
          })
        : undefined;
    loading.lines.push({
      index,
      n: unit.n,
      t: unit.endedAt,
      dir: unit.dir,
      isStanza: kind !== 'nonza',
      element: tree,
      replyTo: pair?.replyTo,
      hasSecret: this.#isRedacted && unit.text.includes(REDACTION_MARKER),
    });
  }

  #loading(conn: number): Loading {
    let loading = this.#connections.get(conn);
    if (loading === undefined) {
      loading = {
        conn,
        label: undefined,
        kind: 'client',
        jid: undefined,
        domain: undefined,
        features: undefined,
        sasl2: undefined,
        isBound: false,
        isResumed: false,
        inline: [],
        lines: [],
        broken: [],
        phase: new StreamPhase(),
        pairing: new IqPairing(),
        sessionIds: new Set(),
      };
      this.#connections.set(conn, loading);
    }
    return loading;
  }
}

function belongsToSession(iq: TraceElement, ids: Set<string>): boolean {
  const { type, id = '' } = iq.attributes;
  if (type === 'set' && elementsOf(iq)[0]?.namespace === NS_SESSION) {
    ids.add(id);
    return true;
  }
  return (type === 'result' || type === 'error') && ids.delete(id);
}

function isTooDeep(element: TraceElement): boolean {
  let level = [element];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return true;
    level = level.flatMap((each) => elementsOf(each));
  }
  return false;
}

function domainOf(jid: string | undefined): string | undefined {
  return jid?.replace(/\/.*$/s, '').replace(/^.*@/s, '');
}
