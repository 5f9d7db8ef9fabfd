/**
 * A whole node as a file: a line of JSON that describes the node, a line for each item, oldest first, and a line that
 * says how many there were, so that a file that was cut off is not taken for a whole one.
 */
import { UsageError } from '../errors.js';
import { JID } from '../jid/jid.js';
import type { Element } from '../xml/element.js';
import { parsePayload } from './payload.js';

export const NODE_FILE_FORMAT = 'xmppctl-node-1';

export interface NodeHeader {
  format: typeof NODE_FILE_FORMAT;
  service: string;
  node: string;
  /** When it was written, ISO 8601. */
  time: string;
  /** By field name without `pubsub#`. Left out where only the owner may know. */
  configuration?: Readonly<Record<string, readonly string[]>>;
  affiliations?: readonly { jid: string; affiliation: string }[];
  subscriptions?: readonly { jid: string; state: string }[];
}

export interface NodeItemLine {
  id: string;
  publisher?: string;
  /** XML text. */
  payload?: string;
}

export interface NodeEnd {
  items: number;
}

export type NodeLine = NodeHeader | NodeItemLine | NodeEnd;

/** @throws UsageError it does not begin as such a file does */
export function parseHeader(line: string): NodeHeader {
  const value = parseObject(line);
  if (value?.['format'] !== NODE_FILE_FORMAT || typeof value['node'] !== 'string') {
    throw new UsageError('this was not written by xmppctl pubsub export');
  }
  const { service, time } = value;
  const configuration = isObject(value['configuration']) ? value['configuration'] : undefined;
  return {
    format: NODE_FILE_FORMAT,
    node: value['node'],
    service: typeof service === 'string' ? service : '',
    time: typeof time === 'string' ? time : '',
    ...(configuration && {
      configuration: Object.fromEntries(
        Object.entries(configuration).map(([name, values]) => [
          name,
          Array.isArray(values) ? values.map(String) : [],
        ]),
      ),
    }),
    affiliations: pairsOf(value['affiliations'], 'affiliation').map(([jid, affiliation]) => ({
      jid,
      affiliation,
    })),
    subscriptions: pairsOf(value['subscriptions'], 'state').map(([jid, state]) => ({ jid, state })),
  };
}

export interface ReadItem {
  id: string;
  payload: Element | undefined;
}

/** @throws UsageError naming the line */
export function parseLine(line: string, number: number): ReadItem | NodeEnd {
  const value = parseObject(line);
  if (value && typeof value['items'] === 'number') return { items: value['items'] };
  if (!value || typeof value['id'] !== 'string') throw new UsageError(`line ${number} is not an item`);
  const { id, payload } = value;
  return {
    id,
    payload: typeof payload === 'string' ? parsePayload(payload, `line ${number}`) : undefined,
  };
}

/** Those with an address that is one. */
function pairsOf(value: unknown, name: string): [jid: string, state: string][] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown): [string, string][] => {
    if (!isObject(one)) return [];
    const { jid, [name]: state } = one;
    return typeof jid === 'string' && typeof state === 'string' && JID.tryParse(jid) ? [[jid, state]] : [];
  });
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
