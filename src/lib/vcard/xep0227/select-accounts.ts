/** Which accounts of an export are wanted: those of a list, or one part of several that together are all. */
import { createHash } from 'node:crypto';
import { UsageError } from '../../errors.js';
import { JID } from '../../jid/jid.js';

export interface Shard {
  /** From 1. */
  number: number;
  of: number;
}

/** `2/8` @throws UsageError */
export function parseShard(text: string): Shard {
  const [, number, of] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const shard = { number: Number(number), of: Number(of) };
  if (number === undefined || shard.number < 1 || shard.number > shard.of)
    throw new UsageError(`--shard takes a number and how many there are, as 1/4, not ${text}`);
  return shard;
}

/** The same account is always in the same part. */
export function isInShard(account: string, { number, of }: Shard): boolean {
  return createHash('sha1').update(account).digest().readUInt32BE(0) % of === number - 1;
}

/**
 * The addresses of a list, one on each line; empty lines and those that begin with `#` are none.
 * @throws UsageError a line is no address
 */
export function parseAccountList(text: string, file: string): Set<string> {
  const accounts = new Set<string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const address = line.trim();
    if (address === '' || address.startsWith('#')) continue;
    const jid = JID.fromServer(address);
    if (jid.local === undefined || jid.resource !== undefined)
      throw new UsageError(
        `${file}, line ${index + 1}: ${JSON.stringify(address)} is not the address of an account`,
      );
    accounts.add(jid.toString());
  }
  return accounts;
}
