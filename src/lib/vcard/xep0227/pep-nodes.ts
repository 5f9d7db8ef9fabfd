/**
 * The PEP nodes of an account as XEP-0227 §4.9 writes them: one element with configurations, one with items.
 */
import type { Avatar } from '../card.js';
import { NS_VCARD4_XML } from '../card.js';
import { childElements, xml, type Element } from '../../xml/element.js';
import { serialize } from '../../xml/serialize.js';
import type { OutputBuffer } from './output-buffer.js';

const NS_PUBSUB = 'http://jabber.org/protocol/pubsub';
const NS_PUBSUB_OWNER = 'http://jabber.org/protocol/pubsub#owner';
const NS_DATA = 'jabber:x:data';
const NODE_CONFIG = 'http://jabber.org/protocol/pubsub#node_config';

export const NODE_VCARD4 = 'urn:xmpp:vcard4';
export const NODE_AVATAR_DATA = 'urn:xmpp:avatar:data';
export const NODE_AVATAR_METADATA = 'urn:xmpp:avatar:metadata';

/** Both elements, as they were read; undefined where there is none. */
export interface PepElements {
  nodes: Element | undefined;
  items: Element | undefined;
}

/** What is to be in the nodes afterwards; what is undefined stays as it is. */
export interface PepChanges {
  card: Element | undefined;
  avatar: Avatar | undefined;
  access: AccessModel;
}

/** `keep`: of nodes that exist; new ones are open, as vcard-temp was. */
export type AccessModel = 'open' | 'presence' | 'keep';

/** The last item of a node: there is one at most in those that we know. */
export function lastItem(items: Element | undefined, node: string): Element | undefined {
  const all = itemsOf(items, node);
  return all.find((item) => item.attrs['id'] === 'current') ?? all.at(-1);
}

function itemsOf(items: Element | undefined, node: string): Element[] {
  return (items ? childElements(items) : [])
    .filter((child) => child.getName() === 'items' && child.attrs['node'] === node)
    .flatMap((child) => childElements(child).filter((item) => item.getName() === 'item'));
}

/** The card in the nodes. */
export function cardOf(items: Element | undefined): Element | undefined {
  const item = lastItem(items, NODE_VCARD4);
  return item && childElements(item).find((child) => child.is('vcard', NS_VCARD4_XML));
}

/** The bytes of the picture that the metadata speaks of. */
export function avatarDataOf(items: Element | undefined): Buffer | undefined {
  const metadata = lastItem(items, NODE_AVATAR_METADATA)?.getChild('metadata', NODE_AVATAR_METADATA);
  const ids = (metadata ? childElements(metadata) : []).map((info) => String(info.attrs['id'] ?? ''));
  const found = itemsOf(items, NODE_AVATAR_DATA).find((item) => ids.includes(String(item.attrs['id'])));
  const text = found?.getChild('data', NODE_AVATAR_DATA)?.getText();
  return text ? Buffer.from(text, 'base64') : undefined;
}

export function hasAvatar(items: Element | undefined): boolean {
  const metadata = lastItem(items, NODE_AVATAR_METADATA)?.getChild('metadata', NODE_AVATAR_METADATA);
  return metadata !== undefined && childElements(metadata).length > 0;
}

/**
 * Writes both elements for an account that has none of them: the same as `changePep` would make, but the picture does not
 * pass through a tree.
 */
export function writePep({ card, avatar, access }: PepChanges, output: OutputBuffer): void {
  const names = [...(avatar ? [NODE_AVATAR_DATA, NODE_AVATAR_METADATA] : []), ...(card ? [NODE_VCARD4] : [])];
  output.addText(`<pubsub xmlns="${NS_PUBSUB_OWNER}">`);
  for (const name of names) output.addText(configurationText(name, access === 'presence' ? access : 'open'));
  output.addText(`</pubsub><pubsub xmlns="${NS_PUBSUB}">`);
  if (avatar) {
    const { id, data } = avatar;
    output.addText(`<items node="${NODE_AVATAR_DATA}"><item id="${id}"><data xmlns="${NODE_AVATAR_DATA}">`);
    output.addAscii(data.toString('base64'));
    output.addText('</data></item></items>');
    output.addText(
      `<items node="${NODE_AVATAR_METADATA}"><item id="${id}">${serialize(metadataOf(avatar))}</item></items>`,
    );
  }
  if (card)
    output.addText(`<items node="${NODE_VCARD4}"><item id="current">${serialize(card)}</item></items>`);
  output.addText('</pubsub>');
}

