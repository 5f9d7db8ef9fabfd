/**
 * A whiteboard of Psi as its source has it (src/sxe and src/whiteboarding of psi-im/psi), with what is peculiar to it: it counts
 * the edits of a record, deletes for everybody what it cannot show, creates shapes without a namespace, and forgets half of
 * the attributes when it erases. Written from those facts alone, it shares no code for the protocol with what it tests.
 */
import { randomUUID } from 'node:crypto';
import { JID } from '../../src/lib/jid/jid.js';
import { joinRoom } from '../../src/lib/muc/room.js';
import { sendPresence } from '../../src/lib/roster/send-presence.js';
import type { Session } from '../../src/lib/session/session.js';
import { childElements, xml, type Element } from '../../src/lib/xml/element.js';

const SXENS = 'http://jabber.org/protocol/sxe';
const WBNS = 'http://www.w3.org/2000/svg';
const EMPTY_PROLOG =
  '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">';

type Attrs = Record<string, string | undefined>;
/** What has been said of one record, the `new` first. */
interface KnownRecord {
  rid: string;
  edits: Element[];
}

export class PsiPeer {
  /** What it has to say for itself when a test fails. */
  readonly log: string[] = [];
  #records = new Map<string, KnownRecord>();
  #sessionId = '';
  #target = '';
  /** Set in a room: its own address there. */
  #ownJid = '';
  #prefix = randomUUID() as string;
  #count = 0;
  #usedIds: string[] = [];
  #state: 'none' | 'invited' | 'accepted' | 'requested' | 'history' | 'importing' | 'finished' = 'none';
  #importing = false;
  #queued: { element: Element; id: string }[] = [];
  readonly #subscriptions: Disposable[];

