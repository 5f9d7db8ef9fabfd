/**
 * The end of sending: waiting until it is known what became of the messages, and saying it.
 */
import { RemoteError, StanzaError, TimeoutError } from '../errors.js';
import type { Session } from '../session/session.js';
import { within } from '../session/wait.js';
import { xml } from '../xml/element.js';
import type { Confirmation, DeliveryWatch } from './delivery.js';

/** What `send --json` prints. */
export interface SendReport {
  sent: number;
  /** How many the server has taken over. */
  acknowledged: number;
  recipients: {
    to: string;
    /** Of the message, when there was only one. */
    id?: string;
    sent: number;
    /** With --receipt: how many arrived; in a room: how many came back from it. */
    confirmed?: number;
    refused: number;
    error?: { condition: string; text?: string };
  }[];
}

/**
 * Waits until the server has everything, and for what it refuses.
 *
 * The acknowledgement says that the server has read a message, not what became of it. A server handles the stanzas of a
 * stream in order, so its own refusals come before the answer to a ping that was sent after the messages. Both are
 * asked for at once, so that it costs no time. Without stream management the acknowledgement is such a ping itself.
 */
export async function waitSettled(session: Session, signal: AbortSignal): Promise<void> {
  const ping = async (): Promise<void> => {
    try {
      await session.request(
        { type: 'get', to: session.jid.domain, payload: xml('ping', { xmlns: 'urn:xmpp:ping' }) },
        { signal },
      );
    } catch (error) {
      // An error is an answer, too.
      if (!(error instanceof StanzaError)) throw error;
    }
  };
  await Promise.all([session.flush({ signal }), session.info.isStreamManaged && ping()]);
}

/** Waits for receipts or for the copies from the rooms; running out of time is told by who is still silent. */
export async function waitConfirmed(
  session: Session,
  watch: DeliveryWatch,
  signal: AbortSignal,
): Promise<void> {
  try {
    await within(watch.confirmed(), {
      doing: 'waiting for confirmation',
      timeoutMs: session.timeoutMs,
      signal,
    });
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
  }
}

/** How many of the messages the server has taken over. */
export function acknowledgedOf(watch: DeliveryWatch, session: Session): number {
  return watch.sent - session.unacknowledged().filter(({ name }) => name === 'message').length;
}

export function reportOf(watch: DeliveryWatch, session: Session, confirmation: Confirmation): SendReport {
  return {
    sent: watch.sent,
    acknowledged: acknowledgedOf(watch, session),
    recipients: watch.recipients.map((recipient) => ({
      to: recipient.to.toString(),
      ...(recipient.lastId !== undefined && recipient.sent === 1 && { id: recipient.lastId }),
      sent: recipient.sent,
      ...(confirmation !== 'none' && { confirmed: recipient.confirmed }),
      refused: recipient.bounced,
      ...(recipient.error && {
        error: {
          condition: recipient.error.condition,
          ...(recipient.error.text !== undefined && { text: recipient.error.text }),
        },
      }),
    })),
  };
}

/** What the conditions that are usual here come to (RFC 6120 §8.3.3). */
const hints: Readonly<Record<string, string>> = {
  'service-unavailable': 'there is no such account, or it takes no messages while it is offline',
  'recipient-unavailable': 'nobody is there to take it',
  'item-not-found': 'there is no such account',
  'remote-server-not-found': 'check what stands behind the @',
  'remote-server-timeout': 'their server does not answer; try again later',
  'not-acceptable': 'for a room: it takes messages only of those who are in it, see --groupchat',
  forbidden: 'they do not take messages of this account',
};

/** @throws RemoteError somebody refused @throws TimeoutError somebody did not confirm */
export function throwProblems(watch: DeliveryWatch, confirmation: Confirmation, timeoutMs: number): void {
  const [refused] = watch.bounced;
  if (refused?.error) {
    const { condition, text, details } = refused.error;
    const count = watch.bounced.reduce((sum, { bounced }) => sum + bounced, 0);
    const what =
      watch.sent === 1
        ? `the message to ${refused.to.toString()} was refused`
        : `${count} of ${watch.sent} messages were refused; that to ${refused.to.toString()}`;
    const hint = hints[condition];
    throw new RemoteError(`${what}: ${condition}${text ? `: ${text}` : ''}`, {
      cause: refused.error,
      details: { ...details, refused: count, sent: watch.sent },
      ...(hint !== undefined && { hint }),
    });
  }
  const silent = watch.silent.map(({ to }) => to.toString());
  if (silent.length === 0) return;
  const what = confirmation === 'receipt' ? 'no receipt came from' : 'the message did not come back from';
  throw new TimeoutError(`${what} ${silent.join(', ')} within ${timeoutMs / 1000} s`, {
    details: { silent, timeoutMs },
  });
}
