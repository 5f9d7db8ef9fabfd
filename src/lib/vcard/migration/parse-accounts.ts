/** A list of accounts with their passwords: CSV, an address and a password on each line. */
import { UsageError } from '../../errors.js';
import { JID } from '../../jid/jid.js';

export interface ListedAccount {
  account: JID;
  password: string;
}

/**
 * RFC 4180: fields may be quoted. A first line that holds no address is a heading; lines that begin with # are none.
 * @throws UsageError a line is not an address and a password; never with what stands in it, which may be the password
 */
export function parseAccounts(text: string, file: string): ListedAccount[] {
  const found: ListedAccount[] = [];
  const seen = new Set<string>();
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const place = `${file}, line ${index + 1}`;
    const [address = '', password, ...others] = splitFields(line, place);
    if (found.length === 0 && seen.size === 0 && !address.includes('@')) continue;
    if (password === undefined || password === '' || others.length > 0)
      throw new UsageError(`${place} is not an address and a password`);
    const account = readAddress(address, place);
    if (seen.has(account.toString())) throw new UsageError(`${place}: ${account.toString()} is there twice`);
    seen.add(account.toString());
    found.push({ account, password });
  }
  if (found.length === 0) throw new UsageError(`there is no account in ${file}`);
  return found;
}

function readAddress(text: string, place: string): JID {
  let jid: JID;
  try {
    jid = JID.parse(text.trim());
  } catch {
    throw new UsageError(`${place} does not begin with the address of an account`);
  }
  if (jid.local === undefined || jid.resource !== undefined)
    throw new UsageError(`${place} does not begin with the address of an account`);
  return jid;
}

function splitFields(line: string, place: string): string[] {
  const fields: string[] = [];
  let rest = line;
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"(?=,|$)/.exec(rest);
    const plain = quoted ? undefined : /^[^,"]*(?=,|$)/.exec(rest);
    if (!quoted && !plain) throw new UsageError(`${place} has a quote that does not fit`);
    fields.push(quoted ? (quoted[1] ?? '').replaceAll('""', '"') : (plain?.[0] ?? ''));
    rest = rest.slice((quoted ?? plain)?.[0].length);
    if (rest === '') return fields;
    rest = rest.slice(1);
  }
}
