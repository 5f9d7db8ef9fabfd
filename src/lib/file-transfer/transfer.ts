/**
 * The contract of file transfer: what is sent, where it goes, and what is told on the way.
 *
 * Engines know a `FileSource` and a `FileSink`, never a path or a terminal.
 */
import type { Readable } from 'node:stream';
import type { Hash, HashAlgorithm } from '../hashes/hashes.js';

/** What is known of a file before it moves (XEP-0234 §5: the `<file/>` element). */
export interface FileFacts {
  /** As the sender calls it; text of the network on the receiving side. */
  name: string | undefined;
  /** Bytes; undefined while unknown, as for a pipe. */
  sizeBytes: number | undefined;
  mediaType: string | undefined;
  date: Date | undefined;
  description: string | undefined;
  hashes: readonly Hash[];
  /** Algorithms whose value the sender promises to send after the data (`<hash-used/>`). */
  promisedHashes: readonly HashAlgorithm[];
  /** The folder it belongs in, with `/` between the names, when a whole folder is sent file by file. Text of the network, too. */
  folder?: string;
}

export interface FileSource {
  readonly facts: FileFacts;
  /** Whether `open` may be called again, at any offset. A pipe can be read once, from its beginning. */
  readonly isSeekable: boolean;
  /**
   * The bytes from `offset` to the end.
   * @throws FileError it cannot be read; the stream itself fails with one when the file changes while it is read
   */
  open(offset: number): Promise<Readable>;
}

/** Where one received file goes. Nothing has its final name before `commit`. */
export interface FileSink {
  /** Bytes kept so far, from this run and earlier ones: where the sender is asked to begin, and go on after a break. */
  readonly offset: number;
  /** Where it is until it has its name; undefined where nothing is kept. */
  readonly partPath?: string;
  /** Resolves when there is room for the next. @throws FileError */
  write(chunk: Buffer): Promise<void>;
  /** The hash of everything from byte 0; undefined where that cannot be known any more (a pipe, another algorithm). */
  digest(algorithm: HashAlgorithm): Promise<Buffer | undefined>;
  /** Gives the file its final name. @returns the path, or undefined for a pipe */
  commit(): Promise<string | undefined>;
  /** Keeps what is there for the next run. */
  suspend(): Promise<void>;
  /** Drops everything: the content is wrong. */
  discard(): Promise<void>;
}

/** How sure it is that the other side has, or sent, the very same bytes. */
export type Certainty =
  /** A hash was compared: by us, or by the receiver, which said so with `<received/>`. */
  | 'verified'
  /** Complete by its size, and nobody offered a hash; or the receiver ended the session with success and said no more. */
  | 'unverified'
  /** Everything was sent; the other side never confirmed. */
  | 'unconfirmed';

export type Method = 'direct' | 'proxy' | 'in-band' | 'upload';

export interface TransferResult {
  name: string | undefined;
  sizeBytes: number;
  method: Method;
  /** For people: `127.0.0.1:40123`, `proxy.example.org:5000`, a URL. */
  path: string;
  certainty: Certainty;
  hashes: readonly Hash[];
  /** Bytes that were there from an earlier attempt. */
  resumedFromBytes: number;
  elapsedMs: number;
  /** Where it was stored (receiving), unless it went to a pipe. */
  storedAs?: string;
}

/** `id` tells the transfers of one run apart. */
export type TransferEvent = { id: string } & (
  | { kind: 'offered'; file: FileFacts; peer: string }
  | { kind: 'accepted'; peer: string; offsetBytes: number }
  /** A path was chosen, or given up for the next. */
  | { kind: 'transport'; method: Method; path: string; reason?: string }
  | { kind: 'progress'; confirmedBytes: number; totalBytes: number | undefined }
  | { kind: 'warning'; message: string }
  | { kind: 'done'; result: TransferResult }
  /** This file failed; others of the same run go on. */
  | { kind: 'failed'; file: FileFacts; error: Error }
);
