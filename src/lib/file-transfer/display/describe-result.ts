/** The words for a transfer that has ended: columns for scripts, a sentence for people, and what is doubtful about it. */
import { formatBytes } from '../../output/format.js';
import { safeText } from '../../output/safe-text.js';
import type { Direction } from './event-json.js';
import type { Method, TransferResult } from '../transfer.js';

export const ways: Readonly<Record<Method, string>> = {
  direct: 'direct',
  proxy: 'by proxy',
  'in-band': 'in-band',
  upload: 'by upload',
};

export function wayOf(method: Method, path: string): string {
  const way = ways[method];
  return path === '' || path === method ? way : `${way} ${path}`;
}

/** For scripts; documented, so columns are only ever added. */
export function columnsOf(result: TransferResult, name: string, peer: string): string {
  const [hash] = result.hashes;
  return [
    result.storedAs ?? name,
    peer,
    String(result.sizeBytes),
    result.method,
    result.certainty,
    hash ? `${hash.algorithm}:${hash.value.toString('hex')}` : '',
    result.path,
  ]
    .map((column) => safeText(column, { singleLine: true }))
    .join('\t');
}

export function sentenceOf(result: TransferResult, name: string, peer: string, direction: Direction): string {
  const { sizeBytes, resumedFromBytes, elapsedMs, method, path, certainty, hashes, storedAs } = result;
  const seconds = Math.max(elapsedMs, 1) / 1000;
  const speed = formatBytes(Math.round((sizeBytes - resumedFromBytes) / seconds));
  const [hash] = hashes;
  const parts = [
    `${storedAs ?? name} ${direction === 'to' ? '→' : '←'} ${bareOf(peer)}: ${formatBytes(sizeBytes)}`,
    `${seconds < 10 ? seconds.toFixed(1) : String(Math.round(seconds))} s (${speed}/s)`,
    ...(resumedFromBytes > 0 ? [`went on after ${formatBytes(resumedFromBytes)}`] : []),
    wayOf(method, path),
    certainty + (hash ? ` ${hash.algorithm} ${hash.value.toString('hex').slice(0, 16)}…` : ''),
  ];
  return parts.join(', ');
}

/** What people know somebody by. */
export function bareOf(address: string): string {
  return address.split('/', 1)[0] ?? address;
}

export function doubtAbout(
  { certainty, method }: TransferResult,
  name: string,
  peer: string,
  direction: Direction,
): string | undefined {
  if (certainty === 'verified' || method === 'upload') return undefined;
  if (certainty === 'unconfirmed')
    return `${name}: everything was sent, but ${peer} never confirmed that it arrived`;
  return direction === 'to'
    ? `${name}: ${peer} has it, but did not say that its hash was compared`
    : `${name}: ${peer} told no hash, so only the size could be checked`;
}
