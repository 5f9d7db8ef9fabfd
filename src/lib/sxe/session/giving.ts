/** Giving others the document, or what they have missed of it (XEP-0284 §8, CLARIFICATIONS 22). */
import { xml } from '../../xml/element.js';
import type { SeenMessage } from '../edits.js';
import type { MessageLog } from '../message-log.js';
import type { Participant } from '../participant.js';
import { splitState } from '../snapshot.js';
import { batchMessages, MAX_STATE_LENGTH } from './batches.js';
import type { Dialect } from './dialect.js';
import type { Outbox } from './outbox.js';

/** Of the last messages so many bytes come with a snapshot. */
const MAX_RECENT_LENGTH = 64 * 1024;

export class Giving {
  /** Who is being given what it has missed: once at a time. */
  readonly #served = new Set<string>();

  constructor(
    private readonly application: string,
    private readonly log: MessageLog,
    private readonly outbox: Outbox,
    private readonly dialect: Dialect,
  ) {}

  offer(to: string): void {
    const descriptions = [xml('description', { xmlns: this.application })];
    void this.outbox.sendTo(to, { kind: 'state-offer', descriptions });
  }

  /** Between begin and end nothing else is sent (§5.4). */
  sendDocument(participant: Participant, to: string): void {
    participant.joined(to);
    for (const items of splitState(this.dialect.snapshotItems(participant.snapshot()), MAX_STATE_LENGTH))
      void this.outbox.sendTo(to, { kind: 'state', items });
    if (!this.dialect.canCatchUp) return;
    // So that not everybody who could give them to others has to stay.
    for (const messages of batchMessages(this.log.recent(MAX_RECENT_LENGTH)))
      void this.outbox.sendTo(to, { kind: 'missed', messages, isLast: false });
  }

  /** @param theirs what somebody has; who has missed more than is kept is offered the document */
  giveMissed(participant: Participant, to: string, theirs: readonly SeenMessage[]): void {
    if (this.#served.has(to)) return;
    const missed = this.log.missedBy(theirs, participant.inbox.seen());
    if (!missed) {
      this.offer(to);
      return;
    }
    this.#served.add(to);
    const groups = batchMessages(missed);
    groups.forEach((messages, index) => {
      const isLast = index === groups.length - 1;
      const sent = this.outbox.sendTo(to, { kind: 'missed', messages, isLast });
      if (isLast) void sent.then(() => this.#served.delete(to));
    });
  }
}
