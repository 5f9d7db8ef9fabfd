/** Writes recorded XML anew with other values: every tag stays where it is, broken or not. */
import {
  decodeEntities,
  markup,
  readStartTag,
  type NamespaceScope,
  type OpenElement,
} from '../../trace/trace-element.js';
import type { Pseudonyms } from './pseudonyms.js';
import { attributeTreatment, contentTreatment, treat } from './treatments.js';

/** @param scope namespaces that the header of the stream put in force */
export function anonymiseXml(text: string, scope: NamespaceScope, names: Pseudonyms): string {
  const open: OpenElement[] = [];
  let written = '';
  for (const [whole, cdata, slash, name, rest = ''] of text.matchAll(markup)) {
    if (name === undefined) {
      // Comments, instructions and stray brackets are dropped: whatever is in them belongs to no protocol.
      if (cdata === undefined && whole.startsWith('<')) {
        if (/^<\?xml version=(['"])1\.0\1\s*\?>$/.test(whole)) written += whole;
        continue;
      }
      const content = cdata ?? decodeEntities(whole);
      const { name: parent = '', namespace = '' } = open.at(-1)?.element ?? {};
      written += escapeXml(treat(contentTreatment(namespace, parent), content, names));
      continue;
    }
    if (slash === '/') {
      open.pop();
      written += `</${safeName(name)}>`;
      continue;
    }
    const tag = readStartTag(name, rest, open.at(-1)?.scope ?? scope);
    const isEmpty = rest.endsWith('/');
    written += `<${safeName(name)}${writeAttributes(tag, names)}${isEmpty ? '/' : ''}>`;
    if (!isEmpty) open.push(tag);
  }
  return written;
}

function writeAttributes({ element }: OpenElement, names: Pseudonyms): string {
  return Object.entries(element.attributes)
    .map(
      ([name, value]) => ` ${safeName(name)}="${escapeXml(treat(attributeTreatment(name), value, names))}"`,
    )
    .join('');
}

/** What is no name may be anything. */
function safeName(name: string): string {
  return /^[A-Za-z_][\w.-]{0,80}(:[A-Za-z_][\w.-]{0,80})?$/.test(name) ? name : 'not-a-name';
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => escapes[character] ?? '');
}
