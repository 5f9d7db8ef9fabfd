/** What goes out, one thing after the other, in the order of the decisions. */
import { randomBytes } from 'node:crypto';
import { ConnectionLostError } from '../../errors.js';
import type { SxeContent } from '../stanzas.js';
import type { Channel } from './channel.js';

export class Outbox {
  #count = 0;
  /** Counts the gaps: what was to be sent before one is not sent after it. */
  #stay = 0;
  #sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly channel: Channel,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** @param id where the content has one of its own: that of edits */
  send(content: SxeContent, id = this.#newId()): void {
    void this.#queue(() => this.channel.send(content, id));
  }

  sendTo(name: string, content: SxeContent): Promise<void> {
    return this.#queue(() => this.channel.sendTo(name, content, this.#newId()));
  }

  /** Forgets what has not been sent. */
  drop(): void {
    this.#stay += 1;
  }

  /** When everything is sent. Never throws. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  #queue(send: () => Promise<void>): Promise<void> {
    const stay = this.#stay;
    this.#sending = this.#sending.then(async () => {
      try {
        if (stay === this.#stay) await send();
      } catch (error) {
        // What is lost with a connection is found out when there is another one.
        if (!(error instanceof ConnectionLostError)) this.onError(error);
      }
    });
    return this.#sending;
  }

  #newId(): string {
    this.#count += 1;
    return `s${this.#count}-${randomBytes(4).toString('hex')}`;
  }
}
