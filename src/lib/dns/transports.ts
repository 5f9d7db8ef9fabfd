/** One question by UDP or TCP. Both say in a few words why there is no answer; they only reject when aborted. */
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { DnsError } from '../errors.js';
import type { DnsServer } from './servers.js';

export interface Exchange<T> {
  server: DnsServer;
  bytes: Buffer;
  timeoutMs: number;
  signal: AbortSignal | undefined;
  /**
   * @returns undefined for what is not the answer to this question
   * @throws {DnsError} for what is no DNS message
   */
  read: (bytes: Buffer) => T | undefined;
}

/**
 * Connected to the server, so that the system drops what comes from elsewhere, and from a port that the system draws.
 * What is not the answer is ignored, because anyone can send it: the real one may still come.
 */
export function exchangeByUdp<T>({ server, bytes, read, ...limits }: Exchange<T>): Promise<T | string> {
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
  return settleOnce<T>(
    (settle) => {
      let ignored = '';
      socket.on('message', (message) => {
        try {
          const answer = read(message);
          if (answer !== undefined) settle(answer);
          else ignored = ', but answered something else';
        } catch (error) {
          if (!(error instanceof DnsError)) throw error;
          ignored = `, but sent a broken answer (${error.message})`;
        }
      });
      socket.on('error', (error) => settle(describeFailure(error)));
      socket.on('connect', () => socket.send(bytes));
      socket.connect(server.port, server.address);
      return () => `did not answer in time${ignored}`;
    },
    () => socket.close(),
    limits,
  );
}

const LENGTH_BYTES = 2;

/** The length is two bytes, so an answer has at most 64 KiB. */
export function exchangeByTcp<T>({ server, bytes, read, ...limits }: Exchange<T>): Promise<T | string> {
  const socket = connect({ host: server.address, port: server.port });
  return settleOnce<T>(
    (settle) => {
      const chunks: Buffer[] = [];
      let receivedBytes = 0;
      let neededBytes = LENGTH_BYTES;
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        receivedBytes += chunk.length;
        if (receivedBytes < neededBytes) return;
        const received = Buffer.concat(chunks);
        neededBytes = LENGTH_BYTES + received.readUInt16BE();
        if (receivedBytes < neededBytes) return;
        try {
          settle(read(received.subarray(LENGTH_BYTES, neededBytes)) ?? 'answered another question');
        } catch (error) {
          if (!(error instanceof DnsError)) throw error;
          settle(`sent a broken answer (${error.message})`);
        }
      });
      socket.on('error', (error) => settle(describeFailure(error)));
      socket.on('close', () => settle('closed the connection without an answer'));
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(bytes.length);
      socket.write(Buffer.concat([length, bytes]));
      return () => 'did not answer in time by TCP';
    },
    () => socket.destroy(),
    limits,
  );
}

/** @param start begins, and returns how a time-out is described */
function settleOnce<T>(
  start: (settle: (result: T | string) => void) => () => string,
  close: () => void,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal | undefined },
): Promise<T | string> {
  return new Promise((resolve, reject) => {
    let isSettled = false;
    const finish = (how: () => void): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      close();
      how();
    };
    const onAbort = (): void => finish(() => reject(signal?.reason as Error));
    const timer = setTimeout(() => finish(() => resolve(describeTimeout())), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    const describeTimeout = start((result) => finish(() => resolve(result)));
  });
}

function describeFailure(error: Error & { code?: string }): string {
  return error.code === 'ECONNREFUSED' ? 'refused the connection' : `failed (${error.code ?? error.message})`;
}
