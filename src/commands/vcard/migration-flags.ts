/** Flags that mean the same for accounts in a file and on a server. */
import { readTextFile } from '../../lib/config/private-file.js';
import { UsageError } from '../../lib/errors.js';
import { parseSize } from '../../lib/input/size.js';
import { isInShard, parseAccountList, parseShard } from '../../lib/vcard/xep0227/select-accounts.js';

/** As they were typed. */
export interface MigrationFlags {
  force?: true | undefined;
  dryRun?: true | undefined;
  diff?: true | undefined;
  existing?: string | undefined;
  access?: string | undefined;
  dates?: string | undefined;
  maxAvatar?: string | undefined;
  only?: string | undefined;
  shard?: string | undefined;
  limit?: string | undefined;
  report?: string | undefined;
}

export function choose<T extends string>(name: string, given: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === given);
  if (found === undefined) {
    const last = allowed.at(-1) ?? '';
    throw new UsageError(`--${name} takes ${allowed.slice(0, -1).join(', ')} or ${last}, not ${given}`);
  }
  return found;
}

export function parseLimit(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const limit = Number(given);
  if (!/^\d+$/.test(given) || limit < 1)
    throw new UsageError(`--limit takes a number of accounts, not ${given}`);
  return limit;
}

/** Undefined: all are wanted. */
export async function parseSelection({
  only,
  shard,
}: {
  only?: string | undefined;
  shard?: string | undefined;
}): Promise<((account: string) => boolean) | undefined> {
  const list =
    only === undefined ? undefined : parseAccountList(await readTextFile(only, 'the list of accounts'), only);
  const part = shard === undefined ? undefined : parseShard(shard);
  if (!list && !part) return undefined;
  return (account) => (list?.has(account) ?? true) && (part === undefined || isInShard(account, part));
}

/** Bytes. @throws UsageError */
export function parseMaxAvatar(given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  const bytes = parseSize(given);
  if (bytes === undefined) throw new UsageError(`--max-avatar takes a size, as 64k, not ${given}`);
  return bytes;
}
