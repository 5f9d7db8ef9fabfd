/** Whose addresses stand in the place of those of the recording. */
import { UsageError } from '../errors.js';

/** An address, bare or full, or a domain, and what takes its place. */
export interface AddressPair {
  old: string;
  new: string;
}

/**
 * `alice@example.org=bob@example.net`, `old.example=new.example`.
 * @throws UsageError it is no pair of addresses
 */
export function parseAddressPair(text: string): AddressPair {
  const [, before = '', after = ''] = /^([^=\s]+)=([^=\s]+)$/.exec(text) ?? [];
  if (before === '' || after === '')
    throw new UsageError(`--map takes old=new, not ${text}`, {
      hint: 'for example --map bob@old.example=carol@new.example, or --map old.example=new.example',
    });
  return { old: before, new: after };
}

/** Who one side was, or is. */
export interface Party {
  /** Full where it was bound; the domain of a component. */
  jid: string | undefined;
  domain: string | undefined;
}

/**
 * Replaces addresses wherever they stand as such: the longest first, each once. `example.org` is replaced in
 * `rooms.example.org` and `bob@example.org`, not in `my-example.org`.
 */
export function makeAddressMap(
  before: Party,
  now: Party,
  pairs: readonly AddressPair[],
): (text: string) => string {
  const table = new Map<string, string>();
  const add = (old: string | undefined, replacement: string | undefined): void => {
    if (old === undefined || old === '' || replacement === undefined) return;
    // What the user says comes first, whatever is known otherwise.
    if (!table.has(old.toLowerCase())) table.set(old.toLowerCase(), replacement);
  };
  for (const pair of pairs) add(pair.old, pair.new);
  add(before.jid, now.jid);
  add(before.jid?.replace(/\/.*$/s, ''), now.jid?.replace(/\/.*$/s, ''));
  add(before.domain, now.domain);
  const olds = [...table.keys()].sort((a, b) => b.length - a.length);
  if (olds.length === 0 || olds.every((old) => table.get(old) === old)) return (text) => text;
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}_-])(?:${olds.map(escapePattern).join('|')})(?![\\p{L}\\p{N}_@-]|\\.[\\p{L}\\p{N}])`,
    'giu',
  );
  return (text) => text.replace(pattern, (found) => table.get(found.toLowerCase()) ?? found);
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