  private constructor(private readonly session: Session) {
    this.#subscriptions = [
      session.advertise(SXENS, WBNS),
      session.handle({ name: 'message', child: { name: 'sxe', namespace: SXENS } }, (message) =>
        this.#received(message),
      ),
    ];
  }

  /** Online, and ready to be invited. */
  static async start(session: Session): Promise<PsiPeer> {
    const peer = new PsiPeer(session);
    await sendPresence(session);
    return peer;
  }

  async enter(room: JID, nick: string): Promise<void> {
    await joinRoom(this.session, { room, nick, create: true });
    this.#ownJid = room.withResource(nick).toString();
    this.#target = room.toString();
  }

  /** As the menu "Open a Whiteboard" of a contact, with an empty drawing. */
  async invite(peer: JID): Promise<void> {
    this.#sessionId = randomUUID();
    this.#target = peer.toString();
    this.#prefix = '0';
    const root = this.#rid();
    this.#apply(newEdit(root, 'element', '', 0, { name: 'svg', ns: WBNS }));
    this.#apply(newEdit(this.#rid(), 'attr', root, 0, { name: 'viewBox', chdata: '0 0 600 400' }));
    this.#state = 'invited';
    await this.#negotiate(this.#target, xml('invitation', {}, xml('feature', {}, WBNS)));
  }

  /** As a pen does: the path with the attributes that Qt writes. @returns its rid */
  async draw(d: string): Promise<string> {
    const root = this.#root();
    const weights = this.#childrenOf(root).map((rid) => this.#weight(rid));
    const rid = this.#rid();
    const edits = [newEdit(rid, 'element', root, Math.max(-1, ...weights) + 1, { name: 'path' })];
    const attributes = { d, fill: 'none', stroke: '#000000', 'stroke-width': '2', id: `e${randomUUID()}` };
    Object.entries(attributes).forEach(([name, chdata], index) =>
      edits.push(newEdit(this.#rid(), 'attr', rid, index, { name, chdata })),
    );
    await this.#say(edits);
    return rid;
  }

  /** The list of attributes shrinks while it walks through it, so every other one is left. */
  async erase(rid: string): Promise<void> {
    const attributes = this.#attributesOf(rid);
    const half = attributes.filter((_, index) => index % 2 === 0);
    await this.#say([...half, rid].map((each) => xml('remove', { rid: each })));
  }

  async setAttribute(rid: string, name: string, value: string): Promise<void> {
    const attribute = this.#attributesOf(rid).find((each) => this.#fields(each)['name'] === name);
    if (attribute === undefined) {
      await this.#say([newEdit(this.#rid(), 'attr', rid, 0, { name, chdata: value })]);
      return;
    }
    const version = String(this.#records.get(attribute)?.edits.length ?? 0);
    await this.#say([xml('set', { rid: attribute, version, chdata: value })]);
  }

  async leave(): Promise<void> {
    await this.#negotiate(this.#target, xml('left-session'));
    this.#state = 'none';
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
  }

  /** What is in the drawing, in its order: `path d="…" fill="…"`, attributes by name and without ids. */
  shapes(): string[] {
    const root = this.#root();
    return root === '' ? [] : this.#childrenOf(root).map((rid) => this.#describe(rid));
  }

  /** The rid of the first shape with such an attribute. */
  find(name: string, value: string): string | undefined {
    return this.#childrenOf(this.#root()).find((rid) =>
      this.#attributesOf(rid).some((each) => {
        const fields = this.#fields(each);
        return fields['name'] === name && fields['chdata'] === value;
      }),
    );
  }

  #describe(rid: string): string {
    const attributes = this.#attributesOf(rid)
      .map((each) => this.#fields(each))
      .filter(({ name }) => name !== 'id')
      .map(({ name = '', chdata = '' }) => `${name}="${chdata}"`);
    return [this.#fields(rid)['name'] ?? '', ...attributes.sort()].join(' ');
  }

  #received(message: Element): void {
    const { from = '', type } = given(message);
    const sxe = message.getChild('sxe', SXENS);
    if (!sxe || type === 'error' || from === this.#ownJid || message.getChild('delay')) return;
    const { session = '', id = '' } = given(sxe);
    const negotiations = childElements(sxe).filter((child) => child.getName() === 'negotiation');
    if (negotiations.length === 0) {
      if (session === this.#sessionId && this.#state !== 'none') this.#take(sxe, id);
      return;
    }
    for (const step of negotiations.flatMap((each) => childElements(each)))
      this.#negotiated(step, session, from, type === 'groupchat');
  }

  #negotiated(step: Element, session: string, from: string, isGroupchat: boolean): void {
    const name = step.getName();
    this.log.push(`${from}: ${name}`);
    if (name === 'invitation' && this.#state === 'none') {
      if (!childElements(step).some((child) => child.getText() === WBNS)) return;
      this.#sessionId = session;
      this.#target = isGroupchat ? JID.parse(from).bare.toString() : from;
      this.#state = 'accepted';
      void this.#negotiate(from, xml('accept-invitation'));
      return;
    }
    if (session !== this.#sessionId) return;
    if (name === 'document-begin' && (this.#state === 'accepted' || this.#state === 'history')) {
      const prefix = given(step)['available-uuid-prefix'];
      if (prefix !== undefined) this.#prefix = prefix;
      this.#records.clear();
      this.#importing = true;
      this.#state = 'importing';
    } else if (name === 'document-end' && this.#state === 'importing') {
      this.#state = 'finished';
      this.#usedIds.push(...(given(step)['used-sxe-ids'] ?? '').split(';').filter((id) => id !== ''));
      this.#importing = false;
      for (const { element, id } of this.#queued.splice(0)) this.#take(element, id);
    } else if (this.#state === 'importing') this.#apply(step);
    else if (name === 'accept-invitation' && this.#state === 'invited') this.#giveDocument(from);
    else if (name === 'connect-request' && this.#state === 'finished')
      void this.#negotiate(from, xml('history-offer'));
    else if (name === 'accept-history' && this.#state === 'finished') this.#giveDocument(from);
  }

  #giveDocument(to: string): void {
    const begin = xml('document-begin', {
      prolog: `data:text/xml,${EMPTY_PROLOG}`,
      ...(this.#ownJid === '' && { 'available-uuid-prefix': '1' }),
    });
    const end = xml('document-end', { 'used-sxe-ids': this.#usedIds.join(';') });
    const edits: Element[] = [];
    const add = (rid: string): void => {
      for (const edit of this.#records.get(rid)?.edits ?? []) edits.push(edit);
      for (const [child, { edits: own }] of this.#records) if (given(own[0])['parent'] === rid) add(child);
    };
    add(this.#root());
    this.#state = 'finished';
    void this.#negotiate(to, begin, ...edits, end);
  }

  #take(sxe: Element, id: string): void {
    if (id === '') return void this.log.push('without an id');
    if (this.#importing) return void this.#queued.push({ element: sxe, id });
    if (this.#usedIds.includes(id)) return;
    this.#usedIds.push(id);
    for (const edit of childElements(sxe)) this.#apply(edit);
  }

  #apply(edit: Element): void {
    const { rid = '' } = given(edit);
    const kind = edit.getName();
    if (kind === 'new' && !this.#records.has(rid)) {
      this.#records.set(rid, { rid, edits: [edit] });
      this.#place(rid);
    } else if (kind === 'set') this.#records.get(rid)?.edits.push(edit);
    else if (kind === 'remove') this.#records.delete(rid);
  }

  /** What has no parent, what is a second root, and the lower of two attributes is removed for everybody. */
  #place(rid: string): void {
    const { parent = '', type = '', name } = this.#fields(rid);
    if (parent === '' && type === 'element' && this.#root() !== rid) this.#removeForAll(rid);
    else if (parent !== '' && !this.#records.has(parent)) this.#removeForAll(rid);
    else if (type === 'attr') {
      const twins = this.#attributesOf(parent).filter((each) => this.#fields(each)['name'] === name);
      if (twins.length > 1) this.#removeForAll(twins.sort()[0] ?? '');
    }
  }

  #removeForAll(rid: string): void {
    this.log.push(`removes ${rid}`);
    void this.#say([xml('remove', { rid })]);
  }

  /** The edit at place i counts if its version is i and the next one has another. */
  #fields(rid: string): Attrs {
    const [created, ...sets] = this.#records.get(rid)?.edits ?? [];
    const fields = { ...given(created) };
    const versionOf = (edit: Element | undefined): number => Number(given(edit)['version']);
    const sorted = sets.map((edit) => edit).sort((one, other) => versionOf(one) - versionOf(other));
    sorted.forEach((edit, index) => {
      if (versionOf(edit) !== index + 1 || versionOf(sorted[index + 1]) === index + 1) return;
      const { chdata, replacefrom, replacen, ...others } = given(edit);
      if (chdata !== undefined) {
        const text = fields['chdata'] ?? '';
        const from = Number(replacefrom);
        const end = from + Number(replacen);
        fields['chdata'] =
          replacefrom === undefined ? chdata : text.slice(0, from) + chdata + text.slice(end);
      }
      for (const key of ['parent', 'primary-weight'])
        if (others[key] !== undefined) fields[key] = others[key];
    });
    return fields;
  }

  #root(): string {
    for (const [rid, { edits }] of this.#records) {
      const { parent = '', type } = given(edits[0]);
      if (parent === '' && type === 'element') return rid;
    }
    return '';
  }

  #weight(rid: string): number {
    return Number(this.#fields(rid)['primary-weight'] ?? 0);
  }

  #childrenOf(parent: string): string[] {
    return this.#below(parent, 'element');
  }

  #attributesOf(parent: string): string[] {
    return this.#below(parent, 'attr');
  }

  #below(parent: string, type: string): string[] {
    const found = [...this.#records.keys()].filter((rid) => {
      const fields = this.#fields(rid);
      return (fields['parent'] ?? '') === parent && fields['type'] === type;
    });
    return found.sort((one, other) => this.#weight(one) - this.#weight(other) || (one < other ? -1 : 1));
  }

  #rid(): string {
    this.#count += 1;
    return `${this.#prefix}.${this.#count.toString(36)}`;
  }

  async #say(edits: readonly Element[]): Promise<void> {
    for (const edit of edits) this.#apply(edit);
    const id = this.#rid();
    this.#usedIds.push(id);
    // Between elements there is white space.
    const children = edits.flatMap((edit) => ['\n', edit]);
    await this.#send(this.#target, xml('sxe', { xmlns: SXENS, session: this.#sessionId, id }, children));
  }

  async #negotiate(to: string, ...steps: Element[]): Promise<void> {
    const attributes = { xmlns: SXENS, session: this.#sessionId, id: randomUUID() };
    await this.#send(to, xml('sxe', attributes, xml('negotiation', {}, steps)));
  }

  async #send(to: string, sxe: Element): Promise<void> {
    const isGroupchat = this.#ownJid !== '' && !to.includes('/');
    await this.session.send(xml('message', { to, ...(isGroupchat && { type: 'groupchat' }) }, sxe));
  }
}

/** Its attributes. */
function given(element: Element | undefined): Attrs {
  const { attrs }: { attrs: Attrs } = element ?? { attrs: {} };
  return attrs;
}

function newEdit(rid: string, type: string, parent: string, weight: number, more: Attrs): Element {
  return xml('new', { rid, type, parent, 'primary-weight': String(weight), ...more });
}
