/**
 * A folder with the document of one session: a file with a snapshot and the messages that came after it, one JSON text a
 * line. What was written outlives SIGKILL and the loss of power; a last line that is not whole was never said to be written.
 */
import { mkdir, open, readdir, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { FileError } from '../../errors.js';
import type { Message } from '../inbox.js';
import { lengthOfMessage } from '../message-log.js';
import type { Participant } from '../participant.js';
import type { Keeper, KeptDocument } from './keeper.js';

const FORMAT = 'xmppctl-sxe-1';
/** After so many characters of messages the file begins anew, with a snapshot. */
const MAX_LOG_LENGTH = 16 * 1024 * 1024;
const FILE_PATTERN = /^document-(\d{1,9})\.jsonl$/;

/** What a session is called, and what it is about. */
export interface SessionFacts {
  session: string;
  title: string | undefined;
  application: string;
  /** It is spoken in the dialect of Psi. */
  isPsi: boolean;
}

interface Head extends SessionFacts {
  format: typeof FORMAT;
  name: string;
  snapshot: KeptDocument['snapshot'];
}

export class DocumentStore implements Keeper {
  #facts: SessionFacts | undefined;
  #participant: Participant | undefined;
  #handle: FileHandle | undefined;
  #lines: string[] = [];
  #logLength = 0;
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(
    private readonly folder: string,
    /** Counts the files: the last one is the one that counts. */
    private number: number,
    /** What was there before. */
    readonly kept: (KeptDocument & SessionFacts) | undefined,
    private readonly onError: (error: FileError) => void,
  ) {
    if (kept) this.#facts = kept;
  }

  /**
   * Reads what is in a folder, which is made if need be.
   *
   * @param onError it cannot be written any more
   * @throws FileError it cannot be read, or is damaged
   */
  static async open(folder: string, onError: (error: FileError) => void): Promise<DocumentStore> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const numbers = (await readdir(folder)).map((name) => Number(FILE_PATTERN.exec(name)?.[1] ?? 0));
      const number = Math.max(0, ...numbers);
      const file = path.join(folder, nameOf(number));
      const kept = number === 0 ? undefined : parseFile(await readFile(file, 'utf8'), file);
      return new DocumentStore(folder, number, kept, onError);
    } catch (error) {
      throw asFileError(`cannot read ${folder}`, error);
    }
  }

  /** Before the first `begin`: which session it is. */
  describe(facts: SessionFacts): void {
    this.#facts = facts;
  }

  /** @throws RangeError nothing was described, and nothing was there */
  get facts(): SessionFacts {
    if (!this.#facts) throw new RangeError('the session has not been described');
    return this.#facts;
  }

  begin(participant: Participant): void {
    const { session, title, application, isPsi } = this.facts;
    this.#participant = participant;
    this.#logLength = 0;
    this.#lines = [];
    const { name } = participant;
    const head: Head = {
      format: FORMAT,
      session,
      title,
      application,
      isPsi,
      name,
      snapshot: participant.snapshot(),
    };
    this.#do(() => this.#replace(`${JSON.stringify(head)}\n`));
  }

  add(message: Message): void {
    this.#logLength += lengthOfMessage(message);
    if (this.#participant && this.#logLength > MAX_LOG_LENGTH) {
      this.begin(this.#participant);
      return;
    }
    this.#lines.push(`${JSON.stringify(message)}\n`);
    if (this.#lines.length === 1) this.#do(() => this.#append());
  }

  /** When everything is on the disk. Never throws. */
  async flush(): Promise<void> {
    await this.#work;
  }

  async close(): Promise<void> {
    await this.flush();
    this.#isClosed = true;
    await this.#handle?.close().catch(() => undefined);
  }

  #do(task: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      try {
        if (!this.#isClosed) await task();
      } catch (error) {
        this.#isClosed = true;
        this.onError(asFileError(`cannot write in ${this.folder}`, error));
      }
    });
  }

  /** All that has come meanwhile, at once. */
  async #append(): Promise<void> {
    const text = this.#lines.join('');
    this.#lines = [];
    if (text === '' || !this.#handle) return;
    await this.#handle.appendFile(text);
    await this.#handle.datasync();
  }

  /** The file that was there counts until the new one is whole. */
  async #replace(text: string): Promise<void> {
    const before = path.join(this.folder, nameOf(this.number));
    this.number += 1;
    const file = path.join(this.folder, nameOf(this.number));
    const unfinished = `${file}.new`;
    await writeFile(unfinished, text, { mode: 0o600 });
    const handle = await open(unfinished, 'a');
    await handle.sync();
    await rename(unfinished, file);
    await syncFolder(this.folder);
    await this.#handle?.close();
    this.#handle = handle;
    if (this.number > 1) await rm(before, { force: true });
  }
}

const nameOf = (number: number): string => `document-${number}.jsonl`;

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @throws FileError */
function parseFile(text: string, file: string): KeptDocument & SessionFacts {
  const [first = '', ...lines] = text.split('\n');
  const head = parseLine(first) as Partial<Head> | undefined;
  if (
    head?.format !== FORMAT ||
    !head.snapshot ||
    typeof head.session !== 'string' ||
    typeof head.name !== 'string'
  )
    throw new FileError(`${file} is not what xmppctl sxe host has written`);
  const { session, title, application = '', isPsi = false, name, snapshot } = head;
  // What is behind the last line end was not written to its end.
  lines.pop();
  const messages = lines.map((line) => {
    const message = parseLine(line) as Partial<Message> | undefined;
    if (
      typeof message?.sender !== 'string' ||
      typeof message.id !== 'string' ||
      !Array.isArray(message.edits)
    )
      throw new FileError(`${file} is damaged`);
    return { sender: message.sender, id: message.id, edits: message.edits };
  });
  return { session, title, application, isPsi, name, snapshot, messages };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

function asFileError(what: string, error: unknown): FileError {
  return error instanceof FileError
    ? error
    : new FileError(`${what}: ${(error as Error).message}`, { cause: error });
}
