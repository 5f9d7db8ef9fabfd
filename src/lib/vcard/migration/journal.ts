/**
 * What a migration has done, a line for each step, so that it can go on after whatever ended it, and be taken back.
 * What was there before is on the disk before anything is changed.
 *
 * A line that was not finished (the process was killed in the middle of it) is as if it had not been written.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { reasonOf } from '../../config/private-file.js';
import { FileError, UsageError } from '../../errors.js';
import type { Element } from '../../xml/element.js';
import { parseXml } from '../../xml/parse.js';
import type { CardWarning } from '../card.js';
import { accessModels } from '../../pubsub/nodes.js';
import { migratedNodes, type AccountState, type SavedNode } from './account-state.js';

export type JournalOutcome = 'migrated' | 'skipped' | 'empty';

/** Everything known of one account. */
export interface JournalAccount {
  /** Undefined: nothing was going to be changed. */
  before: AccountState['nodes'] | undefined;
  done:
    | { outcome: JournalOutcome; made: string[]; warnings: CardWarning[]; reason?: string | undefined }
    | undefined;
  /** What was going to be published: the text of the card, the id of the picture. */
  planned: { card: string | null; avatar: string | null } | undefined;
  isRolledBack: boolean;
}

interface SavedNodeText {
  id: string | null;
  payload: string | null;
  access: string | null;
}

type Line =
  | { step: 'journal'; version: 1; account: string }
  | {
      step: 'before';
      account: string;
      nodes: Record<string, SavedNodeText>;
      planned: { card: string | null; avatar: string | null };
    }
  | ({ step: 'done'; account: string } & NonNullable<JournalAccount['done']>)
  | { step: 'rolled-back'; account: string };

const HEAD: Line = { step: 'journal', version: 1, account: '' };
const HEAD_LINE = `${JSON.stringify(HEAD)}\n`;

interface Batch {
  text: string;
  mustSync: boolean;
  written: Promise<void>;
}

export class Journal implements AsyncDisposable {
  readonly accounts = new Map<string, JournalAccount>();
  readonly #handle: FileHandle;
  readonly #file: string;
  /** What is still taken in. */
  #batch: Batch | undefined;
  #last: Promise<void> = Promise.resolve();

  private constructor(handle: FileHandle, file: string) {
    this.#handle = handle;
    this.#file = file;
  }

  /**
   * Makes a journal, or goes on with one.
   * @param mustExist for what only makes sense with one
   * @throws FileError it cannot be read or written @throws UsageError it is no journal
   */
  static async open(file: string, { mustExist = false } = {}): Promise<Journal> {
    let handle: FileHandle;
    try {
      handle = await open(file, mustExist ? 'r+' : 'a+', 0o600);
    } catch (error) {
      throw new FileError(`cannot open the journal ${file}: ${reasonOf(error)}`, { cause: error });
    }
    const journal = new Journal(handle, file);
    try {
      await journal.#read(mustExist);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return journal;
  }

  async #read(mustExist: boolean): Promise<void> {
    // What is no file may go on for ever.
    if (!(await this.#handle.stat()).isFile()) throw this.#notJournal();
    const content = await this.#handle.readFile();
    const end = content.lastIndexOf(0x0a) + 1;
    const lines = content.toString('utf8', 0, end).split('\n').slice(0, -1);
    const [head] = lines;
    if (head === undefined) {
      // Nothing, or what was written of the first line when it was killed.
      const isBegun = HEAD_LINE.startsWith(content.toString('utf8'));
      if (mustExist || !isBegun) throw this.#notJournal();
      await this.#handle.truncate(0);
      await this.#append(HEAD, { mustSync: false });
      return;
    }
    for (const [index, line] of lines.entries()) this.#take(this.#parse(line), index);
    // Only now: a file that was named by mistake stays as it is.
    if (end < content.length) await this.#handle.truncate(end);
    // Opened for reading and writing, it goes on behind what is there.
    this.#end = end;
  }

  #end = 0;

  #notJournal(): UsageError {
    return new UsageError(`${this.#file} is no journal of a migration`);
  }

  #parse(line: string): Line {
    try {
      return JSON.parse(line) as Line;
    } catch {
      throw this.#notJournal();
    }
  }

