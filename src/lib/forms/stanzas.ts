/**
 * XEP-0004: Data Forms, version 2.13.2 and the media of XEP-0221: Data Forms Media Element, version 1.0: what goes over the wire.
 *
 * Not here: XEP-0122 validation and XEP-0141 layout; what they add is ignored on reading.
 */
import { element, type Infer, type InferInput } from '../xml/codec.js';
import { attr, child, childText, childTexts, children, flag, optional, text } from '../xml/fields.js';
import { enumOf, uint } from '../xml/scalars.js';

export const NS_DATA_FORMS = 'jabber:x:data';
export const NS_MEDIA = 'urn:xmpp:media-element';

export const Media = element(NS_MEDIA, 'media', {
  height: optional(attr('height', uint)),
  width: optional(attr('width', uint)),
  uris: children(element(NS_MEDIA, 'uri', { type: attr('type'), uri: text() })),
});
export type Media = Infer<typeof Media>;

const Option = element(NS_DATA_FORMS, 'option', {
  label: optional(attr('label')),
  value: childText('value'),
});

/** XEP-0004 §3.2: a field of an unknown type is to be treated as `text-single`, so the type is read as it stands. */
export const FormField = element(NS_DATA_FORMS, 'field', {
  name: optional(attr('var')),
  type: optional(attr('type')),
  label: optional(attr('label')),
  description: optional(childText('desc')),
  isRequired: flag('required'),
  values: childTexts('value'),
  options: children(Option),
  media: optional(child(Media)),
});
export type FormField = Infer<typeof FormField>;

const Row = { fields: children(FormField) };

export const DataForm = element(NS_DATA_FORMS, 'x', {
  type: attr('type', enumOf('form', 'submit', 'cancel', 'result')),
  title: optional(childText('title')),
  instructions: childTexts('instructions'),
  fields: children(FormField),
  /** The columns of a table (XEP-0004 §3.4). */
  reported: optional(child(element(NS_DATA_FORMS, 'reported', Row))),
  items: children(element(NS_DATA_FORMS, 'item', Row)),
});
export type DataForm = Infer<typeof DataForm>;
export type DataFormInput = InferInput<typeof DataForm>;
