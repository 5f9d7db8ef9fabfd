/**
 * TCP to a host that may have several addresses, "happy eyeballs" (RFC 8305): families take turns, each attempt gets a
 * head start on the next, and the first connection wins.
 */
import { connect, type Socket } from 'node:net';
import { ConnectError } from '../../errors.js';
import { interruption, timedOut } from '../wait.js';
import { resolveAddresses, type Address, type DnsOptions } from './dns.js';
import { report } from './trace-details.js';

export interface TcpOptions extends DnsOptions {
  /** Milliseconds before the next address is tried beside the last; 250 unless given. */
  attemptDelayMs?: number | undefined;
}

/** The "Connection Attempt Delay" that RFC 8305 §5 recommends. */
const ATTEMPT_DELAY_MS = 250;
/** A peer that has gone without a word is noticed in the end, also where stream management is missing. */
const KEEP_ALIVE_MS = 60_000;

/**
 * @throws DnsError @throws ConnectError saying what each address answered @throws TimeoutError @throws InterruptedError
 */
export async function connectTcp(host: string, port: number, options: TcpOptions): Promise<Socket> {
  const addresses = interleaveFamilies(await resolveAddresses(host, options));
  return race(addresses, port, options);
}

/** RFC 8305 §4: the first family keeps the first place, then they take turns. */
export function interleaveFamilies(addresses: readonly Address[]): Address[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const second = addresses.filter(({ family }) => family !== addresses[0]?.family);
  const turns = Array.from({ length: Math.max(first.length, second.length) }, (_, turn) => [
    first[turn],
    second[turn],
  ]);
  return turns.flat().filter((address) => address !== undefined);
}

function race(addresses: readonly Address[], port: number, options: TcpOptions): Promise<Socket> {
  const { timeoutMs, signal, trace } = options;
  const waiting = [...addresses];
  const running = new Set<Socket>();
  const failures: { address: string; code: string }[] = [];

  return new Promise<Socket>((resolve, reject) => {
    let nextTimer: NodeJS.Timeout | undefined;
    const doing = `connecting to ${addresses.map(({ address }) => formatAddress(address, port)).join(', ')}`;
    const finish = (): void => {
      clearTimeout(nextTimer);
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      for (const socket of running) socket.destroy();
    };
    const timer = setTimeout(() => {
      finish();
      reject(timedOut(doing, timeoutMs));
    }, timeoutMs);
    const onAbort = (): void => {
      finish();
      reject(interruption(signal, doing));
    };
    if (signal?.aborted) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort);

    const attempt = (): void => {
      clearTimeout(nextTimer);
      const next = waiting.shift();
      if (next === undefined) {
        if (running.size > 0) return;
        finish();
        reject(connectFailure(failures, port));
        return;
      }
      const { address, family } = next;
      const socket = connect({ host: address, port, family, noDelay: true, autoSelectFamily: false });
      running.add(socket);
      const onError = (error: NodeJS.ErrnoException): void => {
        running.delete(socket);
        const code = error.code ?? error.message;
        failures.push({ address, code });
        report(trace, 'tcp', { address, port, family, error: code });
        attempt();
      };
      socket.once('error', onError);
      socket.once('connect', () => {
        socket.removeListener('error', onError);
        running.delete(socket);
        finish();
        socket.setKeepAlive(true, KEEP_ALIVE_MS);
        report(trace, 'tcp', { address, port, family });
        resolve(socket);
      });
      if (waiting.length > 0) nextTimer = setTimeout(attempt, options.attemptDelayMs ?? ATTEMPT_DELAY_MS);
    };
    attempt();
  });
}

function connectFailure(failures: readonly { address: string; code: string }[], port: number): ConnectError {
  const tried = failures.map(({ address, code }) => `${code} ${formatAddress(address, port)}`).join(', ');
  const isRefused = failures.some(({ code }) => code === 'ECONNREFUSED');
  return new ConnectError(
    tried === '' ? 'there is no address to connect to' : `could not connect: ${tried}`,
    {
      ...(isRefused && { hint: 'nothing listens there: check the port, and that the server runs' }),
      details: { attempts: failures.map(({ address, code }) => ({ address, port, code })) },
    },
  );
}

/** `127.0.0.1:5222`, `[::1]:5222` */
export function formatAddress(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
