/** The messages of a session: those that are said, those that came, and which of the own ones have not come back yet. */
import type { Message } from '../inbox.js';
import { MessageLog } from '../message-log.js';
import type { Keeper } from './keeper.js';
import type { Outbox } from './outbox.js';

export class Delivery {
  readonly log = new MessageLog();
  /** There is no stream that this session is known on: what is said goes out when there is one. */
  isOffline = false;
  readonly #onTheWay = new Map<string, Message>();

  constructor(
    private readonly outbox: Outbox,
    private readonly isEchoing: boolean,
    private readonly keeper: Keeper | undefined,
  ) {}

  /** Own messages that have not come back. */
  get onTheWay(): Iterable<Message> {
    return this.#onTheWay.values();
  }

  say(message: Message): void {
    this.keep(message);
    if (this.isEchoing) this.#onTheWay.set(message.id, message);
    if (!this.isOffline) this.#send(message);
  }

  /** @param own our name */
  arrived(message: Message, own: string): void {
    this.keep(message);
    if (message.sender === own) this.#onTheWay.delete(message.id);
  }

  keep(message: Message): void {
    if (this.log.add(message)) this.keeper?.add(message);
  }

  /** After a gap: what may not have reached anybody, with the ids it had. */
  sendAgain(): void {
    for (const message of this.#onTheWay.values()) this.#send(message);
  }

  /** Under another name the room would take them for somebody else's: who has missed them asks for them. */
  disown(): void {
    this.#onTheWay.clear();
  }

  #send({ id, edits }: Message): void {
    this.outbox.send({ kind: 'state', items: edits }, id);
  }
}
