/**
 * STUN and TURN servers: do they answer, do they relay for strangers, do the credentials work?
 *
 * RFC 8489, RFC 8656. An allocation that succeeds is given back at once; nothing is ever relayed.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { ConnectError } from '../../errors.js';
import { within } from '../../session/wait.js';
import type { Budget } from '../wire/budget.js';
import { formatPlace, type Place } from '../wire/open-socket.js';
import {
  Attribute,
  decodeStun,
  encodeRequest,
  errorCodeOf,
  findAttribute,
  Method,
  newTransaction,
  readXorAddress,
  type StunCredentials,
  type StunMessage,
} from '../wire/stun.js';
import type { Measured } from './facts.js';
import { measure } from './measure.js';

export interface StunTarget extends Place {
  kind: 'stun' | 'turn';
  host: string;
  credentials?: { username: string; password: string } | undefined;
  origin: 'dns' | 'xep-0215' | 'given';
}

export interface StunFacts {
  target: Pick<StunTarget, 'kind' | 'host' | 'address' | 'port' | 'origin'>;
  /** Our own address as the server sees it. */
  binding: Measured<{ mappedAddress: string }>;
  /** TURN only: what came of asking for a relay without credentials. `401` is right. */
  stranger?: Measured<{ code: number | 'allocated' }>;
  /** TURN only, with credentials. */
  allocation?: Measured<{ relayedAddress: string }>;
}

/** RFC 8489 §6.2.1: sent again while there is no answer. */
const RETRANSMIT_MS = [0, 250, 500, 1000];
/** UDP, as RFC 8656 §7.1 has it in REQUESTED-TRANSPORT. */
const transportUdp = { type: Attribute.requestedTransport, value: Buffer.from([17, 0, 0, 0]) };

export async function collectStun(target: StunTarget, budget: Budget): Promise<StunFacts> {
  const { kind, host, address, port, origin } = target;
  const facts: StunFacts = {
    target: { kind, host, address, port, origin },
    binding: await measure(async () => {
      using talk = await StunTalk.open(target, budget);
      const answer = await talk.ask(Method.binding, []);
      const mappedAddress = readXorAddress(
        findAttribute(answer, Attribute.xorMappedAddress),
        answer.transaction,
      );
      if (mappedAddress === undefined) throw new ConnectError('the answer has no mapped address');
      return { mappedAddress };
    }),
  };
  return kind === 'stun' ? facts : { ...facts, ...(await tryTurn(target, budget)) };
}

/** Both questions from the same port: nonces are good for one only. */
async function tryTurn(
  target: StunTarget,
  budget: Budget,
): Promise<Required<Pick<StunFacts, 'stranger' | 'allocation'>>> {
  const { credentials } = target;
  let allocation: Measured<{ relayedAddress: string }> = { reason: 'no credentials' };
  const stranger = await measure(async () => {
    using talk = await StunTalk.open(target, budget);
    const answer = await talk.ask(Method.allocate, [transportUdp]);
    if (answer.kind === 'success') {
      await talk.giveBack();
      return { code: 'allocated' as const };
    }
    if (credentials) allocation = await measure(() => allocateWith(talk, credentials, answer));
    return { code: errorCodeOf(answer) ?? 0 };
  });
  return { stranger, allocation: credentials && !stranger.value ? { reason: stranger.reason } : allocation };
}

async function allocateWith(
  talk: StunTalk,
  { username, password }: { username: string; password: string },
  refusal: StunMessage,
): Promise<{ relayedAddress: string }> {
  const realm = findAttribute(refusal, Attribute.realm)?.toString('utf8');
  const nonce = findAttribute(refusal, Attribute.nonce);
  if (realm === undefined || nonce === undefined)
    throw new ConnectError('the server asked for no credentials');
  const credentials = { username, password, realm, nonce };
  const answer = await talk.ask(Method.allocate, [transportUdp], credentials);
  if (answer.kind !== 'success')
    throw new ConnectError(`the credentials were refused: ${errorCodeOf(answer) ?? 'no code'}`);
  await talk.giveBack(credentials);
  const relayedAddress = readXorAddress(
    findAttribute(answer, Attribute.xorRelayedAddress),
    answer.transaction,
  );
  if (relayedAddress === undefined) throw new ConnectError('the answer has no relayed address');
  return { relayedAddress };
}

/** Requests and answers from one port of ours. */
class StunTalk {
  readonly #socket: Socket;
  readonly #place: Place;
  readonly #budget: Budget;
  readonly #ticket: Disposable;

  private constructor(socket: Socket, place: Place, budget: Budget, ticket: Disposable) {
    this.#socket = socket;
    this.#place = place;
    this.#budget = budget;
    this.#ticket = ticket;
  }

  static async open({ address, port }: Place, budget: Budget): Promise<StunTalk> {
    const ticket = await budget.take();
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    // Connected, so that only the server is heard, and a closed port says so at once.
    socket.connect(port, address);
    await once(socket, 'connect');
    return new StunTalk(socket, { address, port }, budget, ticket);
  }

  /** @throws ConnectError @throws TimeoutError @throws InterruptedError */
  async ask(
    method: number,
    attributes: readonly { type: number; value: Buffer }[],
    credentials?: StunCredentials,
  ): Promise<StunMessage> {
    const transaction = newTransaction();
    const request = encodeRequest(method, transaction, attributes, credentials);
    const place = formatPlace(this.#place);
    const socket = this.#socket;
    const timers = RETRANSMIT_MS.map((afterMs) =>
      setTimeout(() => socket.send(request, () => undefined), afterMs),
    );
    try {
      const answered = new Promise<StunMessage>((resolve, reject) => {
        socket.on('message', (bytes) => {
          const message = decodeStun(bytes);
          if (message?.transaction.equals(transaction)) resolve(message);
        });
        socket.on('error', (error: NodeJS.ErrnoException) =>
          reject(
            new ConnectError(`no answer from ${place}: ${error.code ?? error.message}`, { cause: error }),
          ),
        );
      });
      return await within(answered, {
        doing: `waiting for the STUN server ${place}`,
        timeoutMs: Math.min(this.#budget.limits.stepMs, 3000),
        signal: this.#budget.signal,
      });
    } finally {
      for (const timer of timers) clearTimeout(timer);
      socket.removeAllListeners('message');
      socket.removeAllListeners('error');
      socket.on('error', () => undefined);
    }
  }

  /** RFC 8656 §8: a lifetime of 0 ends an allocation. Nobody waits for the answer. */
  giveBack(credentials?: StunCredentials): Promise<void> {
    const lifetime = { type: Attribute.lifetime, value: Buffer.alloc(4) };
    const request = encodeRequest(Method.refresh, newTransaction(), [lifetime], credentials);
    return new Promise((resolve) => this.#socket.send(request, () => resolve()));
  }

  [Symbol.dispose](): void {
    this.#socket.close();
    this.#ticket[Symbol.dispose]();
  }
}
