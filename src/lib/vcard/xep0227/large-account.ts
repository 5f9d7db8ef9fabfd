/** An account that is too large to be held: what is looked into or changed of it is put together by itself. */
import { xml } from '../../xml/element.js';
import { serialize } from '../../xml/serialize.js';
import { NS_PIE, NS_PIE_OLD } from './namespaces.js';
import { readDeclarations, readElement } from './read-element.js';
import { DocumentScanner, type MarkedAccount } from './scan-document.js';

/** The start tag with everything that is declared around it, so that what is inside keeps its meaning. */
export function openLargeAccount(account: MarkedAccount, startTag: Buffer): Buffer {
  const outer = account.scope ?? { '': NS_PIE };
  const element = readElement(startTag, 0, startTag.length, outer, NS_PIE);
  element.attrs['name'] = account.preparedName ?? account.name;
  for (const [prefix, uri] of Object.entries({ ...outer, ...readDeclarations(startTag, 0) })) {
    if (prefix !== '') element.attrs[`xmlns:${prefix}`] = uri;
    else if (uri !== NS_PIE && uri !== NS_PIE_OLD) element.attrs['xmlns'] = uri;
  }
  return Buffer.from(serialize(element).replace(/\/>$/, '>'));
}

/** The elements that may be changed, as an account of their own. */
export function markSmall(
  account: MarkedAccount,
  tag: Buffer,
  children: readonly Buffer[],
): { bytes: Buffer; account: MarkedAccount } {
  const host = serialize(xml('host', { xmlns: NS_PIE, jid: account.host })).replace(/\/>$/, '>');
  const bytes = Buffer.concat([Buffer.from(host), tag, ...children, Buffer.from('</user></host>')]);
  const scanner = new DocumentScanner('host');
  scanner.setData(bytes, bytes.length, true);
  for (let event = scanner.next(); event; event = scanner.next()) {
    if (event.type === 'account') return { bytes, account: event.account };
  }
  throw new Error('an account was lost when it was put together');
}
