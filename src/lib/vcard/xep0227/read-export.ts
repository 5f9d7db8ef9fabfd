/**
 * Reads an export, a file and what it includes or a folder of files, and hands its accounts on in batches: as much of
 * the input as fits into memory at a time, whatever its size.
 */
import { readFileSync, statSync } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { FileError } from '../../errors.js';
import { reasonOf } from '../../config/private-file.js';
import { expandAccount, includesInside } from './expand-account.js';
import { rootLevel } from './find-export.js';
import {
  ExportInput,
  fileSource,
  InputError,
  memorySource,
  streamSource,
  type ByteSource,
} from './export-input.js';
import { shiftAccount, writeRest } from './account-ranges.js';
import { ScanError } from './markup-scanner.js';
import { includeRefusal, resolveInclude } from './resolve-include.js';
import {
  ChildKind,
  DocumentScanner,
  type DocumentLevel,
  type MarkedAccount,
  type ScanEvent,
} from './scan-document.js';

/** Bytes, and accounts in them. Whoever is given it owns it. */
export interface AccountBatch {
  bytes: Buffer<ArrayBuffer>;
  length: number;
  accounts: MarkedAccount[];
}

/** Where the accounts go. Everything is called in the order of the input, one call after the other. */
export interface AccountSink {
  /** False: it is not wanted. It may put the address into the form that is written. */
  accepts(account: MarkedAccount): boolean;
  /** Nothing more is wanted. */
  readonly isSated: boolean;
  batch(batch: AccountBatch): Promise<void>;
  /** Memory for a batch. */
  take(bytes: number): Buffer<ArrayBuffer>;
  /** An account that is too large for a batch. */
  large(account: MarkedAccount, startTag: Buffer): Promise<LargeSink>;
  /** A host, which may turn out to have no accounts. */
  host(jid: string): void;
  /** An element that is neither host nor account was left out. */
  foreign(name: string, file: string): void;
  progress(bytes: number): void;
}

export interface LargeSink {
  /** Something that is passed on as it is. */
  write(bytes: Buffer): Promise<void>;
  /** An element that may be changed. */
  child(bytes: Buffer): void;
  /** @param failure why it could not be treated as the others are */
  end(failure: string | undefined): Promise<void>;
}

export interface ReadLimits {
  batchBytes?: number;
  /** An account beyond this is written as it is read. */
  largeBytes?: number;
  /** Cards and nodes of such an account are not converted beyond this. */
  childBytes?: number;
}

/** An account that is written as it is read. */
interface OpenLarge {
  sink: LargeSink;
  /** Of the elements that may be changed: they wait until it is complete. */
  heldBytes: number;
  failure: string | undefined;
}

const SMALL_FILE_BYTES = 256 * 1024;
const DEFAULTS: Required<ReadLimits> = {
  batchBytes: 1024 * 1024,
  largeBytes: 32 * 1024 * 1024,
  childBytes: 64 * 1024 * 1024,
};

export class ExportReader {
  readonly #sink: AccountSink;
  readonly #limits: Required<ReadLimits>;
  readonly #signal: AbortSignal;
  #batch: AccountBatch | undefined;
  #bytesRead = 0;
  /** The folder that includes stay below; undefined where there is none. */
  #root: string | undefined;
  /** Buffers for reading, one for each level of inclusion. */
  readonly #buffers: (Buffer<ArrayBuffer> | undefined)[] = [];

  constructor(sink: AccountSink, signal: AbortSignal, limits: ReadLimits = {}) {
    this.#sink = sink;
    this.#signal = signal;
    this.#limits = { ...DEFAULTS, ...limits };
  }

  /** @throws FileError saying where the input is broken */
  async readFile(file: string): Promise<void> {
    this.#root = await realpath(path.dirname(path.resolve(file))).catch(() => undefined);
    const level = await rootLevel(file);
    await this.#readFile(file, level, '', []);
    await this.#flush();
  }

