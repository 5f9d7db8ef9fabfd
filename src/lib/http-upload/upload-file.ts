/** A file on its way to the upload service: what is needed before a link can be shared. */
import { ConnectError, RemoteError } from '../errors.js';
import { safeFileName } from '../file-transfer/storing/file-name.js';
import type { FileFacts, FileSource } from '../file-transfer/transfer.js';
import { createHasher } from '../hashes/hasher.js';
import type { HashAlgorithm } from '../hashes/hashes.js';
import type { Session } from '../session/session.js';
import { findUploadService, type UploadService } from './find-upload-service.js';
import type { HttpOptions } from './http-request.js';
import { putFile } from './put-file.js';
import { requestSlot, tooLarge } from './request-slot.js';
import { spool } from './spool.js';

const ALGORITHM: HashAlgorithm = 'sha-256';

export interface UploadOptions extends HttpOptions {
  /** Found out when left out. */
  service?: UploadService | undefined;
  /** Begins at 0 again when the connection broke and the file is sent once more. */
  onProgress?: ((sentBytes: number, totalBytes: number) => void) | undefined;
}

export interface UploadedFile {
  url: URL;
  sizeBytes: number;
  /** What the source said, with the size and the hash of what was sent. */
  facts: FileFacts;
}

/**
 * Uploads a file. One that can be read again is sent a second time when the connection breaks.
 *
 * @throws RemoteError there is no upload service, or it refuses @throws FileError @throws ConnectError @throws TimeoutError
 */
export async function uploadFile(
  session: Session,
  source: FileSource,
  options: UploadOptions,
): Promise<UploadedFile> {
  const service = options.service ?? (await findUploadService(session, waitOf(options)));
  if (!service)
    throw new RemoteError(`${session.jid.domain} has no service for uploads`, {
      hint: 'its administrator can add one: XEP-0363, HTTP File Upload',
    });
  if (source.facts.sizeBytes !== undefined) return putOnce(session, service, source, options);
  const maxBytes = service.maxSizeBytes ?? Number.MAX_SAFE_INTEGER;
  const spooled = await spool(source, maxBytes, options.signal);
  if (!spooled) throw tooLarge(service, undefined);
  try {
    return await putOnce(session, service, spooled.source, options);
  } finally {
    await spooled[Symbol.asyncDispose]();
  }
}

async function putOnce(
  session: Session,
  service: UploadService,
  source: FileSource,
  options: UploadOptions,
): Promise<UploadedFile> {
  try {
    return await put(session, service, source, options);
  } catch (error) {
    // §7: after a failure a new slot may be asked for. What is refused would be refused again.
    const isWorthIt = error instanceof ConnectError && error.name === 'ConnectError';
    if (!isWorthIt || !source.isSeekable || options.signal?.aborted === true) throw error;
    return put(session, service, source, options);
  }
}

async function put(
  session: Session,
  service: UploadService,
  source: FileSource,
  options: UploadOptions,
): Promise<UploadedFile> {
  const { facts } = source;
  const { mediaType } = facts;
  const sizeBytes = facts.sizeBytes ?? 0;
  const { trust, onProgress } = options;
  const fileName = safeFileName(facts.name);
  const slot = await requestSlot(
    session,
    service,
    { fileName, sizeBytes, mediaType },
    { ...waitOf(options), trust },
  );
  const hasher = await createHasher(ALGORITHM);
  await putFile(slot, source, {
    ...options,
    sizeBytes,
    mediaType,
    onPiece: (piece, sentBytes) => {
      hasher.update(piece);
      onProgress?.(sentBytes, sizeBytes);
    },
  });
  const others = facts.hashes.filter(({ algorithm }) => algorithm !== ALGORITHM);
  const hashes = [{ algorithm: ALGORITHM, value: hasher.digest() }, ...others];
  return { url: slot.getUrl, sizeBytes, facts: { ...facts, sizeBytes, hashes, promisedHashes: [] } };
}

function waitOf({ timeoutMs, signal }: HttpOptions): { timeoutMs: number; signal?: AbortSignal } {
  return { timeoutMs, ...(signal && { signal }) };
}
