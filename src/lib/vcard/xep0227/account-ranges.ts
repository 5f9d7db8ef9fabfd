/** The positions of an account in the bytes that it was found in. */
import type { LargeSink } from './read-export.js';
import type { MarkedAccount } from './scan-document.js';

/** Its bytes have been copied to another place. */
export function shiftAccount(account: MarkedAccount, by: number): void {
  account.start += by;
  account.contentStart += by;
  account.contentEnd += by;
  account.end += by;
  for (const child of account.children) {
    child.start += by;
    child.end += by;
  }
  account.cuts = account.cuts.map((position) => position + by);
}

/** What is passed on of an account, from its start to the end of what there is of it. */
export async function writeRest(sink: LargeSink, buffer: Buffer, account: MarkedAccount): Promise<void> {
  let from = account.start;
  const gaps = [
    ...account.children.map(({ start, end }) => ({ start, end, isChild: true })),
    ...Array.from({ length: account.cuts.length / 2 }, (_, index) => ({
      start: account.cuts[index * 2] ?? 0,
      end: account.cuts[index * 2 + 1] ?? 0,
      isChild: false,
    })),
  ].sort((a, b) => a.start - b.start);
  for (const { start, end, isChild } of gaps) {
    if (start < from) continue;
    await sink.write(buffer.subarray(from, start));
    if (isChild) sink.child(Buffer.from(buffer.subarray(start, end)));
    from = end;
  }
  await sink.write(buffer.subarray(from, account.contentEnd));
}
