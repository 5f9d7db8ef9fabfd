/**
 * One file that was offered by stream initiation (XEP-0095, XEP-0096).
 */
import { randomUUID } from 'node:crypto';
import { queryInfo } from '../../disco/query.js';
import { RemoteError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { TransportFailedError, type Bytestream } from '../../jingle/transport.js';
import type { Session } from '../../session/session.js';
import { StanzaReply } from '../../session/stanza-reply.js';
import { Deferred } from '../../session/wait.js';
import type { Element } from '../../xml/element.js';
import { dateTime } from '../../xml/scalars.js';
import type { IncomingFile, IncomingPath, Refusal } from './incoming-file.js';
import type { StreamMethod } from './stream-initiation.js';
import { writeAcceptance, type StreamInitiation } from './stream-initiation-stanzas.js';
import type { FileFacts } from '../transfer.js';

export interface InitiatedFileOptions {
  session: Session;
  peer: JID;
  /** That of the stream, too. */
  sid: string;
  offer: StreamInitiation;
  method: StreamMethod;
  timeoutMs: number;
}

export class InitiatedFile implements IncomingFile {
  readonly id = randomUUID();
  readonly peer: JID;
  readonly file: FileFacts;
  readonly isResumable: boolean;
  readonly isMoreExpected = false;
  readonly #options: InitiatedFileOptions;
  readonly #ending = new AbortController();
  readonly #answer = new Deferred<Element>();
  readonly #ended = new Deferred<undefined>();
  #bytestream: Bytestream | undefined;

  constructor(options: InitiatedFileOptions) {
    const { file, mediaType } = options.offer;
    this.#options = options;
    this.peer = options.peer;
    this.isResumable = file?.range !== undefined;
    this.file = {
      name: file?.name,
      sizeBytes: file?.size,
      mediaType,
      // Clients have written it in several ways; it is only a fact beside the file.
      date: file?.date === undefined ? undefined : dateTime.read(file.date),
      description: file?.description,
      hashes: [],
      promisedHashes: [],
    };
  }

  /** What the offer is answered with. @throws StanzaReply */
  get answer(): Promise<Element> {
    return this.#answer.promise;
  }

  /** Resolves when the file is stored, or will not be. */
  get ended(): Promise<undefined> {
    return this.#ended.promise;
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  abort(error: Error): void {
    this.#ending.abort(error);
  }

  /** XEP-0095 §3.2: whatever the reason, there is one answer. */
  refuse({ condition, text }: Refusal): Promise<void> {
    this.#refuse(text ?? refusalTexts[condition]);
    return Promise.resolve();
  }

  async accept(offsetBytes: number): Promise<IncomingPath> {
    const { session, peer, sid, method, timeoutMs } = this.#options;
    const startBytes = this.isResumable ? offsetBytes : 0;
    // It may be opened as soon as the answer is there.
    using acceptor = method.expect(session, { peer, sid }, { timeoutMs, signal: this.signal });
    this.#answer.resolve(writeAcceptance(method.namespace, startBytes));
    const bytestream = await acceptor.opened;
    this.#bytestream = bytestream;
    return { bytestream, startBytes, reason: undefined };
  }

  reconnect(_offsetBytes: number, why: Error): Promise<IncomingPath> {
    return Promise.reject(new TransportFailedError(why.message, { cause: why }));
  }

  told(): ReturnType<IncomingFile['told']> {
    return { hashes: [], sizeBytes: undefined };
  }

  /** The end of the stream says everything. */
  nextWord(): Promise<'done'> {
    return Promise.resolve('done');
  }

  /** Every client that offers files so answers this: it had to ask us the same (XEP-0095 §3.1). */
  async ping(): Promise<void> {
    const { session, peer, timeoutMs } = this.#options;
    try {
      await queryInfo(session, peer, undefined, { timeoutMs });
    } catch (error) {
      throw new RemoteError(`${peer.toString()} does not answer any more`, { cause: error });
    }
  }

  confirm(): Promise<void> {
    this.#ended.resolve(undefined);
    return Promise.resolve();
  }

  fail(): Promise<void> {
    this.#refuse(refusalTexts.decline);
    this.#bytestream?.stream.destroy();
    return Promise.resolve();
  }

  /** Does nothing once the offer was answered. */
  #refuse(text: string): void {
    this.#answer.reject(new StanzaReply({ condition: 'forbidden', type: 'cancel', text }));
    this.#ended.resolve(undefined);
  }
}

const refusalTexts = {
  decline: 'Offer Declined',
  busy: 'Too many files are being received',
  'file-too-large': 'The file is too large',
} as const satisfies Record<Refusal['condition'], string>;
