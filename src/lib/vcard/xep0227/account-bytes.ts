/** An account as it stands in its file: written anew where it depends on what is around it, or copied byte by byte. */
import { xml, type Element } from '../../xml/element.js';
import { serialize } from '../../xml/serialize.js';
import { NS_PIE } from './namespaces.js';
import type { OutputBuffer } from './output-buffer.js';
import { readElement } from './read-element.js';
import { DocumentScanner, type MarkedAccount } from './scan-document.js';

/** What an account may use without declaring it. */
export const PIE_SCOPE = { '': NS_PIE };

/** The same account without prefixes that are declared outside of it. */
export function normalizeAccount(
  bytes: Buffer,
  account: MarkedAccount,
): { bytes: Buffer; account: MarkedAccount } {
  return markElement(
    readElement(bytes, account.start, account.end, account.scope ?? PIE_SCOPE, NS_PIE),
    account,
  );
}

/** An account that has been changed as a tree, written and marked as if it had been read so. */
export function markElement(
  element: Element,
  account: MarkedAccount,
): { bytes: Buffer; account: MarkedAccount } {
  delete element.attrs['xmlns'];
  const document = xml('host', { xmlns: NS_PIE, jid: account.host });
  const text = Buffer.from(serialize(document).replace(/\/>$/, `>${serialize(element)}</host>`));
  const scanner = new DocumentScanner('host');
  scanner.setData(text, text.length, true);
  const { preparedName, includeFailure } = account;
  for (let event = scanner.next(); event; event = scanner.next()) {
    if (event.type !== 'account') continue;
    return {
      bytes: text,
      account: {
        ...event.account,
        ...(preparedName !== undefined && { preparedName }),
        ...(includeFailure !== undefined && { includeFailure }),
      },
    };
  }
  throw new Error('an account was lost when it was written anew');
}

/** Copies a range, without what has been cut out of it. */
export function copyRange(
  bytes: Buffer,
  start: number,
  end: number,
  cuts: readonly number[],
  output: OutputBuffer,
): void {
  let from = start;
  for (let index = 0; index < cuts.length; index += 2) {
    const [cutStart = 0, cutEnd = 0] = [cuts[index], cuts[index + 1]];
    if (cutEnd <= from || cutStart >= end) continue;
    output.addBytes(bytes, from, Math.max(cutStart, from));
    from = cutEnd;
  }
  output.addBytes(bytes, from, end);
}
