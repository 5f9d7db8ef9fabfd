/**
 * One content of an incoming Jingle session as an offered file.
 */
import { randomUUID } from 'node:crypto';
import { RemoteError, StanzaError } from '../../errors.js';
import type { Hash } from '../../hashes/hashes.js';
import type { JID } from '../../jid/jid.js';
import type { ContentEvent } from '../../jingle/content-router.js';
import type { JingleSession } from '../../jingle/jingle-session.js';
import { TransportNegotiator, type Connection } from '../../jingle/negotiate-transport.js';
import type { Content, Reason } from '../../jingle/stanzas.js';
import type { JingleTransport } from '../../jingle/transport.js';
import type { Session } from '../../session/session.js';
import { Deferred } from '../../session/wait.js';
import type { JointAnswer } from './answer-together.js';
import type { IncomingFile, IncomingPath, Refusal } from './incoming-file.js';
import { errorOfReason, reasonOfError, reasonOfRefusal } from '../reasons.js';
import { readDescription, writeDescription, writeReceived, type FileDescription } from '../stanzas.js';
import type { FileFacts } from '../transfer.js';

/** The session that a file belongs to, as far as the file has to do with it. */
export interface IncomingFileOwner {
  session: Session;
  jingle: JingleSession;
  transports: readonly JingleTransport[];
  timeoutMs: number;
  note: ((fact: string) => void) | undefined;
  /** The file is out of the session: stored, or with a reason why not. */
  leave(
    file: JingleIncomingFile,
    reason: (Pick<Reason, 'condition'> & Partial<Reason>) | undefined,
  ): Promise<void>;
}

export class JingleIncomingFile implements IncomingFile {
  readonly id = randomUUID();
  readonly peer: JID;
  readonly content: Content;
  readonly file: FileFacts;
  readonly isResumable: boolean;
  readonly #owner: IncomingFileOwner;
  readonly #answer: JointAnswer;
  readonly #negotiator: TransportNegotiator;
  readonly #ending = new AbortController();
  #hashes: readonly Hash[];
  #sizeBytes: number | undefined;
  #offsetBytes = 0;
  #isDone = false;
  /** The sender wants another path, and has not got it yet. */
  #isMoved = false;
  /** Those that were offered together wait for each other's answer. */
  #isAnswered = false;
  /** Counts what the sender has told, and how much of that has been read. */
  #words = 0;
  #readWords = 0;
  #word = new Deferred<undefined>();

