/**
 * A participant at work: what comes from the others goes into the document, what is changed here goes out, who joins gets
 * the document, and after a gap it is fetched again (XEP-0284 §6 to §8).
 */
import { randomBytes } from 'node:crypto';
import { NegativeError, TimeoutError } from '../../errors.js';
import { EventQueue } from '../../jingle/event-queue.js';
import { xml } from '../../xml/element.js';
import type { Change, Outcome } from '../edits.js';
import type { Message } from '../inbox.js';
import { Joining } from '../joining.js';
import { createDocument } from '../load-tree.js';
import { mergeWorkingCopy, type MergedText } from '../merge-working-copy.js';
import { Participant, type Received } from '../participant.js';
import type { SharedDocument } from '../shared-document.js';
import { snapshotItems, splitState } from '../snapshot.js';
import type { SxeContent } from '../stanzas.js';
import { readWorkingCopy, writeWorkingCopy } from '../working-copy.js';
import type { Channel, ChannelEvent } from './channel.js';

export type EditingEvent =
  /**
   * The document is here: at the beginning, and again after a gap. `unmerged`: both sides have changed the same words
   * meanwhile; the document has those of the others, and this text has both, between marks.
   */
  | { kind: 'document'; isAgain: boolean; unmerged?: MergedText }
  /** Others have changed it. */
  | { kind: 'changed'; received: readonly Received[] }
  | { kind: 'joined' | 'left'; name: string };

/** Servers take stanzas of 64 KiB at least, and escapes make a text longer. */
const MAX_STATE_LENGTH = 24_000;
/** So long nothing has to come before what a conflict has undone is said again. */
const QUIET_MS = 150;
/** So long one waits for somebody to offer the document. */
const OFFER_MS = 10_000;
/** So long, when everybody asks, before the one of the lowest name goes on with its own. */
const TAKE_OVER_MS = 700;
const MAX_ATTEMPTS = 8;
/** So long after a gap two may find out that they have gone on apart. */
const APART_MS = 60_000;

export class EditingSession {
  readonly #channel: Channel;
  readonly #application: string;
  readonly #events = new EventQueue<EditingEvent>(100_000);
  #participant: Participant | undefined;
  #joining: Joining | undefined;
  #offerTimer: NodeJS.Timeout | undefined;
  #quietTimer: NodeJS.Timeout | undefined;
  #messages = 0;
  /** Own messages that have not come back yet. */
  readonly #onTheWay = new Set<string>();
  /** Who is there, and of these who asks for the document while we do. */
  readonly #present = new Set<string>();
  readonly #asking = new Set<string>();
  /** Who may offer the document because we have asked. */
  #asked = new Set<string>();
  /** After a gap the text before it stays what is common to all, until all have found each other again. */
  #isApart = false;
  #apartTimer: NodeJS.Timeout | undefined;
  /** Counts the gaps: what was to be sent before one is not sent after it. */
  #stay = 0;
  /** The text as everybody had it when all that we had sent was there. */
  #agreed = '';
  /** One thing after the other, in the order of the decisions. */
  #sending: Promise<void> = Promise.resolve();

  private constructor(channel: Channel, application: string) {
    this.#channel = channel;
    this.#application = application;
  }

