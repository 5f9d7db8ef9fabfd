/**
 * Reads a recorded stream for what breaks RFC 6120, RFC 6121 or stream management, and for what the file itself lacks.
 *
 * It keeps what each session is owed, and nothing of what has passed: a trace may be larger than memory.
 */
import type { EventRecord, TraceRecord } from '../trace/record.js';
import { elementsOf, walkElements, type TraceElement } from '../trace/trace-element.js';
import { TraceView, type TraceEntry } from '../trace/view-trace.js';
import type { TracedStanza } from '../trace/traced-stanza.js';
import { rules, type Finding, type FindingCode, type Report } from './findings.js';
import { IqRules } from './lint-iq.js';
import { CounterRules } from './lint-sm.js';
import { lintStanza } from './lint-stanza.js';
import { lintStream } from './lint-stream.js';
import { NS_SASL2, smNamespaces } from './namespaces.js';
import { quote } from './quote.js';
import { findXmlFault } from './strict-xml.js';
import { StreamPhase } from './stream-phase.js';

/** What outlives a connection when its stream is resumed. */
interface SessionState {
  iqs: IqRules;
  counters: CounterRules;
  jid: string | undefined;
}

interface ConnectionState {
  phase: StreamPhase;
  session: SessionState;
  /** Prefixes that the header of each direction declared. */
  prefixes: Record<'in' | 'out', ReadonlySet<string>>;
  hasTcp: boolean;
  hasTls: boolean;
  /** `previd` of the resumption that is asked for. */
  resuming: string | undefined;
  /** Nothing of it is missing so far. */
  isWhole: boolean;
}

const streamPrefixes: ReadonlySet<string> = new Set(['stream', 'db']);

export class TraceLinter {
  readonly #view = new TraceView({});
  readonly #connections = new Map<number, ConnectionState>();
  /** Sessions that can be resumed, by the id that `<enabled/>` gave them. */
  readonly #resumable = new Map<string, SessionState>();
  #findings: Finding[] = [];
  #lastRecord = 0;

  /** Takes the next records and returns what was found in them. */
  push(records: readonly TraceRecord[]): Finding[] {
    for (const record of records) {
      this.#checkNumber(record);
      for (const entry of this.#view.push([record])) this.#take(entry);
    }
    return this.#drain();
  }

  /** A line that is no record. */
  damaged(line: number, what: string): Finding[] {
    this.#reporter(0)('trace.damaged', [], `line ${line}: ${what}`);
    return this.#drain();
  }

  /** The trace ended: what was left open. */
  end(): Finding[] {
    for (const entry of this.#view.end()) this.#take(entry);
    const seen = new Set<SessionState>();
    // A session that was resumed is that of its last connection.
    for (const [conn, { session }] of [...this.#connections].reverse()) {
      if (seen.has(session)) continue;
      seen.add(session);
      session.iqs.end(this.#reporter(conn));
      session.counters.end(this.#reporter(conn));
    }
    return this.#drain();
  }

  #drain(): Finding[] {
    const findings = this.#findings;
    this.#findings = [];
    return findings;
  }

  #reporter(conn: number): Report {
    return (code: FindingCode, records, message) => {
      this.#findings.push({ code, records, conn, message, spec: rules[code].spec });
    };
  }

  #checkNumber(record: TraceRecord): void {
    if (record.kind === 'gap') this.#lastRecord = Math.max(this.#lastRecord, record.to);
    if (!('n' in record)) return;
    const { n } = record;
    const last = this.#lastRecord;
    if (n <= last) this.#reporter(record.conn)('trace.order', [n], `record ${n} comes after record ${last}`);
    else if (n > last + 1)
      this.#reporter(record.conn)('trace.missing', [n], `records ${last + 1} to ${n - 1} are not there`);
    this.#lastRecord = n;
  }

  #take(entry: TraceEntry): void {
    if (entry.kind !== 'event') {
      this.#lint(entry.stanza);
      return;
    }
    const { record } = entry;
    if (record.kind === 'event') this.#observeEvent(record);
    else if (record.kind === 'gap') {
      const { from, to, reason } = record;
      this.#reporter(0)('trace.missing', [], `records ${from} to ${to} were not kept: ${quote(reason)}`);
      for (const connection of this.#connections.values()) {
        connection.isWhole = false;
        connection.session.iqs.forget();
        connection.session.counters.forget();
      }
    }
  }

  #observeEvent({ conn, name, detail }: EventRecord): void {
    const connection = this.#connection(conn);
    if (name === 'tcp') connection.hasTcp = true;
    // `wss:` has its TLS in an event of its own, or none that was recorded.
    if ((name === 'tls' && detail['error'] === undefined) || name === 'websocket') connection.hasTls = true;
    if (name === 'bind' && typeof detail['jid'] === 'string') connection.session.jid = detail['jid'];
  }

