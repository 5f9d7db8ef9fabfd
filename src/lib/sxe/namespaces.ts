/**
 * Names and namespaces of records. `name` may have a prefix; `ns` says what it stands for.
 */
import type { Fields } from './record.js';

export const NS_XML = 'http://www.w3.org/XML/1998/namespace';
/** Declarations are attributes in this namespace, as in the DOM, so that prefixes survive a session. */
export const NS_XMLNS = 'http://www.w3.org/2000/xmlns/';

export function prefixOf(name: string): string {
  const colon = name.indexOf(':');
  return colon < 0 ? '' : name.slice(0, colon);
}

export function localNameOf(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** The namespace of an attribute. The examples of XEP-0284 say `ns='xml'` for that of the prefix. */
export function attributeNamespace(fields: Pick<Fields, 'ns' | 'name'>): string {
  const { ns, name } = fields;
  if (ns === 'xml') return NS_XML;
  if (ns !== undefined) return ns;
  const prefix = prefixOf(name);
  if (prefix === 'xml') return NS_XML;
  return prefix === 'xmlns' || name === 'xmlns' ? NS_XMLNS : '';
}

/** Two attributes with the same key cannot stand in one element. */
export function attributeKey(fields: Pick<Fields, 'ns' | 'name'>): string {
  const namespace = attributeNamespace(fields);
  // A prefix that nothing explains is part of the name.
  const name = namespace === '' ? fields.name : localNameOf(fields.name);
  return namespace === NS_XMLNS && fields.name === 'xmlns' ? `{${namespace}}` : `{${namespace}}${name}`;
}
