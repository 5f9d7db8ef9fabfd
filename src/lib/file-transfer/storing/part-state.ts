/**
 * What is remembered of a file that is not complete, in `NAME.part.json` beside it: who sends it, and what it is.
 * Only the same file from the same sender is gone on with.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { readAlgorithm } from '../../hashes/hashes.js';
import type { FileFacts } from '../transfer.js';

const VERSION = 1;
/** A state is a few hundred bytes; more is not ours. */
const MAX_BYTES = 64 * 1024;

export interface PartState {
  /** The bare address of the sender. */
  from: string;
  facts: Pick<FileFacts, 'name' | 'sizeBytes' | 'date' | 'hashes'>;
}

/** Whole or not at all, and never through a link that somebody put there. @throws Error of the system */
export async function writePartState(path: string, { from, facts }: PartState): Promise<void> {
  const { name, sizeBytes, date, hashes } = facts;
  const text = JSON.stringify({
    version: VERSION,
    from,
    name,
    sizeBytes,
    date: date?.toISOString(),
    hashes: hashes.map(({ algorithm, value }) => ({ algorithm, value: value.toString('hex') })),
  });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await handle.writeFile(`${text}\n`);
    await handle.close();
    await rename(temporary, path);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

/** @returns undefined where there is none that can be read */
export async function readPartState(path: string): Promise<PartState | undefined> {
  let handle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const { size } = await handle.stat();
    return size > MAX_BYTES ? undefined : parseState(await handle.readFile('utf8'));
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
}

function parseState(text: string): PartState | undefined {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value) || value['version'] !== VERSION || typeof value['from'] !== 'string') return undefined;
  const { from, name, sizeBytes, date, hashes } = value;
  return {
    from,
    facts: {
      name: typeof name === 'string' ? name : undefined,
      sizeBytes: typeof sizeBytes === 'number' ? sizeBytes : undefined,
      date: typeof date === 'string' ? new Date(date) : undefined,
      hashes: (Array.isArray(hashes) ? hashes : []).flatMap((hash: unknown) => {
        if (!isRecord(hash) || typeof hash['algorithm'] !== 'string' || typeof hash['value'] !== 'string')
          return [];
        const algorithm = readAlgorithm(hash['algorithm']);
        return algorithm ? [{ algorithm, value: Buffer.from(hash['value'], 'hex') }] : [];
      }),
    },
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * Whether an offer is of the file that was begun.
 *
 * Sender, name and size must be the same, and nothing may speak against it. They alone prove little (a log of yesterday
 * may be as long as that of today), so a hash that will show a mixture at the end, or the same date, is needed too.
 */
export function isSameFile(state: PartState, from: string, facts: FileFacts): boolean {
  const earlier = state.facts;
  if (state.from !== from || earlier.name !== facts.name) return false;
  if (facts.sizeBytes === undefined || earlier.sizeBytes !== facts.sizeBytes) return false;
  const haveDates = earlier.date !== undefined && facts.date !== undefined;
  // Some write no fractions of a second.
  if (haveDates && seconds(earlier.date) !== seconds(facts.date)) return false;
  for (const { algorithm, value } of facts.hashes) {
    const before = earlier.hashes.find((hash) => hash.algorithm === algorithm);
    if (before && !before.value.equals(value)) return false;
  }
  return haveDates || facts.hashes.length > 0 || facts.promisedHashes.length > 0;
}

function seconds(date: Date | undefined): number {
  return Math.floor((date?.getTime() ?? 0) / 1000);
}
