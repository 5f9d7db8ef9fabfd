import type { AccountBatch } from './read-export.js';
import { convertAccount, type AccountPlan, type AccountResult } from './convert-account.js';
import { OutputBuffer } from './output-buffer.js';

/** Where an account is in the output of its batch. */
export interface PlacedAccount {
  host: string;
  name: string;
  start: number;
  end: number;
}

export interface ConvertedBatch {
  output: Buffer<ArrayBuffer>;
  accounts: PlacedAccount[];
  results: AccountResult[];
}

/** Pictures stay as large as they are; a card in nodes has configurations beside it. */
const MORE_FOR_ACCOUNT = 1600;

/** How much the output will be, at a guess. */
export function sizeOfOutput({ length, accounts }: Omit<AccountBatch, 'bytes'>): number {
  return length + (accounts.length + 1) * MORE_FOR_ACCOUNT;
}

/** @param spare memory for the output that is free */
export function convertBatch(
  { bytes, length, accounts }: AccountBatch,
  plan: AccountPlan,
  spare?: ArrayBuffer,
): ConvertedBatch {
  const output = new OutputBuffer(sizeOfOutput({ length, accounts }), spare);
  const placed: PlacedAccount[] = [];
  const results: AccountResult[] = [];
  for (const account of accounts) {
    const start = output.length;
    const { host, name, preparedName = name } = account;
    results.push(convertAccount(bytes, account, plan, output));
    // An account that cannot be written at all has no place.
    if (output.length > start) {
      placed.push({ host, name: preparedName, start, end: output.length });
    }
  }
  return { output: output.finish(), accounts: placed, results };
}
