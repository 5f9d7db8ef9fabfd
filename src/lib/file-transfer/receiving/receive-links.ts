/** Files that somebody shares by links in messages: asked about and stored like those that are offered. */
import { randomUUID } from 'node:crypto';
import { WrongContentError } from '../reasons.js';
import { downloadLink } from '../../http-upload/download-link.js';
import type { HttpTrust } from '../../http-upload/http-request.js';
import { readLinks, type SharedLink } from '../../http-upload/read-links.js';
import { JID } from '../../jid/jid.js';
import { EventQueue } from '../../event-queue.js';
import type { Session } from '../../session/session.js';
import type { Element } from '../../xml/element.js';
import { Refusal, type DecideOffer } from './incoming-file.js';
import type { TransferEvent } from '../transfer.js';

export interface ReceiveLinksOptions {
  accept: DecideOffer;
  /** Whose messages are looked at. */
  admits: (peer: JID) => boolean;
  maxBytes: number | undefined;
  trust: HttpTrust;
  timeoutMs: number;
  signal: AbortSignal;
}

/** Links in one message; more are no message for people. */
const MAX_LINKS = 20;
const PROGRESS_MS = 200;

/** Listens from the moment of the call; one download after the other. Ends when the signal is aborted. */
export function receiveLinks(
  session: Session,
  options: ReceiveLinksOptions,
): AsyncIterableIterator<TransferEvent> {
  const queue = new EventQueue<TransferEvent>(Number.POSITIVE_INFINITY);
  const messages = session.stanzas({ name: 'message', type: ['chat', 'normal'] }, { signal: options.signal });
  void run().then(
    () => queue.end(),
    (error: unknown) => queue.end(options.signal.aborted ? undefined : error),
  );
  return queue;

  async function run(): Promise<void> {
    for await (const message of messages) {
      const peer = senderOf(message);
      if (!peer || !options.admits(peer)) continue;
      for (const link of readLinks(message).slice(0, MAX_LINKS)) await fetchOne(link, peer);
    }
  }

  async function fetchOne(link: SharedLink, peer: JID): Promise<void> {
    const id = randomUUID();
    const { facts: file } = link;
    queue.push({ id, kind: 'offered', file, peer: peer.toString() });
    try {
      const sink = await options.accept({ id, peer, file, isResumable: true });
      if (sink instanceof Refusal) return;
      queue.push({ id, kind: 'accepted', peer: peer.toString(), offsetBytes: sink.offset });
      // Without what may be a key or a permission.
      queue.push({ id, kind: 'transport', method: 'upload', path: hostOf(link.url) });
      let toldMs = 0;
      const result = await downloadLink(link, sink, {
        ...options,
        onProgress: (confirmedBytes, totalBytes) => {
          if (performance.now() - toldMs < PROGRESS_MS) return;
          toldMs = performance.now();
          queue.push({ id, kind: 'progress', confirmedBytes, totalBytes });
        },
      });
      queue.push({ id, kind: 'done', result });
    } catch (error) {
      queue.push({ id, kind: 'failed', file, error: asContentError(error) });
    }
  }
}

/** Wrong content is the same error, whatever way it came by. */
function asContentError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error.name === 'WrongDownloadError' ? new WrongContentError(error.message) : error;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : '';
}

function senderOf(message: Element): JID | undefined {
  const from: unknown = message.attrs['from'];
  return typeof from === 'string' ? JID.fromServer(from) : undefined;
}
