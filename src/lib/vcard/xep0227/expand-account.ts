/** Elements of an account that are in files of their own, by XInclude, put where they belong. */
import { open } from 'node:fs/promises';
import { reasonOf } from '../../config/private-file.js';
import { FileError, ProtocolError } from '../../errors.js';
import { childElements, type Element } from '../../xml/element.js';
import { parseXml } from '../../xml/parse.js';
import { markElement, PIE_SCOPE } from './account-bytes.js';
import { ExportInput, fileSource, InputError } from './export-input.js';
import { NS_PIE, NS_XINCLUDE } from './namespaces.js';
import { readElement } from './read-element.js';
import { includeRefusal, resolveInclude, type IncludePlace } from './resolve-include.js';
import { ChildKind, type MarkedAccount } from './scan-document.js';

/** A card with a large picture; more is no element of an account. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

export function includesInside({ children }: MarkedAccount): boolean {
  return children.some(({ kind }) => kind === ChildKind.include);
}

/**
 * @returns the account with what it includes; as it is, and with the reason, where something of it cannot be included:
 * that concerns this account only
 */
export async function expandAccount(
  bytes: Buffer,
  account: MarkedAccount,
  place: IncludePlace,
): Promise<{ bytes: Buffer; account: MarkedAccount }> {
  try {
    const element = readElement(bytes, account.start, account.end, account.scope ?? PIE_SCOPE, NS_PIE);
    const included = new Map<Element, Element>();
    for (const child of childElements(element)) {
      if (isInclude(child)) included.set(child, await readIncluded(child, place));
    }
    element.children = element.children.map((child) =>
      typeof child === 'string' ? child : (included.get(child) ?? child),
    );
    return markElement(element, account);
  } catch (error) {
    if (!(error instanceof FileError) && !(error instanceof ProtocolError)) throw error;
    return { bytes, account: { ...account, includeFailure: error.message } };
  }
}

function isInclude(element: Element): boolean {
  return element.getName() === 'include' && element.getNS() === NS_XINCLUDE;
}

async function readIncluded(include: Element, place: IncludePlace): Promise<Element> {
  const { href = '', parse = 'xml', xpointer } = include.attrs as Partial<Record<string, string>>;
  const refuse = (reason: string): FileError => includeRefusal(href, place.file, reason);
  if (href === '' || parse !== 'xml' || xpointer !== undefined)
    throw refuse('only whole files of XML are included');
  const file = await resolveInclude(href, place);
  let element: Element;
  try {
    element = parseXml(await readText(file));
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof InputError) throw refuse(error.message);
    throw refuse(reasonOf(error));
  }
  if (containsInclude(element)) throw refuse('it includes another file itself');
  // Without a namespace it is in none, and not in that of the account.
  element.attrs['xmlns'] ??= '';
  return element;
}

function containsInclude(element: Element): boolean {
  return isInclude(element) || childElements(element).some(containsInclude);
}

async function readText(file: string): Promise<string> {
  const handle = await open(file);
  const input = new ExportInput(fileSource(handle));
  try {
    const { size } = await handle.stat();
    if (size > MAX_FILE_BYTES) throw new ProtocolError(`it is larger than ${MAX_FILE_BYTES} bytes`);
    let buffer = Buffer.alloc(64 * 1024);
    let filled = 0;
    for (let more = await input.read(buffer, 0); more > 0; more = await input.read(buffer, filled)) {
      filled += more;
      if (filled > 2 * MAX_FILE_BYTES) throw new ProtocolError(`it is larger than ${MAX_FILE_BYTES} bytes`);
      if (filled > buffer.length / 2) buffer = Buffer.concat([buffer], buffer.length * 2);
    }
    return withoutDeclaration(buffer.toString('utf8', 0, filled), input.isUtf16);
  } finally {
    await input.close();
  }
}

/** A part of a document has none. @throws ProtocolError it says that it is in an encoding that is not read */
function withoutDeclaration(text: string, wasUtf16: boolean): string {
  const declaration = /^<\?xml\s[^>]*\?>/.exec(text)?.[0] ?? '';
  const encoding = /encoding\s*=\s*["']([^"']*)["']/.exec(declaration)?.[1];
  if (encoding !== undefined && !wasUtf16 && !/^(?:utf-?8|us-ascii)$/i.test(encoding))
    throw new ProtocolError(`it is in ${encoding.slice(0, 40)}, and only UTF-8 and UTF-16 are read`);
  return text.slice(declaration.length);
}
