/**
 * A session as Psi and Psi+ speak it (`psi-stanzas.ts`), in the terms of XEP-0284: an invitation and `history-offer` are
 * offers of the document, `connect-request` asks for one, and the document comes inside of `<negotiation/>`.
 *
 * There is nothing in it for what was missed: who comes back asks for the document. Who is there is known from what it says.
 */
import { xml, type Element } from '../../xml/element.js';
import { isEdit, type Edit, type StateItem } from '../edits.js';
import { psiSnapshotItems } from '../psi-snapshot.js';
import { decodePsiSxe, encodePsiSxe, NS_PSI_SXE, type PsiStep } from '../psi-stanzas.js';
import type { SxeContent, SxeMessage } from '../stanzas.js';
import type { Dialect, Said } from './dialect.js';

/** Ids of messages that may still be on their way to somebody; a stanza has to have room for them. */
const MAX_IDS = 400;
const MAX_KNOWN_IDS = 20_000;

export class PsiDialect implements Dialect {
  readonly namespace = NS_PSI_SXE;
  readonly canCatchUp = false;
  readonly announces = false;
  readonly snapshotItems = psiSnapshotItems;
  /** Who has invited us, and waits for another answer than who offers the document. */
  readonly #inviters = new Set<string>();
  /** Whose document we have taken last. */
  #taken: string | undefined;
  /** Of the last messages, and who sent them; nobody: we. */
  readonly #ids = new Map<string, string>();
  /** In a document that was taken, before they came: they are not to be taken twice. */
  readonly #settled = new Set<string>();

  encode({ session, id, name, content }: SxeMessage, to: string | undefined): Element | undefined {
    if (content.kind === 'advertisement')
      return xml('sxe', { xmlns: NS_PSI_SXE, session, ...(name !== undefined && { name }) });
    if (content.kind === 'state' && to === undefined) {
      const edits = content.items.filter(isEdit);
      this.#note(id, '');
      return encodePsiSxe({ session, id, negotiation: [], edits });
    }
    const negotiation = this.#stepsOf(content, to);
    return negotiation && encodePsiSxe({ session, id, negotiation, edits: [] });
  }

  goodbye(session: string): Element {
    return encodePsiSxe({ session, id: '', negotiation: [{ kind: 'left-session' }], edits: [] });
  }

  decode(source: Element, sender: string, own: string): Said[] {
    const { session, id, negotiation, edits } = decodePsiSxe(source);
    const said: Said[] = [];
    const say = (content: SxeContent, as = id): void => {
      said.push({ kind: 'message', message: { session, id: as, content } });
    };
    const items: StateItem[] = [];
    for (const step of negotiation) {
      if (isItem(step)) {
        if (step.kind === 'document-end' && sender === this.#taken)
          for (const used of step.usedIds)
            if (this.#settle(used)) said.push({ kind: 'arrived', session, id: used });
        items.push(itemOf(step));
      } else if (step.kind === 'left-session') said.push({ kind: 'left', session });
      else {
        if (step.kind === 'invitation') this.#inviters.add(sender);
        const content = contentOf(step);
        if (content) say(content);
      }
    }
    if (items.length > 0) say({ kind: 'state', items });
    if (edits.length > 0 && !(sender !== own && this.#settled.has(id))) {
      this.#note(id, sender === own ? '' : sender);
      say({ kind: 'state', items: edits });
    }
    // Who is there is told by whatever it says.
    if (said.length === 0 && negotiation.length === 0) say({ kind: 'advertisement' });
    return said;
  }

  #stepsOf(content: SxeContent, to: string | undefined): PsiStep[] | undefined {
    switch (content.kind) {
      case 'connect':
        return [{ kind: 'connect-request' }];
      case 'state-offer':
        return [{ kind: 'history-offer' }];
      case 'accept-state': {
        this.#taken = to;
        const isInvited = to !== undefined && this.#inviters.delete(to);
        return [{ kind: isInvited ? 'accept-invitation' : 'accept-history' }];
      }
      case 'refuse-state':
        return [{ kind: 'abort-negotiation' }];
      case 'state':
        return content.items.flatMap((item) => this.#stepOf(item));
      default:
        return undefined;
    }
  }

  #stepOf(item: StateItem): PsiStep[] {
    if (item.kind === 'document-begin') return [{ kind: 'document-begin', prolog: item.prolog }];
    if (item.kind === 'document-end')
      return [{ kind: 'document-end', usedIds: [...this.#ids.keys()].slice(-MAX_IDS) }];
    return isEdit(item) ? [item] : [];
  }

  #note(id: string, sender: string): void {
    if (id === '') return;
    this.#ids.set(id, sender);
    for (const [oldest] of this.#ids) {
      if (this.#ids.size <= MAX_IDS) break;
      this.#ids.delete(oldest);
    }
  }

  /** @returns whether the message is one of ours, and has arrived in this way */
  #settle(id: string): boolean {
    if (this.#settled.size < MAX_KNOWN_IDS) this.#settled.add(id);
    return this.#ids.get(id) === '';
  }
}

type PsiItem = Extract<PsiStep, { kind: 'document-begin' | 'document-end' }> | Edit;

function isItem(step: PsiStep): step is PsiItem {
  return ['document-begin', 'document-end', 'new', 'set', 'remove'].includes(step.kind);
}

function itemOf(step: PsiItem): StateItem {
  if (step.kind === 'document-begin') return { kind: 'document-begin', prolog: step.prolog };
  if (step.kind === 'document-end')
    return { kind: 'document-end', lastSender: '', lastId: '', seen: [], following: 0 };
  return step;
}

function contentOf(step: PsiStep): SxeContent | undefined {
  switch (step.kind) {
    case 'invitation':
    case 'history-offer':
      return { kind: 'state-offer', descriptions: [] };
    case 'connect-request':
      return { kind: 'connect' };
    case 'accept-invitation':
    case 'accept-history':
      return { kind: 'accept-state' };
    default:
      return undefined;
  }
}
