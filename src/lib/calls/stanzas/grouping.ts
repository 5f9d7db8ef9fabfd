/** XEP-0338: Jingle Grouping Framework, version 1.0.0: which contents travel on one path. */
import { element, type Infer } from '../../xml/codec.js';
import type { Element } from '../../xml/element.js';
import { attr, readableChildren } from '../../xml/fields.js';
import { token } from '../../xml/scalars.js';

export const NS_GROUPING = 'urn:xmpp:jingle:apps:grouping:0';

export const Group = element(NS_GROUPING, 'group', {
  semantics: attr('semantics', token),
  contents: readableChildren(element(NS_GROUPING, 'content', { name: attr('name', token) }), 32),
});
export type Group = Infer<typeof Group>;

/** Next to the contents of an offer or of its answer: these share the path of the first. */
export function bundleOf(names: readonly string[]): Element {
  return Group.encode({ semantics: 'BUNDLE', contents: names.map((name) => ({ name })) });
}

/** The names of the contents that the other party bundles, out of what stands beside the contents. */
export function bundledNames(payload: readonly Element[]): string[] {
  for (const candidate of payload) {
    // COMPAT(XEP-0338 before 0.2): the kind of grouping was in `type`.
    const semantics: unknown = candidate.attrs['semantics'] ?? candidate.attrs['type'];
    if (candidate.getName() !== 'group' || candidate.getNS() !== NS_GROUPING || semantics !== 'BUNDLE')
      continue;
    const names = candidate
      .getChildElements()
      .filter((child) => child.getName() === 'content' && child.getNS() === NS_GROUPING)
      .map((child): unknown => child.attrs['name']);
    return names.filter((name) => typeof name === 'string').slice(0, 32);
  }
  return [];
}
