/**
 * The dialect of Psi and Psi+: `http://jabber.org/protocol/sxe`, older than the specification, with a negotiation of its own.
 *
 * COMPAT(Psi+ 1.4): the snapshot travels inside of `<negotiation/>`; edits after it are children of `<sxe/>`, with white space
 * between them; an erased shape is removed with only some of its attributes, so removal has to be recursive; a child is
 * created without `ns`, and attributes have weights that begin at 0 again.
 */
import { element } from '../xml/codec.js';
import { childElements, xml, type Element } from '../xml/element.js';
import { attr, childTexts, optional, withDefault } from '../xml/fields.js';
import { editElements, readItems } from './edit-elements.js';
import type { Edit } from './edits.js';
import { decodeProlog } from './prolog.js';

export const NS_PSI_SXE = 'http://jabber.org/protocol/sxe';

const plainSteps = [
  'accept-invitation',
  'connect-request',
  'history-offer',
  'accept-history',
  'abort-negotiation',
  'left-session',
] as const;
type PlainStep = (typeof plainSteps)[number];

export type PsiStep =
  | { kind: PlainStep }
  /** What is to be edited, by namespace: `http://www.w3.org/2000/svg`. */
  | { kind: 'invitation'; features: string[] }
  | { kind: 'decline-invitation'; alternativeSessions: string[] }
  /** `prefix`: what the other's record ids should begin with. */
  | { kind: 'document-begin'; prolog: string; prefix?: string | undefined }
  | { kind: 'document-end'; usedIds: readonly string[] }
  | Edit;

export interface PsiMessage {
  session: string;
  /** Empty while it is negotiated. */
  id: string;
  /** Children of `<negotiation/>`, in order. */
  negotiation: readonly PsiStep[];
  /** Children of `<sxe/>` itself. */
  edits: readonly Edit[];
}

const PsiAttributes = element(NS_PSI_SXE, 'sxe', {
  session: attr('session'),
  id: withDefault(attr('id'), ''),
});
const Invitation = element(NS_PSI_SXE, 'invitation', { features: childTexts('feature') });
const Decline = element(NS_PSI_SXE, 'decline-invitation', {
  alternativeSessions: childTexts('alternative-session'),
});
const Begin = element(NS_PSI_SXE, 'document-begin', {
  prolog: withDefault(attr('prolog'), ''),
  prefix: optional(attr('available-uuid-prefix')),
});
const End = element(NS_PSI_SXE, 'document-end', { used: withDefault(attr('used-sxe-ids'), '') });
const edits = editElements(NS_PSI_SXE, 'rid');

/** @throws DecodeError it is no `<sxe/>` of Psi, or has no session */
export function decodePsiSxe(source: Element): PsiMessage {
  const { session, id } = PsiAttributes.decode(source);
  const negotiation = childElements(source).filter((child) => child.getName() === 'negotiation');
  return {
    session,
    id,
    negotiation: negotiation.flatMap((child) => readItems(child, decodeStep)),
    edits: readItems(source, (child) => edits.decode(child)),
  };
}

function decodeStep(child: Element): PsiStep | undefined {
  const name = child.getName();
  const plain = plainSteps.find((step) => step === name);
  if (plain) return { kind: plain };
  if (Invitation.matches(child)) return { kind: 'invitation', ...Invitation.decode(child) };
  if (Decline.matches(child)) return { kind: 'decline-invitation', ...Decline.decode(child) };
  if (Begin.matches(child)) {
    const { prolog, prefix } = Begin.decode(child);
    return { kind: 'document-begin', prolog: decodeProlog(prolog), prefix };
  }
  if (End.matches(child)) {
    const usedIds = End.decode(child).used.split(';');
    return { kind: 'document-end', usedIds: usedIds.filter((id) => id !== '') };
  }
  return edits.decode(child);
}

export function encodePsiSxe(message: PsiMessage): Element {
  const { session, id } = message;
  const target = xml('sxe', { xmlns: NS_PSI_SXE, session, id: id === '' ? undefined : id });
  if (message.negotiation.length > 0) {
    target.cnode(xml('negotiation', {}, message.negotiation.map(encodeStep)));
  }
  for (const edit of message.edits) target.cnode(encodeEdit(edit));
  return target;
}

function encodeStep(step: PsiStep): Element {
  switch (step.kind) {
    case 'invitation':
      return Invitation.encode(step, NS_PSI_SXE);
    case 'decline-invitation':
      return Decline.encode(step, NS_PSI_SXE);
    case 'document-begin':
      // Psi does not decode it, so nothing may be encoded.
      return Begin.encode({ prolog: `data:text/xml,${step.prolog}`, prefix: step.prefix }, NS_PSI_SXE);
    case 'document-end':
      return xml('document-end', { 'used-sxe-ids': step.usedIds.join(';') });
    case 'new':
    case 'set':
    case 'remove':
      return encodeEdit(step);
    default:
      return xml(step.kind);
  }
}

/** Psi knows nothing of who has made or changed a record. */
function encodeEdit(edit: Edit): Element {
  if (edit.kind === 'new')
    return edits.encode({ ...edit, creator: undefined, lastModifiedBy: undefined }, NS_PSI_SXE);
  if (edit.kind === 'set') return edits.encode({ ...edit, author: undefined }, NS_PSI_SXE);
  return edits.encode(edit, NS_PSI_SXE);
}