  #take(line: Line, index: number): void {
    if (index === 0) {
      if (line.step !== 'journal') throw this.#notJournal();
      return;
    }
    const entry = this.#entry(line.account);
    switch (line.step) {
      case 'before':
        // The first counts: the next was read when something had been changed already.
        entry.before ??= nodesFromText(line.nodes);
        begin(entry, line.planned);
        return;
      case 'done': {
        const { outcome, made, warnings, reason } = line;
        entry.done = { outcome, made, warnings, reason };
        return;
      }
      case 'rolled-back':
        entry.isRolledBack = true;
        return;
      default:
        throw this.#notJournal();
    }
  }

  #entry(account: string): JournalAccount {
    let entry = this.accounts.get(account);
    if (!entry) {
      entry = { before: undefined, done: undefined, planned: undefined, isRolledBack: false };
      this.accounts.set(account, entry);
    }
    return entry;
  }

  /** Nothing is left to do for it. */
  isDone(account: string): boolean {
    const entry = this.accounts.get(account);
    return entry?.done !== undefined && !entry.isRolledBack;
  }

  /** Resolves when it is on the disk: only then may anything be changed. */
  async before(
    account: string,
    nodes: AccountState['nodes'],
    planned: NonNullable<JournalAccount['planned']>,
  ): Promise<void> {
    const entry = this.#entry(account);
    entry.before ??= nodes;
    begin(entry, planned);
    await this.#append({ step: 'before', account, nodes: nodesToText(nodes), planned }, { mustSync: true });
  }

  async done(account: string, done: NonNullable<JournalAccount['done']>): Promise<void> {
    this.#entry(account).done = done;
    await this.#append({ step: 'done', account, ...done }, { mustSync: false });
  }

  async rolledBack(account: string): Promise<void> {
    this.#entry(account).isRolledBack = true;
    await this.#append({ step: 'rolled-back', account }, { mustSync: false });
  }

  /** What comes while the disk is busy is written together, and waited for once; nothing behind what failed. */
  async #append(line: Line, { mustSync }: { mustSync: boolean }): Promise<void> {
    const batch = (this.#batch ??= this.#openBatch());
    batch.text += `${JSON.stringify(line)}\n`;
    batch.mustSync ||= mustSync;
    await batch.written.catch((error: unknown) => this.#fail(error));
  }

  #openBatch(): Batch {
    const batch: Batch = { text: '', mustSync: false, written: this.#last };
    batch.written = this.#last.then(() => {
      this.#batch = undefined;
      return this.#write(batch);
    });
    this.#last = batch.written;
    return batch;
  }

  /** A disk that is full takes a part of it first, and says so when it is given the rest. */
  async #write({ text, mustSync }: Batch): Promise<void> {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length;) {
      const at = this.#end + done;
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, at);
      done += bytesWritten;
    }
    this.#end += bytes.length;
    if (mustSync) await this.#handle.datasync();
  }

  #fail(error: unknown): never {
    throw new FileError(`cannot write the journal ${this.#file}: ${reasonOf(error)}`, { cause: error });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What went wrong was said to whoever wanted it written.
    await this.#last.catch(() => undefined);
    await this.#handle.close();
  }
}

/** What was done, or taken back, by an earlier run is done anew. */
function begin(entry: JournalAccount, planned: NonNullable<JournalAccount['planned']>): void {
  entry.planned = planned;
  entry.done = undefined;
  entry.isRolledBack = false;
}

function nodesToText(nodes: AccountState['nodes']): Record<string, SavedNodeText> {
  return Object.fromEntries(
    migratedNodes.map((node) => {
      const { item, access } = nodes[node];
      return [
        node,
        { id: item?.id ?? null, payload: item?.payload.toString() ?? null, access: access ?? null },
      ];
    }),
  );
}

function nodesFromText(texts: Record<string, SavedNodeText>): AccountState['nodes'] {
  const read = (text: SavedNodeText | undefined): SavedNode => {
    const payload: Element | undefined = text?.payload == null ? undefined : parseXml(text.payload);
    return {
      item: payload && { id: text?.id ?? '', payload },
      access: accessModels.find((model) => model === text?.access),
    };
  };
  const [vcard4, metadata, data] = migratedNodes;
  return { [vcard4]: read(texts[vcard4]), [metadata]: read(texts[metadata]), [data]: read(texts[data]) };
}