  constructor(content: Content, answer: JointAnswer, owner: IncomingFileOwner) {
    const { file, range }: FileDescription = content.description
      ? readDescription(content.description)
      : { file: noFile, range: undefined };
    this.content = content;
    this.peer = owner.jingle.peer;
    this.file = file;
    this.isResumable = range !== undefined;
    this.#hashes = file.hashes;
    this.#owner = owner;
    this.#answer = answer;
    this.#negotiator = new TransportNegotiator({
      session: owner.session,
      jingle: owner.jingle,
      content: { creator: content.creator, name: content.name, senders: content.senders },
      transports: owner.transports,
      timeoutMs: owner.timeoutMs,
      signal: this.signal,
      describe: () => this.#describe(),
      ...(owner.note && { note: owner.note }),
    });
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get isMoreExpected(): boolean {
    return !this.#isDone && (this.file.promisedHashes.length > 0 || this.file.sizeBytes === undefined);
  }

  /** What happens to the content. */
  receive(event: ContentEvent): void {
    switch (event.kind) {
      case 'transport-offered':
        this.#negotiator.receive(event);
        this.#isMoved = true;
        this.#wordCame();
        return;
      case 'transport-info':
      case 'transport-accepted':
      case 'transport-rejected':
        this.#negotiator.receive(event);
        return;
      case 'removed':
      case 'rejected':
        this.end(event.reason ?? { condition: 'cancel', details: [] });
        return;
      default:
    }
  }

  /** XEP-0234 §6.2. */
  tell(checksum: Pick<FileFacts, 'hashes' | 'sizeBytes'>): void {
    this.#hashes = [...this.#hashes, ...checksum.hashes];
    this.#sizeBytes ??= checksum.sizeBytes;
    this.#wordCame();
  }

  /** The sender ends the transfer. That is no failure when it is done: what it sent may still be on its way. */
  end(reason: Reason): void {
    if (reason.condition === 'success') {
      this.#isDone = true;
      this.#wordCame();
    } else {
      this.abort(errorOfReason(this.peer.toString(), reason));
    }
  }

  abort(error: Error): void {
    this.#ending.abort(error);
  }

  async refuse(refusal: Refusal): Promise<void> {
    await this.#refuseWith(reasonOfRefusal(refusal));
  }

  async accept(offsetBytes: number): Promise<IncomingPath> {
    this.#offsetBytes = offsetBytes;
    let ours: Content;
    try {
      const transport = await this.#negotiator.answer(this.content.transport);
      const { creator, name, senders } = this.content;
      ours = { creator, name, senders, description: this.#describe(), transport };
    } catch (error) {
      await this.#refuseWith(reasonOfError(error));
      throw error;
    }
    this.#isAnswered = true;
    await this.#answer.accept(ours);
    const path = this.#pathOf(await this.#negotiator.connect());
    this.#isMoved = false;
    return path;
  }

  async reconnect(offsetBytes: number, why: Error, hasCarried: boolean): Promise<IncomingPath> {
    this.#offsetBytes = offsetBytes;
    if (!this.isResumable || this.#owner.jingle.phase === 'ended') throw why;
    try {
      await this.ping();
    } catch (error) {
      if (error instanceof StanzaError) throw senderGone(error);
      throw error;
    }
    const path = this.#pathOf(await this.#negotiator.reconnect(why, hasCarried));
    this.#isMoved = false;
    return path;
  }

  told(): { hashes: readonly Hash[]; sizeBytes: number | undefined } {
    this.#readWords = this.#words;
    return { hashes: this.#hashes, sizeBytes: this.#sizeBytes };
  }

  async nextWord(): Promise<'told' | 'done' | 'moved'> {
    for (;;) {
      if (this.#isMoved) return 'moved';
      if (this.#isDone) return 'done';
      if (this.#words > this.#readWords) return 'told';
      await this.#word.promise;
    }
  }

  async ping(): Promise<void> {
    const { jingle, timeoutMs } = this.#owner;
    await jingle.ping({ timeoutMs, signal: this.signal });
  }

  async confirm(): Promise<void> {
    this.#negotiator.close();
    try {
      await this.#info(writeReceived(this.content));
    } catch {
      // It is stored; a sender that does not know this, or is gone, changes nothing about that.
    }
    await this.#owner.leave(this, undefined);
  }

  async fail(error: unknown): Promise<void> {
    this.#negotiator.close();
    if (!this.#isAnswered) {
      await this.#refuseWith(reasonOfError(error));
      return;
    }
    await this.#owner.leave(this, reasonOfError(error));
  }

  async #refuseWith(reason: Pick<Reason, 'condition' | 'text'>): Promise<void> {
    this.#isAnswered = true;
    // The other party may be gone, which is as good as an answer.
    await this.#answer.refuse(this.content, reason).catch(() => undefined);
    await this.#owner.leave(this, undefined);
  }

  #pathOf({ bytestream, reason }: Connection): IncomingPath {
    return { bytestream, reason, startBytes: this.isResumable ? this.#offsetBytes : 0 };
  }

  #describe(): ReturnType<typeof writeDescription> {
    return writeDescription({
      file: this.file,
      range: this.isResumable ? { offset: this.#offsetBytes } : undefined,
    });
  }

  #info(...payload: Parameters<JingleSession['request']>[0]['payload'][number][]): Promise<void> {
    return this.#owner.jingle.request(
      { action: 'session-info', contents: [], payload },
      { timeoutMs: this.#owner.timeoutMs },
    );
  }

  #wordCame(): void {
    this.#words += 1;
    const word = this.#word;
    this.#word = new Deferred();
    word.resolve(undefined);
  }
}

function senderGone(error: StanzaError): RemoteError {
  return new RemoteError('the sender is gone', { cause: error });
}

const noFile: FileFacts = {
  name: undefined,
  sizeBytes: undefined,
  mediaType: undefined,
  date: undefined,
  description: undefined,
  hashes: [],
  promisedHashes: [],
};
