/** What crossed a connection, as evidence: text, in both directions, bounded. */

const MAX_CHARACTERS = 2000;

export interface Evidence {
  /** What was sent, as text. */
  sent?: string;
  /** What came back, as text; other bytes than text are shown as U+FFFD. */
  received?: string;
}

export class Transcript {
  #sent = '';
  #received = '';

  sent(data: string | Uint8Array): void {
    this.#sent = append(this.#sent, data);
  }

  received(data: string | Uint8Array): void {
    this.#received = append(this.#received, data);
  }

  /** Forgets what has been said so far: evidence is about what comes next. */
  clear(): void {
    this.#sent = this.#received = '';
  }

  evidence(): Evidence {
    return {
      ...(this.#sent !== '' && { sent: this.#sent }),
      ...(this.#received !== '' && { received: this.#received }),
    };
  }
}

function append(before: string, data: string | Uint8Array): string {
  if (before.length >= MAX_CHARACTERS) return before;
  const text =
    typeof data === 'string' ? data : Buffer.from(data.subarray(0, MAX_CHARACTERS)).toString('utf8');
  const joined = before + text;
  return joined.length < MAX_CHARACTERS ? joined : `${joined.slice(0, MAX_CHARACTERS - 1)}…`;
}
