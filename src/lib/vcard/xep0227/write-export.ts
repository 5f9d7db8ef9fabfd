/**
 * The layouts of an export: one document, the files that ejabberd reads, the files that Prosody reads.
 */
import { closeSync, openSync, writeSync, writevSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { FileError } from '../../errors.js';
import { reasonOf } from '../../config/private-file.js';
import { xml } from '../../xml/element.js';
import { serialize } from '../../xml/serialize.js';
import type { PlacedAccount } from './convert-batch.js';
import { NS_PIE, NS_XINCLUDE } from './namespaces.js';
import type { Staging } from './staging.js';

export interface ExportWriter {
  /** So that the name of an account must be fit for that of a file. */
  readonly writesFilePerAccount: boolean;
  accounts(output: Buffer, accounts: readonly PlacedAccount[]): Promise<void>;
  /** An account that comes in pieces; nothing else is written until its end. */
  large(host: string, name: string): Promise<LargeWriter>;
  /** @param hosts all that were met: those without accounts are written, too */
  finish(hosts: readonly string[]): Promise<void>;
  /** Removes what there is. */
  abort(): Promise<void>;
}

export interface LargeWriter {
  write(bytes: Buffer): Promise<void>;
  end(): Promise<void>;
}

/** Where the bytes of a document go. */
export interface ByteTarget {
  write(bytes: Uint8Array): Promise<void>;
  /** Everything is there. */
  finish(): Promise<void>;
  abort(): Promise<void>;
}

const XML_HEAD = "<?xml version='1.0' encoding='UTF-8'?>\n";

/** An attribute's value as it stands between quotes. */
function quoted(value: string): string {
  return /"([^"]*)"/.exec(serialize(xml('x', { value })))?.[1] ?? '';
}

const hostStart = (host: string): string => `<host jid="${quoted(host)}">`;

/** Everything in one document. */
export class DocumentWriter implements ExportWriter {
  readonly writesFilePerAccount = false;
  #host: string | undefined;
  #hasBegun = false;
  readonly #seen = new Set<string>();

  constructor(private readonly target: ByteTarget) {}

  async accounts(output: Buffer, accounts: readonly PlacedAccount[]): Promise<void> {
    await this.#begin();
    let from = 0;
    for (const { host, start } of accounts) {
      if (host === this.#host) continue;
      await this.#write(output.subarray(from, start));
      from = start;
      await this.#enter(host);
    }
    await this.#write(output.subarray(from));
  }

  async large(host: string): Promise<LargeWriter> {
    await this.#begin();
    if (host !== this.#host) await this.#enter(host);
    return { write: (bytes) => this.#write(bytes), end: () => Promise.resolve() };
  }

  async finish(hosts: readonly string[]): Promise<void> {
    await this.#begin();
    for (const host of hosts) if (!this.#seen.has(host)) await this.#enter(host);
    if (this.#host !== undefined) await this.#text('</host>\n');
    await this.#text('</server-data>\n');
    await this.target.finish();
  }

  abort(): Promise<void> {
    return this.target.abort();
  }

  async #begin(): Promise<void> {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    await this.#text(`${XML_HEAD}<server-data xmlns="${NS_PIE}">\n`);
  }

  async #enter(host: string): Promise<void> {
    if (this.#host !== undefined) await this.#text('</host>\n');
    this.#host = host;
    this.#seen.add(host);
    await this.#text(hostStart(host));
  }

  async #text(text: string): Promise<void> {
    await this.target.write(Buffer.from(text));
  }

  async #write(bytes: Buffer): Promise<void> {
    if (bytes.length > 0) await this.target.write(bytes);
  }
}

export async function openFileTarget(file: string, staging: Staging): Promise<ByteTarget> {
  const failed = (error: unknown): FileError =>
    new FileError(`cannot write ${file}: ${reasonOf(error)}`, { cause: error });
  const handle = await open(staging.path, 'w', 0o600).catch((error: unknown) => {
    throw failed(error);
  });
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await handle.close();
  };
  return {
    write: async (bytes) => {
      await writeFully(handle, bytes).catch((error: unknown) => {
        throw failed(error);
      });
    },
    finish: async () => {
      try {
        // What is not a file on a disk cannot be synchronised, and need not be.
        await handle.sync().catch(() => undefined);
        await close();
      } catch (error) {
        throw failed(error);
      }
      await staging.commit();
    },
    abort: async () => {
      await close();
      await staging.abort();
    },
  };
}

async function writeFully(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten;
}

/**
 * `main.xml`, which includes a file for each host. COMPAT(ejabberd 23.01): it holds an element below the root in memory
 * as a whole, so that hosts inside of one document need as much as the document has; and it knows an include by the
 * prefix `xi`.
 */
export class EjabberdFolderWriter implements ExportWriter {
  readonly writesFilePerAccount = false;
  readonly #targets = new Map<string, { file: string; target: ByteTarget }>();
  readonly #names = new Set<string>();

  constructor(
    private readonly folder: string,
    private readonly staging: Staging,
  ) {}

