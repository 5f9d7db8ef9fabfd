/** Which service takes uploads, and how large they may be (XEP-0363 §3). */
import { ConnectionLostError } from '../errors.js';
import { queryInfo, queryItems, type DiscoInfo } from '../disco/query.js';
import { JID } from '../jid/jid.js';
import type { Session, WaitOptions } from '../session/session.js';
import { interruption } from '../session/wait.js';
import { NS_UPLOAD } from './stanzas.js';

export interface UploadService {
  jid: JID;
  /** Undefined when it does not say. */
  maxSizeBytes: number | undefined;
}

/**
 * The server itself, or the first of its services to say that it takes uploads.
 * @returns undefined when there is none. @throws ConnectionLostError @throws InterruptedError
 */
export async function findUploadService(
  session: Session,
  options?: WaitOptions,
): Promise<UploadService | undefined> {
  const server = JID.parse(session.jid.domain);
  const ask = async (jid: JID): Promise<UploadService> => {
    const info = await queryInfo(session, jid, undefined, options);
    if (!info.features.includes(NS_UPLOAD)) throw new Error('not an upload service');
    return { jid, maxSizeBytes: maxSizeOf(info) };
  };
  const askItems = async (): Promise<UploadService> => {
    const items = await queryItems(session, server, undefined, options);
    return Promise.any(items.filter(({ node }) => node === undefined).map(({ jid }) => ask(jid)));
  };
  try {
    return await Promise.any([ask(server), askItems()]);
  } catch (error) {
    if (options?.signal?.aborted === true)
      throw interruption(options.signal, 'looking for the upload service');
    const reasons: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
    const lost = reasons.find((reason) => reason instanceof ConnectionLostError);
    if (lost) throw lost;
    return undefined;
  }
}

function maxSizeOf({ forms }: DiscoInfo): number | undefined {
  for (const { fields } of forms) {
    const valueOf = (name: string): string | undefined =>
      fields.find((field) => field.name === name)?.values[0]?.trim();
    if (valueOf('FORM_TYPE') !== NS_UPLOAD) continue;
    const size = valueOf('max-file-size') ?? '';
    return /^\d+$/.test(size) ? Number(size) : undefined;
  }
  return undefined;
}