  async readFiles(files: readonly string[]): Promise<void> {
    const [first] = files;
    if (first !== undefined)
      this.#root = await realpath(path.dirname(path.resolve(first))).catch(() => undefined);
    for (const file of files) {
      if (this.#sink.isSated) break;
      await this.#readFile(file, 'server-data', '', []);
    }
    await this.#flush();
  }

  /** From a stream nothing can be included. */
  async readStream(stream: Readable, name: string): Promise<void> {
    this.#root = undefined;
    await this.#document(streamSource(stream), name, 'server-data', '', []);
    await this.#flush();
  }

  async #readFile(
    file: string,
    level: DocumentLevel,
    host: string,
    includedFrom: readonly string[],
  ): Promise<void> {
    let source: ByteSource;
    try {
      source = await openSource(file);
    } catch (error) {
      throw new FileError(`cannot read ${file}: ${reasonOf(error)}`, { cause: error });
    }
    try {
      await this.#document(source, file, level, host, includedFrom);
    } finally {
      await source.close();
    }
  }

  async #document(
    source: ByteSource,
    file: string,
    level: DocumentLevel,
    outerHost: string,
    includedFrom: readonly string[],
  ): Promise<void> {
    const input = new ExportInput(source);
    let buffer = this.#takeBuffer(includedFrom.length);
    let host = outerHost;
    let large: OpenLarge | undefined;
    let last: string | undefined;
    try {
      let filled = await input.read(buffer, 0);
      const scanner = new DocumentScanner(level, { host, wasUtf16: input.isUtf16 });
      let moved = 0;
      let isFinal = filled === 0;
      for (;;) {
        scanner.setData(buffer, filled, isFinal, moved);
        moved = 0;
        for (let event = scanner.next(); event; event = scanner.next()) {
          if (this.#sink.isSated) return;
          if (event.type === 'account') {
            last = scanner.lastAccount;
            if (large) {
              await this.#writeRest(large, buffer, event.account);
              await large.sink.end(large.failure);
              large = undefined;
            } else if (this.#sink.accepts(event.account)) {
              const place = { root: this.#root, file, includedFrom };
              const { bytes, account } = includesInside(event.account)
                ? await expandAccount(buffer, event.account, place)
                : { bytes: buffer, account: event.account };
              if (this.#add(bytes, account)) await this.#flush();
            }
          } else if (event.type === 'host') {
            host = event.jid;
            this.#sink.host(host);
          } else if (event.type === 'host-end') host = outerHost;
          else await this.#handle(event, file, host, includedFrom);
        }
        if (isFinal) break;
        const { open: opened } = scanner;
        if (opened && !large && filled - opened.account.start > this.#limits.largeBytes) {
          await this.#flush();
          const { account } = opened;
          const tag = buffer.subarray(account.start, account.contentStart);
          if (this.#sink.accepts(account)) {
            large = {
              sink: await this.#sink.large(account, Buffer.from(tag)),
              heldBytes: 0,
              failure: undefined,
            };
          } else large = { sink: nowhere, heldBytes: 0, failure: undefined };
          account.start = account.contentStart;
        }
        if (opened && large) {
          await this.#writeOpen(large, buffer, scanner, filled);
        }
        const keep = scanner.keepFrom;
        if (keep > 0) {
          buffer.copyWithin(0, keep, filled);
          filled -= keep;
          moved = keep;
        }
        if (filled > buffer.length / 2) buffer = this.#grow(includedFrom.length, buffer, filled);
        const more = await input.read(buffer, filled);
        this.#bytesRead += more;
        this.#sink.progress(this.#bytesRead);
        this.#signal.throwIfAborted();
        isFinal = more === 0;
        filled += more;
      }
    } catch (error) {
      throw describe(error, file, last);
    }
  }

  async #handle(
    event: Exclude<ScanEvent, { type: 'account' | 'host' | 'host-end' }>,
    file: string,
    host: string,
    includedFrom: readonly string[],
  ): Promise<void> {
    switch (event.type) {
      case 'include':
        await this.#include(event.href, file, host, includedFrom);
        break;
      case 'foreign':
        this.#sink.foreign(event.name, file);
        break;
      case 'end':
        break;
    }
  }

  /** Copies an account into the batch. Returns whether that is full. */
  #add(buffer: Buffer, account: MarkedAccount): boolean {
    const length = account.end - account.start;
    const batch = this.#roomFor(length);
    buffer.copy(batch.bytes, batch.length, account.start, account.end);
    shiftAccount(account, batch.length - account.start);
    batch.length += length;
    batch.accounts.push(account);
    return batch.length >= this.#limits.batchBytes * 0.75 || batch.accounts.length >= 1000;
  }

  #roomFor(length: number): AccountBatch {
    this.#batch ??= {
      bytes: this.#sink.take(Math.max(this.#limits.batchBytes, length)),
      length: 0,
      accounts: [],
    };
    const batch = this.#batch;
    if (batch.length + length > batch.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(batch.length + length);
      batch.bytes.copy(larger, 0, 0, batch.length);
      batch.bytes = larger;
    }
    return batch;
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch && batch.accounts.length > 0) await this.#sink.batch(batch);
  }

  /** Writes what there is of an account that is not complete. */
  async #writeOpen(
    large: OpenLarge,
    buffer: Buffer,
    scanner: DocumentScanner,
    filled: number,
  ): Promise<void> {
    const opened = scanner.open;
    if (!opened) return;
    const { child, account } = opened;
    let isHeld = child !== undefined && child.kind !== ChildKind.other;
    if (child && isHeld && this.#isTooMuch(large, filled - child.start)) {
      scanner.unmarkOpenChild();
      isHeld = false;
    }
    const upTo = child && isHeld ? child.start : scanner.position;
    await this.#writeRest(large, buffer, { ...account, contentEnd: upTo });
    scanner.forgetOpen(upTo);
  }

  async #writeRest(large: OpenLarge, buffer: Buffer, account: MarkedAccount): Promise<void> {
    const children = account.children.filter(({ start, end }) => {
      const isTooMuch = this.#isTooMuch(large, end - start);
      if (!isTooMuch) large.heldBytes += end - start;
      return !isTooMuch;
    });
    await writeRest(large.sink, buffer, { ...account, children });
  }

  #isTooMuch(large: OpenLarge, bytes: number): boolean {
    const { childBytes } = this.#limits;
    if (large.heldBytes + bytes <= childBytes) return false;
    large.failure ??= `what of it may be changed is larger than ${childBytes} bytes`;
    return true;
  }

  #takeBuffer(depth: number): Buffer<ArrayBuffer> {
    return (this.#buffers[depth] ??= Buffer.allocUnsafeSlow(depth === 0 ? 512 * 1024 : 256 * 1024));
  }

  #grow(depth: number, buffer: Buffer, filled: number): Buffer<ArrayBuffer> {
    const larger = Buffer.allocUnsafeSlow(buffer.length * 2);
    buffer.copy(larger, 0, 0, filled);
    // A very large one is not kept for the next file.
    if (larger.length <= 8 * 1024 * 1024) this.#buffers[depth] = larger;
    return larger;
  }

  async #include(href: string, file: string, host: string, includedFrom: readonly string[]): Promise<void> {
    const place = { root: this.#root, file, includedFrom };
    const real = await resolveInclude(href, place);
    const level = host === '' ? await rootLevel(real) : 'user';
    if (level === 'server-data')
      throw includeRefusal(href, file, 'its root is <server-data/>, and <host/> is due');
    await this.#readFile(real, level, host, [...includedFrom, file]);
  }
}

/** Of thousands of small files each would take longer to wait for than to read. */
async function openSource(file: string): Promise<ByteSource> {
  const found = statSync(file);
  const isSmall = found.isFile() && found.size <= SMALL_FILE_BYTES;
  return isSmall ? memorySource(readFileSync(file)) : fileSource(await open(file));
}

const nowhere: LargeSink = {
  write: () => Promise.resolve(),
  child: () => undefined,
  end: () => Promise.resolve(),
};

function describe(error: unknown, file: string, last: string | undefined): unknown {
  if (!(error instanceof ScanError) && !(error instanceof InputError)) return error;
  const account = error instanceof ScanError ? error.account : undefined;
  const where = [
    `byte ${error.offset + 1}`,
    ...(account === undefined
      ? last === undefined
        ? []
        : [`behind the account ${last}`]
      : [`in the account ${account}`]),
  ].join(', ');
  return new FileError(`${file} is broken at ${where}: ${error.message}`, {
    ...(error.hint !== undefined && { hint: error.hint }),
    details: { file, offset: error.offset, ...(account !== undefined && { account }) },
  });
}
