/**
 * A participant at work: what comes from the others goes into the document, what is changed here goes out, who joins gets
 * the document, and after a gap everybody gets what it has missed (XEP-0284 §6 to §8, CLARIFICATIONS 22).
 */
import { NegativeError, TimeoutError } from '../../errors.js';
import { EventQueue } from '../../event-queue.js';
import { isEdit, type Change, type Outcome, type SeenMessage, type StateItem } from '../edits.js';
import type { Message } from '../inbox.js';
import type { JoinStep } from '../joining.js';
import { hasMore, MessageLog } from '../message-log.js';
import { mergeWorkingCopy, type MergedText } from '../merge-working-copy.js';
import { Participant, type Received } from '../participant.js';
import type { SharedDocument } from '../shared-document.js';
import type { SxeContent, SxeMessage } from '../stanzas.js';
import { readWorkingCopy, writeWorkingCopy } from '../working-copy.js';
import { Absent } from './absent.js';
import { batchChanges } from './batches.js';
import { CatchUp } from './catch-up.js';
import type { Channel, ChannelEvent } from './channel.js';
import { Alarm, realSurroundings, type Clock, type Surroundings } from './clock.js';
import { Fetching } from './fetching.js';
import { Giving } from './giving.js';
import type { Keeper, KeptDocument } from './keeper.js';
import { Outbox } from './outbox.js';

export type EditingEvent =
  /**
   * The document is here: at the beginning, and again when so much was missed that it had to be sent anew. `unmerged`: what
   * was written here could not be brought into it; the text has both, between marks.
   */
  | { kind: 'document'; isAgain: boolean; unmerged?: MergedText }
  /** Others have changed it. */
  | { kind: 'changed'; received: readonly Received[] }
  | { kind: 'joined' | 'left'; name: string };

/** So long nothing has to come before what a conflict has undone is said again. */
const QUIET_MS = 150;
/** The same after a gap, when others may have something to say that was missed. */
const SETTLED_MS = 1_000;
/** So long one waits for somebody to offer the document; after a gap others may have to come back first. */
const OFFER_MS = 10_000;
const OFFER_AFTER_GAP_MS = 60_000;
/** So long after something seems to be missing it is asked for. */
const MISSING_MS = 2_000;

export class EditingSession {
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #newSite: () => string;
  readonly #events = new EventQueue<EditingEvent>(100_000);
  readonly #outbox: Outbox;
  readonly #catchUp: CatchUp;
  readonly #giving: Giving;
  readonly #log = new MessageLog();
  readonly #present = new Set<string>();
  /** Those whose words we wait for, and who are not there. */
  readonly #absent: Absent;
  /** Own messages that have not come back yet. */
  readonly #onTheWay = new Map<string, Message>();
  readonly #quiet: Alarm;
  readonly #gapAlarm: Alarm;
  #participant: Participant | undefined;
  #fetching: Fetching | undefined;
  /** The name under which the others know what was sent last. */
  #name: string;
  /** There is no stream that this session is known on. */
  #isOffline = false;
  /** There is no connection. */
  #isCut = false;
  #snapshotFrom: string | undefined;
  /** Who offers the document although we have said that we have it does not know how to give what was missed. */
  #takesForeignOffer = false;

