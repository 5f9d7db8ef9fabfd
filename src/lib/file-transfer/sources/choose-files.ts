/** Which of the words that were typed are files, and which are recipients. */
import { stat } from 'node:fs/promises';
import { FileError, UsageError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { parseAddress } from '../../jid/xmpp-uri.js';
import { codeOf, storageError } from '../storing/storage-error.js';

export type FileArgument =
  | { kind: 'stdin' }
  | { kind: 'path'; path: string }
  | { kind: 'pipe'; path: string }
  | { kind: 'folder'; path: string };

export interface ChosenFiles {
  files: FileArgument[];
  recipients: JID[];
}

/**
 * The last words are recipients, as long as they look like addresses (`bob@example.org`, `xmpp:bob@example.org`) and
 * no file is called so. With `--to`, every word is a file.
 *
 * @throws UsageError · @throws FileError
 */
export async function chooseFiles(words: readonly string[], to: readonly string[]): Promise<ChosenFiles> {
  const recipients = to.map(parseAddress);
  const rest = [...words];
  for (let last = rest.at(-1); to.length === 0 && last !== undefined; last = rest.at(-1)) {
    if (!looksLikeAddress(last)) break;
    if (await isThere(last))
      throw new UsageError(`${last} is an address and also the name of a file here`, {
        hint: `--to ${last} sends to the address, ./${last} is the file`,
      });
    recipients.unshift(parseAddress(last));
    rest.pop();
  }
  if (recipients.length === 0) {
    throw new UsageError(
      rest.length === 0 ? 'nothing to send, and nobody to send it to' : 'nobody to send it to',
      { hint: 'the last arguments are the recipients: xmppctl send-file report.pdf bob@example.org' },
    );
  }
  if (rest.length === 0) throw new UsageError('no file to send; - stands for standard input');
  const files = await Promise.all(rest.map(readArgument));
  return { files, recipients: distinct(recipients) };
}

async function readArgument(word: string): Promise<FileArgument> {
  if (word === '-') return { kind: 'stdin' };
  try {
    const found = await stat(word);
    if (found.isDirectory()) return { kind: 'folder', path: word };
    return { kind: found.isFile() ? 'path' : 'pipe', path: word };
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && looksLikeAddress(word))
      throw new UsageError(`${word} is an address among the files`, {
        hint: 'recipients come last, or each behind --to',
      });
    if (codeOf(error) === 'ENOENT') throw new FileError(`there is no file ${word}`, { cause: error });
    throw storageError(`read ${word}`, error);
  }
}

function looksLikeAddress(word: string): boolean {
  return /^xmpp:/i.test(word) || /^[^/@]+@[^@/\s]+(\/.*)?$/.test(word);
}

async function isThere(word: string): Promise<boolean> {
  return stat(word).then(
    () => true,
    () => false,
  );
}

function distinct(addresses: readonly JID[]): JID[] {
  return [...new Map(addresses.map((address) => [address.toString(), address])).values()];
}
