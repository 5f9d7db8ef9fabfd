/**
 * Asks recursive resolvers, one question at a time: UDP with EDNS and the DO bit, TCP for what does not fit
 * (RFC 1035 §4.2, RFC 7766), and the next server when one is silent or refuses.
 *
 * An answer counts only if it comes from the server asked, to the port it was asked from, with the same random id and
 * the same question (RFC 5452 §9). It may still be forged: `resolve.ts` is what makes it believable.
 */
import { randomInt } from 'node:crypto';
import { DnsError } from '../errors.js';
import { decodeMessage, encodeQuestion, type Message } from './message.js';
import { parseName, type DnsName } from './name.js';
import { TYPE_NUMBERS, type RecordType } from './record-types.js';
import { describeServer, type DnsServer } from './servers.js';
import { exchangeByTcp, exchangeByUdp, type Exchange } from './transports.js';

/** One question to one server and what came of it. */
export interface DnsExchange {
  name: DnsName;
  type: RecordType;
  server: DnsServer;
  transport: 'udp' | 'tcp';
  elapsedMs: number;
  /** The response code, or why there is none. */
  outcome: string;
}

export interface DnsClientOptions {
  /** Asked in this order. */
  servers: readonly DnsServer[];
  /** For each question to each server; 3 seconds unless told. */
  timeoutMs?: number;
  /** How many more times silent servers are asked; 1 unless told. */
  retries?: number;
  /** Ends every wait with its reason. */
  signal?: AbortSignal;
  onExchange?: (exchange: DnsExchange) => void;
}

export interface QueryOptions {
  /** Ask for data also when the resolver finds that its signatures are bad (CD, RFC 4035 §3.2.2). */
  checkingDisabled?: boolean;
}

export type QueryResult = Pick<
  Message,
  'rcode' | 'flags' | 'hasEdns' | 'answers' | 'authorities' | 'additionals'
> & {
  server: DnsServer;
  /** From the first question to this answer, with every server that was asked in between. */
  elapsedMs: number;
};

const DEFAULT_TIMEOUT_MS = 3000;
const DEFAULT_RETRIES = 1;

export class DnsClient {
  readonly #options: DnsClientOptions;

  constructor(options: DnsClientOptions) {
    this.#options = options;
  }

  /**
   * The first usable answer; when every server fails with SERVFAIL or REFUSED, the first of those.
   *
   * @throws {DnsError} when no server answers, or for a name that cannot be asked for
   */
  async query(
    name: string,
    type: RecordType,
    { checkingDisabled = false }: QueryOptions = {},
  ): Promise<QueryResult> {
    const { servers, retries = DEFAULT_RETRIES } = this.#options;
    const question: Question = { name: parseName(name), type, checkingDisabled };
    const startedAt = performance.now();
    const silent: string[] = [];
    let refused: { message: Message; server: DnsServer } | undefined;
    let left = [...servers];
    for (let round = 0; round <= retries && left.length > 0; round++) {
      const asked = left;
      left = [];
      for (const server of asked) {
        const result = await this.#ask(server, question);
        if (typeof result === 'string') {
          left.push(server);
          silent.push(`${describeServer(server)} ${result}`);
        } else if (isRefusal(result)) {
          refused ??= { message: result, server };
        } else {
          return describeResult(result, server, startedAt);
        }
      }
    }
    if (refused) return describeResult(refused.message, refused.server, startedAt);
    throw new DnsError(
      `no resolver answered for ${type} of ${question.name}: ${[...new Set(silent)].join(', ') || 'none is known'}`,
    );
  }

  /** The answer, or what went wrong in a few words. */
  async #ask(server: DnsServer, question: Question): Promise<Message | string> {
    const byUdp = await this.#exchange('udp', server, question);
    return typeof byUdp !== 'string' && byUdp.flags.tc ? this.#exchange('tcp', server, question) : byUdp;
  }

  async #exchange(
    transport: 'udp' | 'tcp',
    server: DnsServer,
    question: Question,
  ): Promise<Message | string> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, onExchange } = this.#options;
    signal?.throwIfAborted();
    const id = randomInt(0x10000);
    const exchange: Exchange<Message> = {
      server,
      timeoutMs,
      signal,
      bytes: encodeQuestion(id, question.name, question.type, question),
      read: (bytes) => {
        const message = decodeMessage(bytes);
        return isAnswerTo(message, id, question) ? message : undefined;
      },
    };
    const startedAt = performance.now();
    const result = await (transport === 'udp' ? exchangeByUdp : exchangeByTcp)(exchange);
    onExchange?.({
      name: question.name,
      type: question.type,
      server,
      transport,
      elapsedMs: performance.now() - startedAt,
      outcome: typeof result === 'string' ? result : result.rcode,
    });
    return result;
  }
}

interface Question {
  name: DnsName;
  type: RecordType;
  checkingDisabled: boolean;
}

function describeResult(
  { rcode, flags, hasEdns, answers, authorities, additionals }: Message,
  server: DnsServer,
  startedAt: number,
): QueryResult {
  const elapsedMs = performance.now() - startedAt;
  return { rcode, flags, hasEdns, answers, authorities, additionals, server, elapsedMs };
}

function isRefusal({ rcode }: Message): boolean {
  return rcode === 'SERVFAIL' || rcode === 'REFUSED';
}

function isAnswerTo(message: Message, id: number, { name, type }: Question): boolean {
  return (
    message.isResponse &&
    message.id === id &&
    message.question?.name === name &&
    message.question.type === TYPE_NUMBERS[type]
  );
}
