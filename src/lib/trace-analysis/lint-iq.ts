/** Requests and replies of one session: who is still owed an answer, and whose answer is none. */
import type { Direction } from '../trace/events.js';
import { isAnsweredBy, type TracedIq } from '../trace/iq-pairing.js';
import type { Report } from './findings.js';
import { quote } from './quote.js';

interface OpenRequest {
  iq: TracedIq;
  payload: string;
  /** How often the session had been resumed: what is sent again after that is no new request. */
  epoch: number;
}

/** Requests that nobody answers must not fill memory; the oldest are given up first. */
const maxOpen = 100_000;

export class IqRules {
  readonly #open = new Map<string, OpenRequest>();
  #epoch = 0;

  /** @param isWhole the stream was recorded from its beginning, so that every reply has a request to be found */
  observe(iq: TracedIq, payload: string, isWhole: boolean, report: Report): void {
    const { dir, n, type, id } = iq;
    if (type !== 'get' && type !== 'set' && type !== 'result' && type !== 'error') {
      report('iq.type', [n], type === undefined ? 'an iq without a type' : `an iq of type ${quote(type)}`);
      return;
    }
    if (id === undefined || id === '') {
      report('iq.no-id', [n], `an iq of type ${type} without an id`);
      return;
    }
    if (type === 'get' || type === 'set') this.#ask(iq, id, payload, report);
    else this.#answer(iq, `${opposite(dir)} ${id}`, isWhole, report);
  }

  /** The session goes on, on another connection. */
  resume(): void {
    this.#epoch += 1;
  }

  /** Records are missing: what is open may have been answered there. */
  forget(): void {
    this.#open.clear();
  }

  /** The session is over. */
  end(report: Report): void {
    for (const { iq, payload } of this.#open.values()) {
      const whom = iq.to === undefined ? (iq.dir === 'out' ? 'the server' : 'us') : quote(iq.to);
      report(
        'iq.unanswered',
        [iq.n],
        `${iq.type ?? ''} ${quote(iq.id ?? '')} (${payload}) to ${whom} was never answered`,
      );
    }
    this.#open.clear();
  }

  #ask(iq: TracedIq, id: string, payload: string, report: Report): void {
    const key = `${iq.dir} ${id}`;
    const open = this.#open.get(key);
    if (open?.epoch === this.#epoch)
      report(
        'iq.id-reused',
        [open.iq.n, iq.n],
        `id ${quote(id)} is used again while it waits for its answer`,
      );
    this.#open.set(key, { iq, payload, epoch: this.#epoch });
    if (this.#open.size > maxOpen) {
      for (const oldest of this.#open.keys()) {
        this.#open.delete(oldest);
        break;
      }
    }
  }

  #answer(iq: TracedIq, key: string, isWhole: boolean, report: Report): void {
    const open = this.#open.get(key);
    if (open === undefined) {
      if (isWhole) {
        const from = iq.from === undefined ? '' : ` from ${quote(iq.from)}`;
        report('iq.orphan', [iq.n], `${iq.type ?? ''} ${quote(iq.id ?? '')}${from} answers no open request`);
      }
      return;
    }
    if (isAnsweredBy(open.iq, iq)) {
      this.#open.delete(key);
      return;
    }
    if (iq.dir === 'in') {
      report(
        'iq.wrong-sender',
        [open.iq.n, iq.n],
        `${quote(open.iq.to ?? 'the server')} was asked (id ${quote(iq.id ?? '')}), and ${quote(iq.from ?? 'the server')} answers`,
      );
    } else {
      this.#open.delete(key);
      report(
        'iq.wrong-recipient',
        [open.iq.n, iq.n],
        `${quote(open.iq.from ?? 'the server')} asked (id ${quote(iq.id ?? '')}), and the answer goes to ${quote(iq.to ?? 'the server')}`,
      );
    }
  }
}

export function opposite(dir: Direction): Direction {
  return dir === 'in' ? 'out' : 'in';
}
