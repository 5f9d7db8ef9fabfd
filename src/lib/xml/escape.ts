/** What of a text XML would take for markup, or change on the way (XML 1.0 §2.4, §2.11, §3.3.3). */

const TEXT_ESCAPES = /[&<>\r]/g;
const VALUE_ESCAPES = /[&<>"\t\n\r]/g;
const ANYWHERE_ESCAPES = /[&<>"'\t\n\r]/g;
const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  // As themselves these would be turned into spaces and newlines by the reader.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};
const escape = (character: string): string => escapes[character] ?? character;

/** For the content of an element. */
export function escapeText(text: string): string {
  return text.replace(TEXT_ESCAPES, escape);
}

/** For wherever it is put, in XML or HTML: between tags, and between either kind of quotes. */
export function escapeAnywhere(text: string): string {
  return text.replace(ANYWHERE_ESCAPES, escape);
}

/** For an attribute value between double quotes. */
export function escapeValue(value: string): string {
  return value.replace(VALUE_ESCAPES, escape);
}
