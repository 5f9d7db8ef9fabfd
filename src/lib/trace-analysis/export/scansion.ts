/**
 * A trace as a script for scansion, Prosody's tester: each client that was bound sends what it sent and expects what it
 * received, in the form in which Prosody's mod_scansion_record writes them. Only plain client streams: scansion logs in by itself, so what came before the resource was bound is left out.
 */
import { elementsOf, type TraceElement } from '../../trace/trace-element.js';
import type { TraceEntry } from '../../trace/view-trace.js';
import { smNamespaces } from '../namespaces.js';
import { StreamPhase } from '../stream-phase.js';
import type { TraceWriter } from './formats.js';

interface Client {
  phase: StreamPhase;
  name: string;
  isConnected: boolean;
}

/** What stands in a script for what is another each time it runs. */
interface Names {
  /** Full addresses, and the variable that scansion has for each. */
  variables: Map<string, string>;
  /** Ids that clients of the script chose: they come back as they were sent. */
  sentIds: Set<string>;
}

export function createScansionWriter(): TraceWriter {
  const clients = new Map<number, Client>();
  const names: Names = { variables: new Map(), sentIds: new Set() };
  let title = '';
  /** The actions; the clients that stand before them are known at the end. */
  const lines: string[] = [];
  const clientOf = (conn: number): Client => {
    let client = clients.get(conn);
    if (client === undefined) {
      client = { phase: new StreamPhase(), name: `Client${clients.size + 1}`, isConnected: false };
      clients.set(conn, client);
    }
    return client;
  };
  const take = (entry: TraceEntry): void => {
    if (entry.kind === 'event') return;
    const { stanza } = entry;
    const client = clientOf(stanza.unit.conn);
    const wasBound = client.phase.isBound;
    client.phase.observe(stanza);
    if (!client.phase.isBound || client.phase.kind !== 'client') return;
    if (!client.isConnected) {
      client.isConnected = true;
      if (client.phase.jid?.includes('/')) names.variables.set(client.phase.jid, `${client.name}'s full JID`);
      lines.push(`${client.name} connects\n`);
    }
    const isStanza = entry.kind === 'iq' || entry.kind === 'message' || entry.kind === 'presence';
    if (!wasBound || !isStanza || stanza.tree === undefined || smNamespaces.has(stanza.tree.namespace))
      return;
    const isSent = stanza.unit.dir === client.phase.initiator;
    const root = isSent ? sentRoot(stanza.tree, names) : receivedRoot(stanza.tree, client, names);
    const xml = writeElement(root, names, isSent, 1, '');
    lines.push(`${client.name} ${isSent ? 'sends' : 'receives'}:\n${xml}`);
  };
  return {
    begin(name) {
      title = name.replace(/\s+/g, ' ');
      return '';
    },
    write(entries) {
      entries.forEach(take);
      return '';
    },
    end() {
      const bound = [...clients.values()].filter(({ isConnected }) => isConnected);
      return [
        `# ${title}\n`,
        ...bound.map(
          ({ name, phase }) =>
            `[Client] ${name}\n\tjid: ${(phase.jid ?? '').replace(/\/.*$/s, '')}\n\tpassword: password\n`,
        ),
        '-----\n',
        ...lines,
        ...bound.map(({ name }) => `${name} disconnects\n`),
      ].join('\n');
    },
  };
}

/** Without `from`, which the server puts in. */
function sentRoot(tree: TraceElement, names: Names): TraceElement {
  const { from: _from, ...attributes } = tree.attributes;
  if (attributes['id'] !== undefined) names.sentIds.add(attributes['id']);
  return { ...tree, attributes };
}

/** Without `to` where it is the client itself; an id that nobody in the script chose is any. */
function receivedRoot(tree: TraceElement, { phase }: Client, names: Names): TraceElement {
  const { to, ...attributes } = tree.attributes;
  const { id } = attributes;
  return {
    ...tree,
    attributes: {
      ...attributes,
      ...(to !== undefined && to !== phase.jid && { to }),
      ...(id !== undefined && !names.sentIds.has(id) && { id: anything }),
    },
  };
}

const anything = '{scansion:any}';
const generated = new Set(['id', 'stamp', 'ver', 'h', 'previd']);
/** scansion reads nothing that is deeper. */
const maxDepth = 100;

function writeElement(
  element: TraceElement,
  names: Names,
  isSent: boolean,
  depth: number,
  outer: string,
): string {
  const indent = '\t'.repeat(depth);
  const { name, namespace } = element;
  const attributes = Object.entries(element.attributes)
    .filter(([key]) => key !== 'xmlns' && !key.startsWith('xmlns:'))
    .map(([key, value]) => {
      const isAny = !isSent && depth > 1 && generated.has(key);
      return ` ${key}="${isAny ? anything : attributeValue(value, names)}"`;
    });
  const xmlns =
    namespace === outer || (depth === 1 && namespace === 'jabber:client')
      ? ''
      : ` xmlns="${escapeXml(namespace)}"`;
  const start = `${indent}<${name}${xmlns}${attributes.join('')}`;
  const children = depth < maxDepth ? elementsOf(element) : [];
  const text = element.children
    .filter((child) => typeof child === 'string')
    .join('')
    .trim();
  if (children.length === 0) return text === '' ? `${start}/>\n` : `${start}>${escapeXml(text)}</${name}>\n`;
  const inner = children.map((child) => writeElement(child, names, isSent, depth + 1, namespace)).join('');
  return `${start}>\n${inner}${indent}</${name}>\n`;
}

function attributeValue(value: string, { variables }: Names): string {
  const variable = variables.get(value);
  return variable === undefined ? escapeXml(value) : `\${${variable}}`;
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;');
}