  async accounts(output: Buffer, accounts: readonly PlacedAccount[]): Promise<void> {
    let at = 0;
    while (at < accounts.length) {
      const host = accounts[at]?.host ?? '';
      const start = accounts[at]?.start ?? 0;
      while (accounts[at]?.host === host) at++;
      await (await this.#targetOf(host)).write(output.subarray(start, accounts[at]?.start ?? output.length));
    }
  }

  async large(host: string): Promise<LargeWriter> {
    const target = await this.#targetOf(host);
    return { write: (bytes) => target.write(bytes), end: () => Promise.resolve() };
  }

  async finish(hosts: readonly string[]): Promise<void> {
    for (const host of hosts) await this.#targetOf(host);
    for (const { target } of this.#targets.values()) {
      await target.write(Buffer.from('</host>\n'));
      await target.finish();
    }
    const includes = [...this.#targets.values()].map(
      ({ file }) => `<xi:include href="${quoted(encodeURI(file))}"/>\n`,
    );
    const main = await this.#open('main.xml');
    await main.write(
      Buffer.from(
        `${XML_HEAD}<server-data xmlns="${NS_PIE}" xmlns:xi="${NS_XINCLUDE}">\n${includes.join('')}</server-data>\n`,
      ),
    );
    await main.finish();
    await this.staging.commit();
  }

  async abort(): Promise<void> {
    for (const { target } of this.#targets.values()) await target.abort();
    await this.staging.abort();
  }

  async #targetOf(host: string): Promise<ByteTarget> {
    const found = this.#targets.get(host);
    if (found) return found.target;
    const file = this.#nameOf(host);
    const target = await this.#open(file);
    this.#targets.set(host, { file, target });
    await target.write(
      Buffer.from(`${XML_HEAD}<host xmlns="${NS_PIE}" xmlns:xi="${NS_XINCLUDE}" jid="${quoted(host)}">\n`),
    );
    return target;
  }

  /** A domain is a good name for a file, but who knows what the input calls a domain. */
  #nameOf(host: string): string {
    const base = host.replace(/[^\w.-]/g, '_').replace(/^\.+/, '') || '_';
    let name = `${base}.xml`;
    for (let number = 2; this.#names.has(name) || name === 'main.xml'; number++)
      name = `${base}-${number}.xml`;
    this.#names.add(name);
    return name;
  }

  #open(name: string): Promise<ByteTarget> {
    const nothing = (): Promise<void> => Promise.resolve();
    return openFileTarget(path.join(this.folder, name), {
      path: path.join(this.staging.path, name),
      commit: nothing,
      abort: nothing,
    });
  }
}

/** One document for each account. COMPAT(Prosody 0.12): mod_storage_xep0227 looks for `name@host.xml`, without any escaping. */
export class ProsodyFolderWriter implements ExportWriter {
  readonly writesFilePerAccount = true;

  constructor(
    private readonly folder: string,
    private readonly staging: Staging,
  ) {}

  accounts(output: Buffer, accounts: readonly PlacedAccount[]): Promise<void> {
    for (const { host, name, start, end } of accounts) {
      const [head, tail] = frame(host);
      const file = accountFileName(host, name);
      try {
        writeAtOnce(path.join(this.staging.path, file), [head, output.subarray(start, end), tail]);
      } catch (error) {
        throw this.#failed(file, error);
      }
    }
    return Promise.resolve();
  }

  async large(host: string, name: string): Promise<LargeWriter> {
    const file = accountFileName(host, name);
    const nothing = (): Promise<void> => Promise.resolve();
    const target = await openFileTarget(path.join(this.folder, file), {
      path: path.join(this.staging.path, file),
      commit: nothing,
      abort: nothing,
    });
    const [head, tail] = frame(host);
    await target.write(head);
    return {
      write: (bytes) => target.write(bytes),
      end: async () => {
        await target.write(tail);
        await target.finish();
      },
    };
  }

  async finish(): Promise<void> {
    await this.staging.commit();
  }

  abort(): Promise<void> {
    return this.staging.abort();
  }

  #failed(file: string, error: unknown): FileError {
    return new FileError(`cannot write ${path.join(this.folder, file)}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Thousands of small files: a turn of the event loop for each step would take longer than the step. */
function writeAtOnce(file: string, parts: Buffer[]): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (writevSync(descriptor, parts) === length) return;
    // The disk is nearly full, or this is no usual file system: whole or not at all.
    const whole = Buffer.concat(parts);
    for (let at = 0; at < length;) at += writeSync(descriptor, whole, at, length - at, at);
  } finally {
    closeSync(descriptor);
  }
}

let lastFrame: { host: string; parts: [Buffer, Buffer] } | undefined;

function frame(host: string): [Buffer, Buffer] {
  if (lastFrame?.host === host) return lastFrame.parts;
  const parts: [Buffer, Buffer] = [
    Buffer.from(`${XML_HEAD}<server-data xmlns="${NS_PIE}">${hostStart(host)}`),
    Buffer.from('</host></server-data>\n'),
  ];
  lastFrame = { host, parts };
  return parts;
}

export function accountFileName(host: string, name: string): string {
  return `${name}@${host}.xml`;
}

/** Octets that the name of a file may have on the usual file systems. */
const MAX_NAME_BYTES = 255;

/** Why there can be no file for an account; undefined when there can. */
export function refuseFileName(host: string, name: string): string | undefined {
  const file = accountFileName(host, name);
  if (/[/\0]/.test(file)) return 'its address cannot be the name of a file';
  return Buffer.byteLength(file) > MAX_NAME_BYTES
    ? 'its address is too long for the name of a file'
    : undefined;
}
