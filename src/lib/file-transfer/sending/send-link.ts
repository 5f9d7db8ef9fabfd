/** A file brought by an upload and a message with the link: for those who are offline, or take no files by Jingle. */
import { randomUUID } from 'node:crypto';
import { findUploadService, type UploadService } from '../../http-upload/find-upload-service.js';
import type { HttpTrust } from '../../http-upload/http-request.js';
import { shareLink } from '../../http-upload/share-link.js';
import { uploadFile, type UploadedFile } from '../../http-upload/upload-file.js';
import type { JID } from '../../jid/jid.js';
import { EventQueue } from '../../event-queue.js';
import type { Session } from '../../session/session.js';
import type { SendByLink } from './send-to-recipient.js';
import type { FileSource, TransferEvent } from '../transfer.js';

export interface LinkOptions {
  trust: HttpTrust;
  timeoutMs: number;
  signal: AbortSignal;
}

/** Told at most so often. */
const PROGRESS_MS = 200;

/** The service is looked for once. */
export function linkSender(session: Session, options: LinkOptions): SendByLink {
  let service: Promise<UploadService | undefined> | undefined;
  const { timeoutMs, signal } = options;
  return (source, to, reason) => {
    const queue = new EventQueue<TransferEvent>(Number.POSITIVE_INFINITY);
    service ??= findUploadService(session, { timeoutMs, signal });
    void send(source, to, reason, service, queue).then(
      () => queue.end(),
      (error: unknown) => queue.end(error),
    );
    return queue;
  };

  async function send(
    source: FileSource,
    to: JID,
    reason: string | undefined,
    found: Promise<UploadService | undefined>,
    queue: EventQueue<TransferEvent>,
  ): Promise<void> {
    const id = randomUUID();
    const startedMs = performance.now();
    const peer = to.toString();
    queue.push({ id, kind: 'offered', file: source.facts, peer });
    try {
      const known = await found;
      const path = known?.jid.toString() ?? '';
      queue.push({ id, kind: 'transport', method: 'upload', path, ...(reason !== undefined && { reason }) });
      let toldMs = 0;
      const file: UploadedFile = await uploadFile(session, source, {
        ...options,
        service: known,
        onProgress: (confirmedBytes, totalBytes) => {
          if (performance.now() - toldMs < PROGRESS_MS && confirmedBytes < totalBytes) return;
          toldMs = performance.now();
          queue.push({ id, kind: 'progress', confirmedBytes, totalBytes });
        },
      });
      await shareLink(session, to, file, { timeoutMs, signal });
      queue.push({
        id,
        kind: 'done',
        result: {
          name: source.facts.name,
          sizeBytes: file.sizeBytes,
          method: 'upload',
          path: file.url.href,
          // The service has it. Whether the recipient fetches it, nobody says.
          certainty: 'unconfirmed',
          hashes: file.facts.hashes,
          resumedFromBytes: 0,
          elapsedMs: performance.now() - startedMs,
        },
      });
    } catch (error) {
      queue.push({
        id,
        kind: 'failed',
        file: source.facts,
        error: error instanceof Error ? error : new Error(String(error)),
      });
    }
  }
}
