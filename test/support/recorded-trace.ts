/** Traces made by hand for tests: what each side sent, in order. */
import { encodeRecord, type EventRecord, type TraceRecord } from '../../src/lib/trace/record.js';

export const NS_STREAM = 'http://etherx.jabber.org/streams';
const prefix = `xmlns:stream='${NS_STREAM}'`;

export const clientHeader = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' ${prefix} to='example.org' version='1.0'>`;
export const serverHeader = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' ${prefix} from='example.org' id='s1' version='1.0'>`;

/** `→` and `←` begin what is sent and received; a record may be an event instead. */
export type Line =
  `→${string}` | `←${string}` | Pick<EventRecord, 'name' | 'detail'> | { gap: [number, number] };

export const login: readonly Line[] = [
  `→${clientHeader}`,
  `←${serverHeader}<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>`,
  `→<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>[redacted]</auth>`,
  `←<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>[redacted]</success>`,
  `→${clientHeader}`,
  `←${serverHeader}<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>`,
  `→<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`,
  `←<iq type='result' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@example.org/desk</jid></bind></iq>`,
];

export const managed: readonly Line[] = [
  ...login,
  `→<enable xmlns='urn:xmpp:sm:3' resume='true'/>`,
  `←<enabled xmlns='urn:xmpp:sm:3' id='sm1' resume='true'/>`,
];

export const header: TraceRecord = {
  kind: 'header',
  format: 'xmppctl-trace',
  version: 1,
  started: '2026-01-31T10:00:00.000Z',
  tool: 'xmppctl 0.1.0',
  redacted: true,
};

/** One connection for each list of lines, one after the other; a record each millisecond. */
export function recordTrace(...connections: readonly (readonly Line[])[]): TraceRecord[] {
  const records: TraceRecord[] = [header];
  let n = 0;
  for (const [index, lines] of connections.entries()) {
    const conn = index + 1;
    const stamp = (): { n: number; t: number; conn: number } => {
      n += 1;
      return { n, t: n, conn };
    };
    records.push({ ...stamp(), kind: 'connection', label: 'c2s alice@example.org' });
    for (const line of lines) {
      if (typeof line === 'string')
        records.push({
          ...stamp(),
          kind: 'data',
          dir: line.startsWith('→') ? 'out' : 'in',
          text: line.slice(1),
        });
      else if ('gap' in line) {
        const [from, to] = line.gap;
        n = to;
        records.push({ kind: 'gap', from, to, reason: 'no space left on the disk' });
      } else records.push({ ...stamp(), kind: 'event', ...line });
    }
  }
  return records;
}

export function traceText(records: readonly TraceRecord[]): string {
  return records.map(encodeRecord).join('');
}

/** Nested to hurt. */
export function nest(depth: number): string {
  return `<message>${'<a>'.repeat(depth)}x${'</a>'.repeat(depth)}</message>`;
}
