/**
 * The events of transfers as `--json` prints them: shapes that scripts rely on. What is not known is left out; new
 * properties and new events may come.
 */
import { XmppctlError, exitCodeOf } from '../../errors.js';
import type { Hash } from '../../hashes/hashes.js';
import type { FileFacts, TransferEvent, TransferResult } from '../transfer.js';

export type Direction = 'to' | 'from';

interface FileJson {
  name?: string;
  folder?: string;
  size?: number;
  type?: string;
  date?: string;
  description?: string;
  hashes?: Record<string, string>;
}

type EventJson = { event: TransferEvent['kind']; id: string; to?: string; from?: string } & Record<
  string,
  unknown
>;

/** @param peer whom the transfer is with; known since it was offered */
export function eventJson(event: TransferEvent, direction: Direction, peer: string | undefined): EventJson {
  const { kind, id } = event;
  const common: EventJson = { event: kind, id, ...(peer !== undefined && { [direction]: peer }) };
  switch (event.kind) {
    case 'offered':
      return { ...common, file: fileJson(event.file) };
    case 'accepted':
      return { ...common, offset: event.offsetBytes };
    case 'transport':
      return {
        ...common,
        method: event.method,
        path: event.path,
        ...(event.reason !== undefined && { reason: event.reason }),
      };
    case 'progress':
      return {
        ...common,
        bytes: event.confirmedBytes,
        ...(event.totalBytes !== undefined && { total: event.totalBytes }),
      };
    case 'warning':
      return { ...common, message: event.message };
    case 'done':
      return { ...common, ...resultJson(event.result) };
    case 'failed':
      return { ...common, file: fileJson(event.file), error: errorJson(event.error) };
  }
}

function fileJson({ name, folder, sizeBytes, mediaType, date, description, hashes }: FileFacts): FileJson {
  return {
    ...(name !== undefined && { name }),
    ...(folder !== undefined && { folder }),
    ...(sizeBytes !== undefined && { size: sizeBytes }),
    ...(mediaType !== undefined && { type: mediaType }),
    ...(date !== undefined && { date: date.toISOString() }),
    ...(description !== undefined && { description }),
    ...(hashes.length > 0 && { hashes: hashesJson(hashes) }),
  };
}

function resultJson(result: TransferResult): Record<string, unknown> {
  const { name, sizeBytes, method, path, certainty, hashes, resumedFromBytes, elapsedMs, storedAs } = result;
  return {
    ...(name !== undefined && { name }),
    size: sizeBytes,
    certainty,
    method,
    path,
    hashes: hashesJson(hashes),
    resumedFrom: resumedFromBytes,
    elapsedMs: Math.round(elapsedMs),
    ...(storedAs !== undefined && { storedAs }),
  };
}

/** By the names of XEP-0300, in hexadecimal digits, as `sha256sum` prints them. */
function hashesJson(hashes: readonly Hash[]): Record<string, string> {
  return Object.fromEntries(hashes.map(({ algorithm, value }) => [algorithm, value.toString('hex')]));
}

/** As on standard error (`xmppctl help exit-codes`). */
function errorJson(error: Error): Record<string, unknown> {
  const hint = error instanceof XmppctlError ? error.hint : undefined;
  return {
    name: error.name,
    message: error.message,
    exitCode: exitCodeOf(error),
    ...(hint !== undefined && { hint }),
  };
}
