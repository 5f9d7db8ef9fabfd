/**
 * POSH (RFC 7711): the fingerprints of a domain's certificates on its web server, for domains whose servers are hosted
 * by others.
 */
import { isRecord } from '../../json-object.js';
import { reasonOf } from './measure.js';
import { fetchOnce } from '../wire/https.js';
import type { Measured } from './facts.js';
import type { WebTarget } from './web.js';

export interface PoshFile {
  /** SHA-256 fingerprints, base64. */
  fingerprints: readonly string[];
  expiresSeconds: number | undefined;
  /** The file points to another one. */
  url: string | undefined;
  tlsProblem: string | undefined;
}

export interface PoshFacts {
  client: Measured<PoshFile>;
  server: Measured<PoshFile>;
}

export async function collectPosh(target: WebTarget): Promise<PoshFacts> {
  const [client, server] = await Promise.all([
    readPosh(target, 'xmpp-client'),
    readPosh(target, 'xmpp-server'),
  ]);
  return { client, server };
}

async function readPosh(target: WebTarget, service: string): Promise<Measured<PoshFile>> {
  try {
    const url = new URL(`https://${target.authority}/.well-known/posh/${service}.json`);
    const [address] = await target.resolve(url.hostname.replace(/^\[|\]$/g, ''));
    if (address === undefined) return { reason: 'the web server has no address that may be connected to' };
    const { status, text, tlsProblem } = await fetchOnce({
      url,
      address,
      extraRoots: target.extraRoots,
      budget: target.budget,
    });
    if (status !== 200) return { reason: `status ${status}` };
    const file = parsePosh(text);
    return file ? { value: { ...file, tlsProblem } } : { reason: 'the file is not what RFC 7711 describes' };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

/** RFC 7711 §3: fingerprints, or a link to them. */
export function parsePosh(text: string): Omit<PoshFile, 'tlsProblem'> | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(document)) return undefined;
  const { fingerprints, url, expires } = document;
  const list = Array.isArray(fingerprints) ? (fingerprints as unknown[]) : [];
  const hashes = list.flatMap((entry) =>
    isRecord(entry) && typeof entry['sha-256'] === 'string' ? [entry['sha-256'].slice(0, 100)] : [],
  );
  if (hashes.length === 0 && typeof url !== 'string') return undefined;
  return {
    fingerprints: hashes.slice(0, 50),
    url: typeof url === 'string' ? url.slice(0, 500) : undefined,
    expiresSeconds: typeof expires === 'number' && expires >= 0 ? expires : undefined,
  };
}
