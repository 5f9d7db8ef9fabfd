/**
 * Getting the document from those who have it, and giving it to those who have not: offers, snapshots, and what was missed
 * (XEP-0284 §7 and §8, CLARIFICATIONS 19 and 22).
 */
import { TimeoutError } from '../../errors.js';
import type { SeenMessage, StateItem } from '../edits.js';
import type { Message } from '../inbox.js';
import type { JoinStep } from '../joining.js';
import type { MessageLog } from '../message-log.js';
import type { Participant } from '../participant.js';
import type { SxeContent } from '../stanzas.js';
import { CatchUp } from './catch-up.js';
import type { Channel } from './channel.js';
import type { Surroundings } from './clock.js';
import { Fetching } from './fetching.js';
import { Giving } from './giving.js';
import type { Outbox } from './outbox.js';

/** So long one waits for somebody to offer the document; after a gap others may have to come back first. */
const OFFER_MS = 10_000;
const OFFER_AFTER_GAP_MS = 60_000;

export interface ExchangePorts {
  channel: Channel;
  outbox: Outbox;
  log: MessageLog;
  surroundings: Surroundings;
  application: string;
  participant(): Participant | undefined;
  /** The document has come. */
  arrived(step: Extract<JoinStep, { kind: 'joined' }>): void;
  /** A message that was missed. */
  missed(message: Message): void;
  /** Somebody comes who has nothing: what is to be said is said before the document is offered. */
  beforeOffer(name: string): void;
  /** There is nothing more to wait for. */
  settled(): void;
  fail(error: TimeoutError): void;
}

export class Exchange {
  readonly #catchUp: CatchUp;
  readonly #giving: Giving;
  #fetching: Fetching | undefined;
  #snapshotFrom: string | undefined;
  /** Who offers the document although we have said that we have it does not know how to give what was missed. */
  #takesForeignOffer = false;

  constructor(private readonly ports: ExchangePorts) {
    const { application, channel, log, outbox, surroundings } = ports;
    this.#giving = new Giving(application, log, outbox, channel.dialect);
    this.#catchUp = new CatchUp({
      clock: surroundings.clock,
      seen: () => ports.participant()?.inbox.seen() ?? [],
      announce: (content) => this.#announce(content),
      send: (name, content) => this.#sendTo(name, content),
    });
  }

  /** The document is on its way: what is here may be replaced by it. */
  get isFetching(): boolean {
    return this.#fetching !== undefined;
  }

  /** Somebody is giving us what we have missed. */
  get isCatchingUp(): boolean {
    return this.#catchUp.asked !== undefined;
  }

  /** For the first time. */
  join(): void {
    this.#fetch(OFFER_MS);
  }

  /** After a gap: gets what was missed. */
  returned(): void {
    if (!this.ports.participant()) {
      this.#fetch(OFFER_AFTER_GAP_MS);
      return;
    }
    // A snapshot that was under way will not be completed.
    this.#fetching?.stop();
    this.#fetching = undefined;
    this.#takesForeignOffer = true;
    this.#catchUp.announce();
  }

  /** Whoever sent a snapshot may have missed something. */
  announce(): void {
    if (this.ports.channel.dialect.canCatchUp) this.#catchUp.announce();
  }

  announceAgain(): void {
    this.#catchUp.announceAgain();
  }

  present(): void {
    this.#fetching?.present();
  }

  gone(name: string): void {
    this.#catchUp.gone(name);
    this.#fetching?.gone(name);
  }

  /** The stream is lost. */
  lost(): void {
    this.#snapshotFrom = undefined;
    this.stop();
  }

  stop(): void {
    this.#catchUp.stop();
    this.#fetching?.stop();
  }

  /** @returns whether it was part of a document, or has to wait for one */
  takeState(sender: string, id: string, items: readonly StateItem[]): boolean {
    const fetching = this.#fetching;
    if (!fetching || (this.ports.participant() && !fetching.isMeantFor(sender, items))) return false;
    const step = fetching.receive(sender, id, items);
    if (step.kind === 'joined') {
      this.#snapshotFrom = sender;
      this.#fetching = undefined;
      this.ports.arrived(step);
    }
    return true;
  }

  /** Anything but edits, of somebody else. */
  take(sender: string, content: SxeContent): void {
    const participant = this.ports.participant();
    if (participant) this.#negotiate(participant, sender, content);
    else if (content.kind === 'state-offer') this.#fetching?.offered(sender);
  }

  /** Where one cannot say what one has, one asks for all of it. */
  #announce(content: SxeContent): void {
    if (this.ports.channel.dialect.canCatchUp) {
      this.ports.outbox.send(content);
      return;
    }
    this.#takesForeignOffer = true;
    this.ports.outbox.send({ kind: 'connect' });
  }

  #negotiate(participant: Participant, sender: string, content: SxeContent): void {
    switch (content.kind) {
      case 'connect':
        if (content.seen) this.#onSeen(sender, content.seen, true);
        else {
          this.ports.beforeOffer(sender);
          this.#giving.offer(sender);
        }
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
        for (const message of content.messages) this.ports.missed(message);
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

  #fetch(waitMs: number): void {
    this.#fetching = this.#newFetching();
    this.#fetching.ask(waitMs);
  }

  #newFetching(): Fetching {
    const { channel, outbox, surroundings } = this.ports;
    this.#fetching?.stop();
    return new Fetching({
      clock: surroundings.clock,
      name: channel.name,
      site: surroundings.newSite(),
      ask: this.ports.participant() ? undefined : () => outbox.send({ kind: 'connect' }),
      answer: (name, content) => this.#sendTo(name, content),
      fail: () => this.#onNothingFetched(),
    });
  }

  #onNothingFetched(): void {
    if (this.ports.participant()) {
      this.#fetching = undefined;
      this.#catchUp.announceAgain();
      this.ports.settled();
    } else this.ports.fail(new TimeoutError('timed out: nobody in the session has sent the document'));
  }

  #sendTo(name: string, content: SxeContent): void {
    void this.ports.outbox.sendTo(name, content);
  }
}
