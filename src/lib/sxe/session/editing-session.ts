/**
 * A participant at work: what comes from the others goes into the document, what is changed here goes out, who joins gets
 * the document, and after a gap everybody gets what it has missed (XEP-0284 §6 to §8, CLARIFICATIONS 22).
 */
import { NegativeError } from '../../errors.js';
import { EventQueue } from '../../event-queue.js';
import { isEdit, type Change, type Outcome, type StateItem } from '../edits.js';
import type { Message } from '../inbox.js';
import type { JoinStep } from '../joining.js';
import { Participant } from '../participant.js';
import type { Schema } from '../schema/schema.js';
import type { SharedDocument } from '../shared-document.js';
import type { SxeMessage } from '../stanzas.js';
import type { Tree } from '../tree.js';
import { readWorkingCopy, writeWorkingCopy } from '../working-copy.js';
import { batchChanges } from './batches.js';
import type { Channel, ChannelEvent } from './channel.js';
import { realSurroundings, type Surroundings } from './clock.js';
import { Delivery } from './delivery.js';
import { bringAlong } from './bring-along.js';
import type { EditingEvent, EditingOptions } from './editing-event.js';
import { Exchange } from './exchange.js';
import type { Keeper, KeptDocument } from './keeper.js';
import { Outbox } from './outbox.js';
import { SchemaGuard } from './schema-guard.js';
import { Speaking } from './speaking.js';

export class EditingSession {
  readonly #channel: Channel;
  readonly #newSite: () => string;
  readonly #events = new EventQueue<EditingEvent>(100_000);
  readonly #outbox: Outbox;
  readonly #delivery: Delivery;
  readonly #exchange: Exchange;
  readonly #speaking: Speaking;
  readonly #keeper: Keeper | undefined;
  readonly #guard: SchemaGuard | undefined;
  readonly #present = new Set<string>();
  #participant: Participant | undefined;
  /** The name under which the others know what was sent last. */
  #name: string;
  /** There is no connection. */
  #isCut = false;

