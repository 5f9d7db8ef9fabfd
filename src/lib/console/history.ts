/** What was typed before, in a file that only its owner can read. Secrets are never written to it. */
import { appendFile, chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { readFile, writeFile } from 'node:fs/promises';

const maxEntries = 500;
const maxEntryLength = 20_000;

/** Elements that hold what nobody else may see, and everything that speaks of passwords. */
const secret =
  /<\/?(?:[\w.-]+:)?(?:auth|authenticate|response|initial-response|challenge|success|handshake|digest|token|secret)\b|passw|jabber:iq:auth/i;

/** Whether a line may hold a secret. @param isBare what is no element is taken for the rest of one */
export function isSecretLine(line: string, isBare: boolean): boolean {
  return secret.test(line) || (isBare && !/^\s*[</!]/.test(line));
}

export class History {
  /** The newest first, as node:readline has them. */
  readonly entries: string[];
  readonly #file: string;
  #isBroken = false;

  private constructor(file: string, entries: string[]) {
    this.#file = file;
    this.entries = entries;
  }

  /** Opens the history, an empty one where there is none yet or it cannot be read. */
  static async open(file: string): Promise<History> {
    const text = await readFile(file, 'utf8').catch(() => '');
    const lines = text.split('\n').filter((line) => line !== '' && !secret.test(line));
    const kept = lines.slice(-maxEntries);
    // An old file does not grow without end.
    if (lines.length > 2 * maxEntries)
      await writeFile(file, kept.map((line) => `${line}\n`).join(''), { mode: 0o600 }).catch(() => undefined);
    return new History(file, kept.reverse());
  }

  /**
   * Remembers what was typed, on one line.
   * @returns what went wrong, the first time
   */
  async add(typed: string, isBare = false): Promise<string | undefined> {
    const line = typed.replace(/\s*\r?\n\s*/g, ' ').trim();
    if (line === '' || line.length > maxEntryLength || line === this.entries[0] || isSecretLine(line, isBare))
      return undefined;
    this.entries.unshift(line);
    this.entries.length = Math.min(this.entries.length, maxEntries);
    if (this.#isBroken) return undefined;
    try {
      await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 });
      await appendFile(this.#file, `${line}\n`, { mode: 0o600 });
      await chmod(this.#file, 0o600);
      return undefined;
    } catch (error) {
      this.#isBroken = true;
      return `what is typed is not remembered: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}
