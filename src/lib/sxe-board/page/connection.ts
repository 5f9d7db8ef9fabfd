/** The way to the command, which is found again when it is lost; what was not answered is then said again. */
import type { BoardAction, FromPage, ToPage } from '../messages.js';

/** An action without its number. */
export type Action = BoardAction extends infer One
  ? One extends BoardAction
    ? Omit<One, 'seq'>
    : never
  : never;
type Done = (made: string | undefined) => void;

const FIRST_RETRY_MS = 300;
const MAX_RETRY_MS = 5000;

export class Connection {
  readonly #page = randomName();
  readonly #unanswered = new Map<number, { action: BoardAction; done: Done }>();
  #socket: WebSocket | undefined;
  #seq = 0;
  #isWelcome = false;
  #isOver = false;
  #retryMs = FIRST_RETRY_MS;

  constructor(
    private readonly onMessage: (message: ToPage) => void,
    private readonly onState: (state: 'open' | 'lost') => void,
  ) {
    this.#connect();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  act(action: Action, done: Done = () => undefined): void {
    this.#seq += 1;
    const numbered: BoardAction = { ...action, seq: this.#seq };
    this.#unanswered.set(this.#seq, { action: numbered, done });
    if (this.#isWelcome) this.#send(numbered);
  }

  #connect(): void {
    const url = new URL('socket', location.href);
    url.protocol = 'ws:';
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#isWelcome = false;
    socket.addEventListener('open', () => this.#send({ kind: 'hello', page: this.#page }));
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.#take(JSON.parse(data) as ToPage);
    });
    socket.addEventListener('close', () => {
      if (this.#isOver) return;
      this.onState('lost');
      setTimeout(() => this.#connect(), this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
    });
  }

  #take(message: ToPage): void {
    if (message.kind === 'end') this.#isOver = true;
    this.onMessage(message);
    if (message.kind !== 'done') return;
    for (const [seq, { done }] of this.#unanswered) {
      if (seq > message.seq) break;
      this.#unanswered.delete(seq);
      done(seq === message.seq ? message.made : undefined);
    }
    if (this.#isWelcome) return;
    this.#isWelcome = true;
    this.#retryMs = FIRST_RETRY_MS;
    this.onState('open');
    for (const { action } of this.#unanswered.values()) this.#send(action);
  }

  #send(message: FromPage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

function randomName(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => (byte % 36).toString(36)).join('');
}