  private constructor(
    channel: Channel,
    application: string,
    { surroundings = realSurroundings, keeper, schema }: EditingOptions,
  ) {
    this.#keeper = keeper;
    this.#channel = channel;
    this.#newSite = surroundings.newSite;
    this.#name = channel.name;
    this.#outbox = new Outbox(channel, (error) => this.#end(error));
    this.#delivery = new Delivery(this.#outbox, channel.isEchoing, keeper);
    this.#exchange = new Exchange({
      channel,
      outbox: this.#outbox,
      log: this.#delivery.log,
      surroundings,
      application,
      participant: () => this.#participant,
      arrived: (step) => this.#arrive(step),
      missed: (message) => this.#onEdits(message),
      beforeOffer: (name) => this.#beforeOffer(name),
      settled: () => {
        this.#speaking.waitForQuiet();
        this.#guard?.changed();
      },
      fail: (error) => this.#end(error),
    });
    this.#speaking = new Speaking({
      clock: surroundings.clock,
      participant: () => (this.#exchange.isFetching || this.#isCut ? undefined : this.#participant),
      isPresent: (name) => this.#present.has(name),
      isCatchingUp: () => this.#exchange.isCatchingUp,
      say: (message) => this.#delivery.say(message),
      askForMissing: () => this.#exchange.announceAgain(),
    });
    this.#guard = schema && this.#newGuard(schema, surroundings);
  }

  #newGuard(schema: Schema, { clock }: Surroundings): SchemaGuard {
    return new SchemaGuard(schema, {
      clock,
      participant: () => (this.#exchange.isFetching || this.#isCut ? undefined : this.#participant),
      isPresent: (name) => this.#present.has(name),
      edit: (changes) => void this.edit(changes),
      sendTo: (name, content) => void this.#outbox.sendTo(name, content),
      tell: (event) => this.#events.push(event),
    });
  }

  /** Begins a session with a document, which is valid if there is a schema. */
  static share(
    channel: Channel,
    application: string,
    makeDocument: (name: string, site: string) => SharedDocument,
    options: EditingOptions = {},
  ): EditingSession {
    const session = new EditingSession(channel, application, options);
    const site = session.#newSite();
    const document = makeDocument(channel.name, site);
    session.#participant = new Participant({ name: channel.name, site, document });
    options.keeper?.begin(session.#participant);
    session.#guard?.begin(session.text);
    void session.#run();
    return session;
  }

  /**
   * Fetches the document of a session that has begun. The first event is `document`.
   */
  static join(channel: Channel, application: string, options: EditingOptions = {}): EditingSession {
    const session = new EditingSession(channel, application, options);
    session.#exchange.join();
    void session.#run();
    return session;
  }

  /** Goes on with a document that was kept, as after a gap. The first event is `document`. */
  static resume(
    channel: Channel,
    application: string,
    { name, snapshot, messages }: KeptDocument,
    options: EditingOptions & { keeper: Keeper },
  ): EditingSession {
    const session = new EditingSession(channel, application, options);
    const site = session.#newSite();
    const participant = Participant.fromSnapshot({ name: channel.name, site }, snapshot, name);
    for (const message of messages) {
      session.#delivery.log.add(message);
      participant.receive(message);
    }
    session.#participant = participant;
    options.keeper.begin(participant);
    participant.isHolding = true;
    session.#events.push({ kind: 'document', isAgain: false });
    session.#return();
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

  /** The id of the session. */
  get session(): string {
    return this.#channel.session;
  }

  /** Who else is in the session, by the names under which they are known there. */
  get present(): string[] {
    return [...this.#present].filter((name) => name !== this.#channel.name);
  }

  /** The document, with our own words that are still to be sent. */
  get text(): string {
    return writeWorkingCopy(this.participant);
  }

  /**
   * Changes the document into what a text says, or what it is when it is parsed.
   * @throws ProtocolError the text is not well-formed: nothing has changed
   */
  apply(saved: string | Tree): Outcome[] {
    return this.edit(readWorkingCopy(this.participant, saved));
  }

  /** Whether there is something that `judge` judges by. */
  get hasSchema(): boolean {
    return this.#guard !== undefined;
  }

  /**
   * Why a text is not to become the document, by the schema; undefined without one, and while the document is not valid itself.
   */
  async judge(text: string): Promise<string | undefined> {
    return this.#guard?.judge(text);
  }

  edit(changes: readonly Change[]): Outcome[] {
    const outcomes: Outcome[] = [];
    for (const some of batchChanges(changes)) {
      const result = this.participant.edit(some);
      outcomes.push(...result.outcomes);
      if (result.message) this.#delivery.say(result.message);
    }
    this.#guard?.changed();
    return outcomes;
  }

  /** Says what is still to be said, and goodbye. */
  async close(): Promise<void> {
    this.#stopTimers();
    if (this.#participant) this.#speaking.flush(this.#participant);
    await this.#outbox.flush();
    await this.#channel.close();
    this.#events.end();
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
    this.#stopTimers();
    this.#events.end(error);
    // What comes now is for nobody.
    void this.#channel.events.return?.();
  }

  #stopTimers(): void {
    this.#exchange.stop();
    this.#speaking.stop();
    this.#guard?.stop();
  }

  #take(event: ChannelEvent): void {
    switch (event.kind) {
      case 'present':
        this.#onPresent(event.name);
        break;
      case 'gone':
        this.#present.delete(event.name);
        this.#exchange.gone(event.name);
        this.#events.push({ kind: 'left', name: event.name });
        this.#guard?.gone(event.name);
        this.#speaking.waitForQuiet();
        break;
      case 'cut':
        this.#hold();
        break;
      case 'resumed':
        this.#isCut = false;
        this.#guard?.changed();
        this.#speaking.waitForQuiet();
        break;
      case 'lost':
        this.#hold();
        this.#delivery.isOffline = true;
        for (const name of this.#present) this.#guard?.gone(name);
        this.#present.clear();
        this.#outbox.drop();
        this.#exchange.lost();
        this.#speaking.stop();
        break;
      case 'gap':
        this.#isCut = false;
        this.#delivery.isOffline = false;
        this.#return();
        this.#guard?.changed();
        break;
      case 'message':
        this.#onMessage(event.sender, event.message, event.isPrivate === true);
    }
  }

  #onMessage(sender: string, { id, content }: SxeMessage, isPrivate: boolean): void {
    if (content.kind === 'state') this.#onState(sender, id, content.items, isPrivate);
    else if (sender === this.#channel.name) return;
    else if (content.kind === 'schema') this.#guard?.hears(sender);
    else if (content.kind === 'not-valid')
      this.#events.push({ kind: 'taken-back', name: sender, reason: content.reason });
    else this.#exchange.take(sender, content);
  }

  #onPresent(name: string): void {
    this.#present.add(name);
    this.#speaking.isBack(name);
    this.#participant?.joined(name);
    this.#exchange.present();
    this.#guard?.present(name);
    this.#events.push({ kind: 'joined', name });
  }

  /** What was written meanwhile goes out, and what was missed comes. */
  #return(): void {
    if (this.#participant) {
      if (this.#channel.name !== this.#name) this.#rename(this.#participant);
      this.#delivery.sendAgain();
    }
    this.#exchange.returned();
    if (this.#participant) this.#speaking.waitForQuiet();
  }

  /** Until one hears the others again. */
  #hold(): void {
    this.#isCut = true;
    if (this.#participant) this.#participant.isHolding = true;
  }

  #rename(before: Participant): void {
    this.#name = this.#channel.name;
    const { participant, message } = before.renamed(this.#name, this.#newSite());
    if (message) this.#delivery.keep(message);
    this.#participant = participant;
    for (const name of this.#present) participant.joined(name);
    this.#delivery.disown();
  }

  /** Who comes with nothing knows nothing of what may be owed under its name. */
  #beforeOffer(name: string): void {
    const { participant } = this;
    participant.left(name);
    this.#speaking.speak(participant);
    participant.joined(name);
  }

  #onState(sender: string, id: string, items: readonly StateItem[], isPrivate: boolean): void {
    if (this.#exchange.takeState(sender, id, items)) return;
    // A snapshot that was given up, or that nobody has asked for.
    if (isPrivate || !items.every(isEdit)) return;
    if (this.#participant) this.#onEdits({ sender, id, edits: items });
  }

  #arrive({ participant, waiting, received }: Extract<JoinStep, { kind: 'joined' }>): void {
    const before = this.#participant;
    if (before) this.#speaking.flush(before);
    participant.isHolding = before?.isHolding ?? false;
    this.#participant = participant;
    this.#name = participant.name;
    for (const name of this.#present) participant.joined(name);
    for (const message of waiting) this.#delivery.log.add(message);
    const unmerged = before && bringAlong(before, participant, this.#delivery);
    this.#keeper?.begin(participant);
    this.#events.push({ kind: 'document', isAgain: before !== undefined, ...(unmerged && { unmerged }) });
    if (received.length > 0) this.#events.push({ kind: 'changed', received });
    if (this.#channel.isEchoing) this.#exchange.announce();
    this.#guard?.changed();
    this.#speaking.waitForQuiet();
  }

  #onEdits(message: Message): void {
    this.#delivery.arrived(message, this.#name);
    const received = this.participant.receive(message);
    if (received.length > 0) this.#events.push({ kind: 'changed', received });
    this.#guard?.changed();
    this.#speaking.waitForQuiet();
  }
}