  private constructor(
    channel: Channel,
    application: string,
    { clock, newSite }: Surroundings,
    private readonly keeper: Keeper | undefined,
  ) {
    this.#channel = channel;
    this.#clock = clock;
    this.#newSite = newSite;
    this.#name = channel.name;
    this.#quiet = new Alarm(clock);
    this.#gapAlarm = new Alarm(clock);
    this.#absent = new Absent(clock);
    this.#outbox = new Outbox(channel, (error) => this.#end(error));
    this.#giving = new Giving(application, this.#log, this.#outbox);
    this.#catchUp = new CatchUp({
      clock,
      seen: () => this.participant.inbox.seen(),
      announce: (content) => this.#outbox.send(content),
      send: (name, content) => this.#sendTo(name, content),
    });
  }

  /** Begins a session with a document. */
  static share(
    channel: Channel,
    application: string,
    makeDocument: (name: string, site: string) => SharedDocument,
    surroundings: Surroundings = realSurroundings,
    keeper?: Keeper,
  ): EditingSession {
    const session = new EditingSession(channel, application, surroundings, keeper);
    const site = surroundings.newSite();
    const document = makeDocument(channel.name, site);
    session.#participant = new Participant({ name: channel.name, site, document });
    keeper?.begin(session.#participant);
    void session.#run();
    return session;
  }

  /**
   * Fetches the document of a session that has begun. The first event is `document`.
   */
  static join(
    channel: Channel,
    application: string,
    surroundings: Surroundings = realSurroundings,
    keeper?: Keeper,
  ): EditingSession {
    const session = new EditingSession(channel, application, surroundings, keeper);
    session.#fetch(OFFER_MS);
    void session.#run();
    return session;
  }

  /** Goes on with a document that was kept, as after a gap. The first event is `document`. */
  static resume(
    channel: Channel,
    application: string,
    { name, snapshot, messages }: KeptDocument,
    keeper: Keeper,
    surroundings: Surroundings = realSurroundings,
  ): EditingSession {
    const session = new EditingSession(channel, application, surroundings, keeper);
    const site = surroundings.newSite();
    const participant = Participant.fromSnapshot({ name: channel.name, site }, snapshot, name);
    for (const message of messages) {
      session.#log.add(message);
      participant.receive(message);
    }
    session.#participant = participant;
    keeper.begin(participant);
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
   * Changes the document into what a text says.
   * @throws ProtocolError the text is not well-formed: nothing has changed
   */
  apply(text: string): Outcome[] {
    const participant = this.participant;
    return this.edit(readWorkingCopy(participant, text));
  }

  edit(changes: readonly Change[]): Outcome[] {
    const outcomes: Outcome[] = [];
    for (const some of batchChanges(changes)) {
      const result = this.participant.edit(some);
      outcomes.push(...result.outcomes);
      if (result.message) this.#say(result.message);
    }
    return outcomes;
  }

  /** Says what is still to be said, and goodbye. */
  async close(): Promise<void> {
    this.#stopTimers();
    if (this.#participant) this.#flush(this.#participant);
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
    this.#quiet.cancel();
    this.#gapAlarm.cancel();
    this.#catchUp.stop();
    this.#fetching?.stop();
    this.#absent.stop();
  }

  #take(event: ChannelEvent): void {
    switch (event.kind) {
      case 'present':
        this.#onPresent(event.name);
        break;
      case 'gone':
        this.#present.delete(event.name);
        this.#catchUp.gone(event.name);
        this.#fetching?.gone(event.name);
        this.#events.push({ kind: 'left', name: event.name });
        this.#waitForQuiet();
        break;
      case 'cut':
        this.#hold();
        break;
      case 'resumed':
        this.#isCut = false;
        this.#waitForQuiet();
        break;
      case 'lost':
        this.#hold();
        this.#isOffline = true;
        this.#snapshotFrom = undefined;
        this.#present.clear();
        this.#outbox.drop();
        this.#stopTimers();
        break;
      case 'gap':
        this.#isOffline = this.#isCut = false;
        this.#return();
        break;
      case 'message':
        this.#onMessage(event.sender, event.message, event.isPrivate === true);
    }
  }

  #onPresent(name: string): void {
    this.#present.add(name);
    this.#absent.isBack(name);
    this.#participant?.joined(name);
    this.#fetching?.present();
    this.#events.push({ kind: 'joined', name });
  }

  /** What was written meanwhile goes out, and what was missed comes. */
  #return(): void {
    if (!this.#participant) {
      this.#fetch(OFFER_AFTER_GAP_MS);
      return;
    }
    // A snapshot that was under way will not be completed.
    this.#fetching = undefined;
    if (this.#channel.name !== this.#name) this.#rename(this.#participant);
    for (const { id, edits } of this.#onTheWay.values())
      this.#outbox.send({ kind: 'state', items: edits }, id);
    this.#takesForeignOffer = true;
    this.#catchUp.announce();
    this.#waitForQuiet();
  }

  /** Until one hears the others again. */
  #hold(): void {
    this.#isCut = true;
    if (this.#participant) this.#participant.isHolding = true;
  }

  #rename(before: Participant): void {
    this.#name = this.#channel.name;
    const { participant, message } = before.renamed(this.#name, this.#newSite());
    if (message) this.#keep(message);
    this.#participant = participant;
    for (const name of this.#present) participant.joined(name);
    // The room would take these for others: who has missed them asks for them.
    this.#onTheWay.clear();
  }

  #fetch(waitMs: number): void {
    this.#fetching = this.#newFetching();
    this.#fetching.ask(waitMs);
  }

  #newFetching(): Fetching {
    this.#fetching?.stop();
    return new Fetching({
      clock: this.#clock,
      name: this.#channel.name,
      site: this.#newSite(),
      ask: this.#participant ? undefined : () => this.#outbox.send({ kind: 'connect' }),
      answer: (name, content) => this.#sendTo(name, content),
      fail: () => this.#onNothingFetched(),
    });
  }

  #onNothingFetched(): void {
    if (this.#participant) {
      this.#fetching = undefined;
      this.#catchUp.announceAgain();
      this.#waitForQuiet();
    } else this.#end(new TimeoutError('timed out: nobody in the session has sent the document'));
  }

  #onMessage(sender: string, { id, content }: SxeMessage, isPrivate: boolean): void {
    const isOwn = sender === this.#channel.name;
    if (content.kind === 'state') this.#onState(sender, id, content.items, isPrivate);
    else if (!isOwn && this.#participant) this.#onNegotiation(this.#participant, sender, content);
    else if (!isOwn && content.kind === 'state-offer') this.#fetching?.offered(sender);
  }

  #onNegotiation(participant: Participant, sender: string, content: SxeContent): void {
    switch (content.kind) {
      case 'connect':
        if (content.seen) this.#onSeen(sender, content.seen, true);
        else this.#onConnect(participant, sender);
        break;
      case 'have':
        this.#onSeen(sender, content.seen, false);
        break;
      case 'want':
        this.#giving.giveMissed(participant, sender, content.seen);
        break;
      case 'missed':
        // Only who was asked may speak for others.
        if (sender !== this.#catchUp.asked && sender !== this.#snapshotFrom) break;
        for (const message of content.messages) this.#onEdits(message);
        if (sender === this.#catchUp.asked) this.#catchUp.received(content.isLast);
        break;
      case 'state-offer':
        this.#onOffer(sender);
        break;
      case 'accept-state':
        this.#giving.sendDocument(participant, sender);
        break;
      default:
        break;
    }
  }

  #onSeen(sender: string, seen: readonly SeenMessage[], isAnnounced: boolean): void {
    this.#takesForeignOffer = false;
    this.#catchUp.heard(sender, seen, isAnnounced);
  }

  /** Somebody comes who has nothing, and knows nothing of what may be owed under its name. */
  #onConnect(participant: Participant, sender: string): void {
    participant.left(sender);
    this.#speak(participant);
    participant.joined(sender);
    this.#giving.offer(sender);
  }

  /** Who was asked for what is missing has not kept it; or somebody does not know how to answer to that. */
  #onOffer(sender: string): void {
    if (this.#fetching) {
      this.#fetching.offered(sender);
    } else if (this.#catchUp.asked === sender ? !this.#catchUp.askOther() : this.#takesForeignOffer) {
      this.#takesForeignOffer = false;
      this.#fetching = this.#newFetching();
      this.#fetching.offered(sender);
    } else this.#sendTo(sender, { kind: 'refuse-state' });
  }

  #onState(sender: string, id: string, items: readonly StateItem[], isPrivate: boolean): void {
    const fetching = this.#fetching;
    if (fetching && (!this.#participant || fetching.isMeantFor(sender, items))) {
      const step = fetching.receive(sender, id, items);
      if (step.kind !== 'joined') return;
      this.#snapshotFrom = sender;
      this.#arrive(step);
      return;
    }
    // A snapshot that was given up, or that nobody has asked for.
    if (isPrivate || !items.every(isEdit)) return;
    if (this.#participant) this.#onEdits({ sender, id, edits: items });
  }

  #arrive({ participant, waiting, received }: Extract<JoinStep, { kind: 'joined' }>): void {
    const before = this.#participant;
    this.#fetching = undefined;
    if (before) this.#flush(before);
    participant.isHolding = before?.isHolding ?? false;
    this.#participant = participant;
    this.#name = participant.name;
    for (const name of this.#present) participant.joined(name);
    for (const message of waiting) this.#log.add(message);
    const unmerged = before && this.#bringAlong(before, participant);
    this.keeper?.begin(participant);
    this.#events.push({ kind: 'document', isAgain: before !== undefined, ...(unmerged && { unmerged }) });
    if (received.length > 0) this.#events.push({ kind: 'changed', received });
    // Whoever sent it may have missed something.
    if (this.#channel.isEchoing) this.#catchUp.announce();
    this.#waitForQuiet();
  }

  /**
   * What has come here and is not in a snapshot.
   * @returns the text with marks, when not all of it is kept any more
   */
  #bringAlong(before: Participant, now: Participant): MergedText | undefined {
    // Who does not say what is in the snapshot has all that came back to us.
    for (const message of now.inbox.isComplete ? this.#log.all() : this.#onTheWay.values())
      now.receive(message);
    if (!now.inbox.isComplete || !hasMore(before.inbox.seen(), now.inbox.seen())) return undefined;
    const [mine, theirs] = [writeWorkingCopy(before), writeWorkingCopy(now)];
    if (mine === theirs) return undefined;
    return mergeWorkingCopy('', mine, theirs, { mine: 'this file', theirs: 'the others' });
  }

  #keep(message: Message): void {
    if (this.#log.add(message)) this.keeper?.add(message);
  }

  #onEdits(message: Message): void {
    this.#keep(message);
    if (message.sender === this.#name) this.#onTheWay.delete(message.id);
    const received = this.participant.receive(message);
    if (received.length > 0) this.#events.push({ kind: 'changed', received });
    this.#waitForQuiet();
  }

  #waitForQuiet(): void {
    const ms = this.#participant?.isHolding === true ? SETTLED_MS : QUIET_MS;
    this.#quiet.set(ms, () => this.#onQuiet());
  }

  #onQuiet(): void {
    const participant = this.#participant;
    if (!participant || this.#fetching || this.#isCut) return;
    if (this.#catchUp.asked !== undefined) {
      this.#waitForQuiet();
      return;
    }
    participant.isHolding = false;
    this.#speak(participant);
    for (const name of participant.waitingFor()) {
      if (this.#present.has(name)) continue;
      this.#absent.waitFor(name, () => {
        participant.left(name);
        this.#waitForQuiet();
      });
    }
    if (participant.inbox.gaps().length > 0 && !this.#gapAlarm.isSet)
      this.#gapAlarm.set(MISSING_MS, () => this.#askForGaps());
  }

  #askForGaps(): void {
    if (this.participant.inbox.gaps().length === 0 || this.#catchUp.asked !== undefined) return;
    this.#catchUp.announceAgain();
    this.#waitForQuiet();
  }

  #speak(participant: Participant): void {
    for (let message = participant.speak(); message; message = participant.speak()) this.#say(message);
  }

  #flush(participant: Participant): void {
    for (let message = participant.flush(); message; message = participant.flush()) this.#say(message);
  }

  #say(message: Message): void {
    this.#keep(message);
    if (this.#channel.isEchoing) this.#onTheWay.set(message.id, message);
    if (!this.#isOffline) this.#outbox.send({ kind: 'state', items: message.edits }, message.id);
  }

  #sendTo(name: string, content: SxeContent): void {
    void this.#outbox.sendTo(name, content);
  }
}
