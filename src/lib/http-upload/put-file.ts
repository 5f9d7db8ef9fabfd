/** Putting a file where a slot says (XEP-0363 §7). */
import type { ClientRequest } from 'node:http';
import { FileError, RemoteError } from '../errors.js';
import type { FileSource } from '../file-transfer/transfer.js';
import { openExchange, type HttpOptions } from './http-request.js';
import type { Slot } from './request-slot.js';

export interface PutOptions extends HttpOptions {
  sizeBytes: number;
  mediaType: string | undefined;
  /** Sees every piece, in order. */
  onPiece?: ((piece: Buffer, sentBytes: number) => void) | undefined;
}

/**
 * @throws ConnectError the connection broke @throws RemoteError the host refused
 * @throws FileError the file cannot be read, or is not as long as was said
 */
export async function putFile(slot: Slot, source: FileSource, options: PutOptions): Promise<void> {
  const { sizeBytes, mediaType } = options;
  const { putUrl, headers } = slot;
  const doing = `uploading to ${putUrl.host}`;
  const content = await source.open(0);
  const exchange = openExchange(
    putUrl,
    'PUT',
    {
      ...headers,
      'content-length': String(sizeBytes),
      'content-type': mediaType ?? 'application/octet-stream',
    },
    doing,
    options,
  );
  const { request, response } = exchange;
  const answer = { isThere: false };
  const onAnswer = (): void => void (answer.isThere = true);
  const answered = response.then(onAnswer, onAnswer);
  try {
    let sentBytes = 0;
    for await (const piece of content as AsyncIterable<Buffer>) {
      if (answer.isThere) break;
      sentBytes += piece.length;
      if (sentBytes > sizeBytes) throw changed(source, 'grew');
      if (!request.write(piece)) await Promise.race([drained(request), answered]);
      options.onPiece?.(piece, sentBytes);
    }
    if (!answer.isThere && sentBytes < sizeBytes) throw changed(source, 'shrank');
    request.end();
    const { statusCode = 0 } = await response;
    if (statusCode < 200 || statusCode > 299) throw refusal(putUrl.host, statusCode);
    if (sentBytes < sizeBytes) throw new RemoteError(`${putUrl.host} took only a part of the file`);
  } finally {
    content.destroy();
    request.destroy();
  }
}

function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => request.once('drain', resolve));
}

function changed(source: FileSource, how: 'grew' | 'shrank'): FileError {
  return new FileError(`${source.facts.name ?? 'the file'} ${how} while it was being sent`);
}

function refusal(host: string, status: number): RemoteError {
  const reasons: Readonly<Record<number, string>> = {
    401: 'it does not accept the permission of the slot',
    403: 'it does not accept the permission of the slot, or the slot has expired',
    404: 'the slot is not known there',
    409: 'something is there already',
    411: 'it wants to know the size',
    413: 'the file is too large',
    415: 'it does not take this media type',
    429: 'too many uploads in a short time',
    507: 'it has no room left',
  };
  const reason = reasons[status] ?? (status >= 300 && status <= 399 ? 'it points elsewhere' : undefined);
  return new RemoteError(
    `${host} refused the upload with status ${status}${reason === undefined ? '' : `: ${reason}`}`,
    {
      details: { host, status },
    },
  );
}