  /** Begins a session with a document. */
  static share(
    channel: Channel,
    application: string,
    makeDocument: (name: string, site: string) => SharedDocument,
  ): EditingSession {
    const session = new EditingSession(channel, application);
    const site = newSite();
    session.#participant = new Participant({
      name: channel.name,
      site,
      document: makeDocument(channel.name, site),
    });
    session.#agreed = session.text;
    void session.#run();
    return session;
  }

  /**
   * Fetches the document of a session that has begun. The first event is `document`.
   */
  static join(channel: Channel, application: string): EditingSession {
    const session = new EditingSession(channel, application);
    session.#connect();
    void session.#run();
    return session;
  }

  /** In order; throws when the session is lost. */
  get events(): AsyncIterableIterator<EditingEvent> {
    return this.#events;
  }

  get participant(): Participant {
    if (!this.#participant) throw new NegativeError('the document is not here yet');
    return this.#participant;
  }

  /** The document, with our own words that are still to be sent. */
  get text(): string {
    return writeWorkingCopy(this.participant);
  }

  /**
   * Changes the document into what a text says.
   * @throws ProtocolError the text is not well-formed: nothing has changed
   */
  apply(text: string): Outcome[] {
    const participant = this.participant;
    return this.edit(readWorkingCopy(participant, text));
  }

  edit(changes: readonly Change[]): Outcome[] {
    const outcomes: Outcome[] = [];
    for (const some of batches(changes)) {
      const result = this.participant.edit(some);
      outcomes.push(...result.outcomes);
      this.#say(result.message);
    }
    return outcomes;
  }

  /** Says what is still to be said, and goodbye. */
  async close(): Promise<void> {
    clearTimeout(this.#quietTimer);
    clearTimeout(this.#offerTimer);
    clearTimeout(this.#apartTimer);
    if (this.#participant) this.#say(this.#participant.flush());
    await this.#sending.catch(() => undefined);
    await this.#channel.close();
    this.#events.end();
  }

  #connect(): void {
    // What has come since the connection was lost is not to be lost, too.
    this.#joining ??= this.#newJoining();
    this.#ask();
    clearTimeout(this.#offerTimer);
    this.#offerTimer = setTimeout(() => this.#takeOver(), this.#participant ? TAKE_OVER_MS : OFFER_MS);
  }

  #ask(): void {
    this.#asked = new Set(this.#present);
    this.#send({ kind: 'connect' });
  }

  #newJoining(): Joining {
    return new Joining({ name: this.#channel.name, site: newSite() });
  }

  /**
   * Nobody has offered the document. When everybody has come back at the same time, as after a restart of the server, all
   * of them ask: then that of the lowest name is the one, and the others bring theirs along.
   */
  #takeOver(attempt = 1): void {
    if (!this.#participant) {
      this.#end(new TimeoutError('timed out: nobody in the session has sent the document'));
    } else if (attempt < MAX_ATTEMPTS && [...this.#present].some((name) => name < this.#channel.name)) {
      // Theirs is the one; perhaps they were not there yet when we asked.
      this.#ask();
      this.#offerTimer = setTimeout(() => this.#takeOver(attempt + 1), 2 * TAKE_OVER_MS);
    } else {
      this.#goOnWithOwn();
    }
  }

  #goOnWithOwn(): void {
    clearTimeout(this.#offerTimer);
    if (!this.#joining || this.#joining.accepted !== undefined) return;
    this.#joining = undefined;
    // New records with the same text: old messages that are still on their way change nothing in them.
    const site = newSite();
    const document = createDocument(this.text, this.#channel.name, site);
    this.#participant = new Participant({ name: this.#channel.name, site, document });
    for (const name of this.#present) this.#participant.joined(name);
    this.#onTheWay.clear();
    this.#events.push({ kind: 'document', isAgain: true });
    for (const name of new Set([...this.#asking, ...this.#present])) this.#offer(name);
  }

  async #run(): Promise<void> {
    try {
      for await (const event of this.#channel.events) this.#take(event);
      this.#end();
    } catch (error) {
      this.#end(error);
    }
  }

  #end(error?: unknown): void {
    clearTimeout(this.#apartTimer);
    clearTimeout(this.#quietTimer);
    clearTimeout(this.#offerTimer);
    this.#events.end(error);
  }

  #take(event: ChannelEvent): void {
    switch (event.kind) {
      case 'present':
        this.#present.add(event.name);
        this.#participant?.joined(event.name);
        this.#events.push({ kind: 'joined', name: event.name });
        break;
      case 'gone':
        this.#present.delete(event.name);
        this.#participant?.left(event.name);
        if (this.#joining?.left(event.name) === true) this.#ask();
        this.#events.push({ kind: 'left', name: event.name });
        this.#waitForQuiet();
        break;
      case 'lost':
        this.#stay += 1;
        this.#isApart = true;
        clearTimeout(this.#apartTimer);
        this.#apartTimer = setTimeout(() => (this.#isApart = false), APART_MS);
        this.#present.clear();
        this.#asking.clear();
        clearTimeout(this.#offerTimer);
        // What waits is from before: the new document has it, or nobody does.
        this.#joining = this.#newJoining();
        break;
      case 'gap':
        this.#connect();
        break;
      case 'message':
        this.#onMessage(event.sender, event.message.id, event.message.content);
    }
  }

  #onMessage(sender: string, id: string, content: SxeContent): void {
    const isOwn = sender === this.#channel.name;
    switch (content.kind) {
      case 'connect':
        if (!isOwn && this.#participant) this.#onConnect(sender);
        break;
      case 'state-offer':
        if (!isOwn) this.#onOffer(sender);
        break;
      case 'accept-state':
        if (!isOwn && this.#participant && !this.#joining) this.#sendDocument(sender);
        break;
      case 'state':
        if (this.#joining) this.#onStateOfJoining(this.#joining, sender, id, content.items);
        else this.#onEdits({ sender, id, edits: content.items.filter(isEdit) });
        break;
      case 'refuse-state':
      case 'advertisement':
        break;
    }
  }

  #onConnect(sender: string): void {
    if (!this.#joining) {
      this.#offer(sender);
      return;
    }
    // Who comes after us has not heard that we ask.
    if (!this.#asking.has(sender)) this.#ask();
    this.#asking.add(sender);
  }

  #onOffer(sender: string): void {
    const wasAsked = this.#asked.delete(sender);
    if (this.#joining) this.#answerOffer(this.#joining, sender);
    else if (wasAsked || !this.#participant) this.#sendTo(sender, { kind: 'refuse-state' });
    else this.#onForeignOffer(sender);
  }

  /**
   * Nobody has asked for it: the other one has gone on with its own document, as we may have done, because neither knew of
   * the other. That of the lower name is the one.
   */
  #onForeignOffer(sender: string): void {
    if (this.#channel.name < sender) {
      this.#offer(sender);
      return;
    }
    this.#joining = this.#newJoining();
    this.#answerOffer(this.#joining, sender);
  }

  #answerOffer(joining: Joining, sender: string): void {
    const answer = joining.offered(sender);
    this.#sendTo(sender, { kind: answer });
    if (answer !== 'accept-state') return;
    clearTimeout(this.#offerTimer);
    // Who has offered may have lost the document itself since then.
    this.#offerTimer = setTimeout(() => {
      if (joining === this.#joining && joining.left(sender)) this.#connect();
    }, OFFER_MS);
  }

  #offer(to: string): void {
    this.#sendTo(to, {
      kind: 'state-offer',
      descriptions: [xml('description', { xmlns: this.#application })],
    });
  }

  /** Between begin and end nothing else is sent (§5.4). */
  #sendDocument(to: string): void {
    const participant = this.participant;
    participant.joined(to);
    for (const items of splitState(snapshotItems(participant.snapshot()), MAX_STATE_LENGTH))
      this.#sendTo(to, { kind: 'state', items });
  }

  #onStateOfJoining(
    joining: Joining,
    sender: string,
    id: string,
    items: Extract<SxeContent, { kind: 'state' }>['items'],
  ): void {
    const step = joining.receive(sender, id, items);
    if (step.kind !== 'joined') return;
    clearTimeout(this.#offerTimer);
    this.#joining = undefined;
    const mine = this.#participant && writeWorkingCopy(this.#participant);
    this.#participant = step.participant;
    for (const name of this.#present) this.#participant.joined(name);
    const unmerged = mine === undefined ? undefined : this.#bringAlong(mine);
    if (mine === undefined) this.#agreed = this.text;
    this.#events.push({ kind: 'document', isAgain: mine !== undefined, ...(unmerged && { unmerged }) });
    if (step.received.length > 0) this.#events.push({ kind: 'changed', received: step.received });
    this.#waitForQuiet();
  }

  /**
   * What was written here and had perhaps not got through before the gap is written again where it is missing.
   * @returns the text with marks, where both have changed the same words
   */
  #bringAlong(mine: string): MergedText | undefined {
    const theirs = this.text;
    const merged = mergeWorkingCopy(this.#agreed, mine, theirs, { mine: 'this file', theirs: 'the others' });
    this.#onTheWay.clear();
    this.#agreed = theirs;
    this.#isApart = false;
    if (merged.conflicts.length > 0) return merged;
    if (merged.text !== theirs) this.apply(merged.text);
    return undefined;
  }

  #onEdits(message: Message): void {
    const { participant } = this;
    if (message.sender === this.#channel.name) {
      this.#onTheWay.delete(message.id);
      participant.receive(message);
    } else {
      const received = participant.receive(message);
      if (received.length > 0) this.#events.push({ kind: 'changed', received });
      this.#waitForQuiet();
    }
    if (this.#onTheWay.size === 0 && !this.#isApart) this.#agreed = this.text;
  }

  #waitForQuiet(): void {
    clearTimeout(this.#quietTimer);
    this.#quietTimer = setTimeout(() => {
      if (this.#participant && !this.#joining) this.#say(this.#participant.speak());
    }, QUIET_MS);
  }

  #say(message: Message | undefined): void {
    // What is written while the document is fetched again is brought along as text.
    if (!message || message.edits.length === 0 || this.#joining) return;
    if (this.#channel.isEchoing) this.#onTheWay.add(message.id);
    this.#queue(() => this.#channel.send({ kind: 'state', items: message.edits }, message.id));
  }

  #send(content: SxeContent): void {
    this.#queue(() => this.#channel.send(content, this.#newId()));
  }

  #sendTo(name: string, content: SxeContent): void {
    this.#queue(() => this.#channel.sendTo(name, content, this.#newId()));
  }

  #queue(send: () => Promise<void>): void {
    const stay = this.#stay;
    this.#sending = this.#sending.then(() => (stay === this.#stay ? send() : undefined));
    this.#sending.catch((error: unknown) => this.#end(error));
  }

  /** Of what is no edit: those have their own. */
  #newId(): string {
    this.#messages += 1;
    return `s${this.#messages}-${randomBytes(4).toString('hex')}`;
  }
}

function newSite(): string {
  return randomBytes(8).toString('hex');
}

function isEdit<T extends { kind: string }>(
  item: T,
): item is Exclude<T, { kind: 'document-begin' | 'document-end' }> {
  return item.kind !== 'document-begin' && item.kind !== 'document-end';
}

/** Changes in groups that fit into a stanza. */
function* batches(changes: readonly Change[]): Generator<Change[]> {
  let some: Change[] = [];
  let length = 0;
  for (const change of changes) {
    const own = 200 + ('chdata' in change ? (change.chdata?.length ?? 0) : 0);
    if (some.length > 0 && length + own > MAX_STATE_LENGTH) {
      yield some;
      [some, length] = [[], 0];
    }
    some.push(change);
    length += own;
  }
  if (some.length > 0) yield some;
}