const texts = new Map<string, string>();

function configurationText(node: string, access: string): string {
  const key = `${node} ${access}`;
  let text = texts.get(key);
  if (text === undefined) texts.set(key, (text = serialize(configuration(node, access))));
  return text;
}

function configuration(node: string, access: string): Element {
  const field = (name: string, value: string, type?: string): Element =>
    xml('field', { var: name, type }, xml('value', {}, value));
  return xml(
    'configure',
    { node },
    xml(
      'x',
      { xmlns: NS_DATA, type: 'submit' },
      field('FORM_TYPE', NODE_CONFIG, 'hidden'),
      field('pubsub#access_model', access),
      field('pubsub#persist_items', '1'),
      field('pubsub#max_items', '1'),
    ),
  );
}

function metadataOf({ id, mediaType, data, width, height }: Avatar): Element {
  return xml(
    'metadata',
    { xmlns: NODE_AVATAR_METADATA },
    xml('info', { id, type: mediaType, bytes: data.length, width, height }),
  );
}

/** Puts the changes into elements that exist; everything else in them stays. */
export function changePep(existing: PepElements, { card, avatar, access }: PepChanges): PepElements {
  const nodes = existing.nodes ?? xml('pubsub', { xmlns: NS_PUBSUB_OWNER });
  const items = existing.items ?? xml('pubsub', { xmlns: NS_PUBSUB });
  const put = (node: string, id: string, payload: Element): void => {
    configure(nodes, node, access);
    const holder =
      childElements(items).find((child) => child.getName() === 'items' && child.attrs['node'] === node) ??
      items.cnode(xml('items', { node }));
    holder.children = [xml('item', { id }, payload)];
    for (const item of childElements(holder)) item.parent = holder;
  };
  if (avatar) {
    put(
      NODE_AVATAR_DATA,
      avatar.id,
      xml('data', { xmlns: NODE_AVATAR_DATA }, avatar.data.toString('base64')),
    );
    put(NODE_AVATAR_METADATA, avatar.id, metadataOf(avatar));
  }
  if (card) put(NODE_VCARD4, 'current', card);
  return { nodes, items };
}

/** An existing node is opened to more people only when that was asked for. */
function configure(nodes: Element, node: string, access: AccessModel): void {
  const found = childElements(nodes).find(
    (child) => child.getName() === 'configure' && child.attrs['node'] === node,
  );
  if (!found) {
    nodes.cnode(configuration(node, access === 'presence' ? access : 'open'));
    return;
  }
  if (access === 'keep') return;
  const form = found.getChild('x', NS_DATA);
  const field = form?.getChildren('field').find(({ attrs }) => attrs['var'] === 'pubsub#access_model');
  if (field) field.children = [xml('value', {}, access)];
  else if (form) form.cnode(xml('field', { var: 'pubsub#access_model' }, xml('value', {}, access)));
}

/**
 * COMPAT(prosody-migrator 0.12): it ends at a node that has a configuration and no items, unless there is an empty list
 * of items. Returns whether something was missing.
 */
export function addMissingItemLists({ nodes, items }: PepElements): Element | undefined {
  const configured = (nodes ? childElements(nodes) : [])
    .filter((child) => child.getName() === 'configure')
    .map((child) => String(child.attrs['node'] ?? ''));
  const listed = new Set(
    (items ? childElements(items) : []).map((child) => String(child.attrs['node'] ?? '')),
  );
  const missing = configured.filter((node) => !listed.has(node));
  if (missing.length === 0) return undefined;
  const target = items ?? xml('pubsub', { xmlns: NS_PUBSUB });
  for (const node of missing) target.cnode(xml('items', { node }));
  return target;
}
