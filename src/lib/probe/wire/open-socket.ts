/** A TCP connection to one address: no names are looked up, no other address is tried. */
import { connect, type Socket } from 'node:net';
import { ConnectError, TimeoutError } from '../../errors.js';
import { within } from '../../session/wait.js';
import type { Budget } from './budget.js';

export interface Place {
  /** An IP address. */
  address: string;
  port: number;
}

/**
 * @throws ConnectError with the system's code in `details.code` @throws TimeoutError @throws InterruptedError
 * @throws BudgetSpentError
 */
export async function openSocket({ address, port }: Place, budget: Budget): Promise<Socket> {
  const ticket = await budget.take();
  const socket = connect({ host: address, port, noDelay: true, autoSelectFamily: false });
  socket.once('close', () => ticket[Symbol.dispose]());
  const place = formatPlace({ address, port });
  const opened = new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new ConnectError(`could not connect to ${place}: ${error.code ?? error.message}`, {
          details: { code: error.code ?? error.message },
          cause: error,
        }),
      ),
    );
  });
  try {
    await within(opened, {
      doing: `connecting to ${place}`,
      timeoutMs: budget.limits.stepMs,
      signal: budget.signal,
    });
  } catch (error) {
    if (error instanceof TimeoutError) budget.reportSilence();
    socket.on('error', () => undefined);
    socket.destroy();
    throw error;
  }
  // Later errors are seen as the end of the connection.
  socket.on('error', () => undefined);
  return socket;
}

/** `127.0.0.1:5222`, `[::1]:5222` */
export function formatPlace({ address, port }: Place): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
