/**
 * A file that somebody offers, whatever protocol the offer came by: Jingle (XEP-0234) or stream initiation (XEP-0096).
 *
 * A source of offers makes these; `receive-one.ts` takes each from the offer to the stored file.
 */
import type { Hash } from '../../hashes/hashes.js';
import type { JID } from '../../jid/jid.js';
import type { Bytestream } from '../../jingle/transport.js';
import type { FileFacts, FileSink } from '../transfer.js';

/** What whoever decides is told. */
export interface FileOffer {
  /** That of the transfer's events. */
  readonly id: string;
  readonly peer: JID;
  /** Text of the network. */
  readonly file: FileFacts;
  /** Whether the sender can begin in the middle. A sink with an offset is accepted anyway: what it has is passed over. */
  readonly isResumable: boolean;
}

/** The answer no. */
export class Refusal {
  constructor(
    readonly condition: 'decline' | 'busy' | 'file-too-large' = 'decline',
    /** Told to the sender. */
    readonly text?: string,
  ) {}
}

export type DecideOffer = (offer: FileOffer) => Promise<FileSink | Refusal>;

export interface IncomingPath {
  bytestream: Bytestream;
  /** Where in the file its first byte belongs. */
  startBytes: number;
  /** Why another path was given up for it. */
  reason: string | undefined;
}

export interface IncomingFile extends FileOffer {
  /** Ends the transfer on our side: `signal` is aborted. */
  abort(error: Error): void;
  /** Aborted, with the error, when the sender ends the transfer for another reason than that it is done. */
  readonly signal: AbortSignal;
  refuse(refusal: Refusal): Promise<void>;
  /** Says yes, and connects. @throws TransportFailedError @throws TimeoutError */
  accept(offsetBytes: number): Promise<IncomingPath>;
  /** Another path after one broke. @throws the error that tells why there is none */
  reconnect(offsetBytes: number, why: Error, hasCarried: boolean): Promise<IncomingPath>;
  /** The hashes and the size that the sender has told by now. */
  told(): { hashes: readonly Hash[]; sizeBytes: number | undefined };
  /** Whether more will be told: a hash was promised, or the size is not known. */
  readonly isMoreExpected: boolean;
  /** Resolves when something more has been told, when the sender is done, or when it asks for another path. */
  nextWord(): Promise<'told' | 'done' | 'moved'>;
  /** Asks whether the sender is still there. @throws it is not */
  ping(): Promise<void>;
  /** It is stored under its name. */
  confirm(): Promise<void>;
  /** It will not come to an end. */
  fail(error: unknown): Promise<void>;
}

/** Where offers come from. What was offered together is answered together, so it comes together. */
export interface OfferSource extends Disposable {
  readonly offers: AsyncIterableIterator<readonly IncomingFile[]>;
}