  #lint(stanza: TracedStanza): void {
    const { unit, kind } = stanza;
    const connection = this.#connection(unit.conn);
    const report = this.#reporter(unit.conn);
    const { phase, session } = connection;
    if (unit.kind === 'other') report('xml.foreign', [unit.n], `no XML: ${quote(unit.text.trim())}`);
    if (unit.kind === 'incomplete')
      report('xml.incomplete', [unit.n], `it breaks off: ${quote(unit.text.trim())}`);
    if (unit.kind !== 'element' && unit.kind !== 'header') {
      phase.observe(stanza);
      return;
    }
    if (unit.kind === 'header') connection.prefixes[unit.dir] = declaredPrefixes(stanza.start);
    const fault = findXmlFault(unit.text, connection.prefixes[unit.dir], unit.kind === 'header');
    if (fault) report(fault.code, [unit.n], fault.what);
    lintStream(stanza, phase, connection.hasTls || !connection.hasTcp, report);
    if (kind === 'iq' || kind === 'message' || kind === 'presence') {
      if (stanza.tree) lintStanza(stanza.tree, phase.content, unit.n, report);
      if (kind === 'iq') this.#lintIq(stanza, connection, report);
      session.counters.stanza(unit.dir);
    } else if (kind === 'nonza') this.#lintManagement(stanza, connection, report);
    phase.observe(stanza);
    session.jid = phase.jid ?? session.jid;
  }

  #lintIq(stanza: TracedStanza, connection: ConnectionState, report: Report): void {
    const { conn, dir, n, endedAt } = stanza.unit;
    const payload = stanza.tree && elementsOf(stanza.tree)[0];
    const iq = {
      conn,
      dir,
      n,
      endedAt,
      type: stanza.attribute('type'),
      id: stanza.attribute('id'),
      from: stanza.attribute('from'),
      to: stanza.attribute('to'),
    };
    const described = payload ? `${quote(payload.name)} of ${quote(payload.namespace)}` : 'nothing in it';
    const isWhole = connection.isWhole && connection.phase.initiator !== undefined;
    connection.session.iqs.observe(iq, described, isWhole, report);
  }

  #lintManagement(stanza: TracedStanza, connection: ConnectionState, report: Report): void {
    const { tree } = stanza;
    if (tree === undefined) return;
    const isInline = tree.namespace === NS_SASL2;
    if (!isInline && !smNamespaces.has(tree.namespace)) return;
    for (const element of isInline ? walkElements(tree) : [tree]) {
      if (smNamespaces.has(element.namespace)) this.#manage(element, stanza, isInline, connection, report);
    }
  }

  #manage(
    { name, attributes }: TraceElement,
    { unit: { dir, n } }: TracedStanza,
    isInline: boolean,
    connection: ConnectionState,
    report: Report,
  ): void {
    const { counters } = connection.session;
    const { h, id, previd } = attributes;
    switch (name) {
      case 'enable':
        // Asked for together with authentication, counting begins when both have been granted.
        if (!isInline) counters.start(dir);
        return;
      case 'enabled':
        if (isInline) counters.start(dir === 'in' ? 'out' : 'in');
        counters.start(dir);
        if (id !== undefined) this.#resumable.set(id, connection.session);
        return;
      case 'failed':
        counters.stop();
        return;
      case 'r':
        counters.ask(dir, n, report);
        return;
      case 'a':
        counters.acknowledge(dir, h, n, report);
        return;
      case 'resume':
        connection.resuming = previd;
        this.#resumable.get(previd ?? '')?.counters.resume(dir, h, n, report);
        return;
      case 'resumed': {
        const session = this.#resumable.get(connection.resuming ?? '');
        if (session) {
          connection.session = session;
          session.counters.resumed(dir, h, n, report);
          session.iqs.resume();
        } else {
          counters.start('in');
          counters.start('out');
          counters.forget();
          connection.isWhole = false;
        }
        connection.phase.resume(session?.jid);
        return;
      }
    }
  }

  #connection(conn: number): ConnectionState {
    let connection = this.#connections.get(conn);
    if (connection === undefined) {
      connection = {
        phase: new StreamPhase(),
        session: { iqs: new IqRules(), counters: new CounterRules(), jid: undefined },
        prefixes: { in: streamPrefixes, out: streamPrefixes },
        hasTcp: false,
        hasTls: false,
        resuming: undefined,
        isWhole: true,
      };
      this.#connections.set(conn, connection);
    }
    return connection;
  }
}

function declaredPrefixes(header: TraceElement | undefined): ReadonlySet<string> {
  const names = Object.keys(header?.attributes ?? {}).filter((name) => name.startsWith('xmlns:'));
  return new Set(names.map((name) => name.slice(6)));
}
