/** Asking for a place to put a file (XEP-0363 §4). */
import { RemoteError, StanzaError } from '../errors.js';
import type { Session, WaitOptions } from '../session/session.js';
import { checkUrl, type HttpTrust } from './http-request.js';
import type { UploadService } from './find-upload-service.js';
import { UploadRequest, UploadSlot } from './stanzas.js';

export interface Slot {
  putUrl: URL;
  /** For the PUT; secret. */
  headers: Readonly<Record<string, readonly string[]>>;
  getUrl: URL;
}

export interface SlotRequest {
  fileName: string;
  sizeBytes: number;
  mediaType: string | undefined;
}

/** §11.2: all other headers are the service's attempt to say something in our name. */
const allowedHeaders: ReadonlySet<string> = new Set(['authorization', 'cookie', 'expires']);

/** @throws RemoteError the file is too large, or the service refuses @throws ProtocolError its URLs cannot be used */
export async function requestSlot(
  session: Session,
  service: UploadService,
  { fileName, sizeBytes, mediaType }: SlotRequest,
  options: WaitOptions & { trust?: HttpTrust | undefined },
): Promise<Slot> {
  const { maxSizeBytes } = service;
  if (maxSizeBytes !== undefined && sizeBytes > maxSizeBytes) throw tooLarge(service, sizeBytes);
  const payload = UploadRequest.encode({ fileName, sizeBytes, mediaType });
  const reply = await session
    .request({ type: 'get', to: service.jid, payload }, options)
    .catch((error: unknown) => {
      // COMPAT(ejabberd 23.01): the schema (§13) wants a size of 1 or more, and this server keeps to it.
      if (sizeBytes === 0 && error instanceof StanzaError && error.condition === 'bad-request')
        throw new RemoteError(`${service.jid.toString()} takes no empty files`, { cause: error });
      throw error;
    });
  const slot = UploadSlot.find(reply);
  if (!slot) throw new RemoteError(`${service.jid.toString()} answered without a slot for the upload`);
  const headers: Record<string, string[]> = {};
  for (const { name, value } of slot.put.headers) {
    // §11.2: a newline would begin another header.
    const key = name.replace(/[\r\n]/g, '').toLowerCase();
    if (allowedHeaders.has(key)) (headers[key] ??= []).push(value.replace(/[\r\n]/g, ''));
  }
  return {
    putUrl: checkUrl(slot.put.url, 'the URL to upload to', options.trust),
    headers,
    getUrl: checkUrl(slot.get.url, 'the URL of the upload', options.trust),
  };
}

export function tooLarge({ jid, maxSizeBytes }: UploadService, sizeBytes: number | undefined): RemoteError {
  const limit = `${jid.toString()} takes files of up to ${maxSizeBytes ?? 0} bytes`;
  return new RemoteError(
    sizeBytes === undefined ? `${limit}, and this is longer` : `${limit}, and this has ${sizeBytes}`,
    { details: { maxSizeBytes, ...(sizeBytes !== undefined && { sizeBytes }) } },
  );
}
