/** `console --raw` in a pipe: bytes from stdin to the connection, and bytes from the connection to stdout. */
import { setTimeout as sleep } from 'node:timers/promises';
import { StringDecoder } from 'node:string_decoder';
import { addAbortSignal } from 'node:stream';
import { openRawConnection, type Security } from '../../lib/console/raw-connection.js';
import type { Context } from '../../lib/context.js';
import type { XmppSocket } from '../../lib/session/transport/socket.js';
import { Deferred, within } from '../../lib/session/wait.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { ConsoleOptions } from '../console.js';

/** How long nothing may come, after the input, until nothing is expected any more. Milliseconds. */
const quietMs = 2000;

/** @throws ConnectError @throws InterruptedError */
export async function runRawPipe(
  { waitMs }: ConsoleOptions,
  security: Security,
  context: Context,
): Promise<void> {
  const { signal, stdin, output, clock } = context;
  const socket = await openRawConnection(await context.connectOptions(), security);
  const closed = new Deferred<void>();
  let printed: Promise<void> = Promise.resolve();
  let lastAt = performance.now();
  const decoder = new StringDecoder('utf8');
  const print = async (bytes: Buffer): Promise<void> => {
    if (output.isJson) {
      const time = new Date(clock.now()).toISOString();
      await output.item({ time, text: decoder.write(bytes) }, () => '');
    } else await output.bytes(output.isTerminal ? Buffer.from(safeText(decoder.write(bytes))) : bytes);
    await output.flush();
  };
  socket.on('data', (bytes) => {
    lastAt = performance.now();
    socket.pause();
    printed = printed.then(() => print(bytes)).finally(() => socket.resume());
    printed.catch((error: unknown) =>
      closed.reject(error instanceof Error ? error : new Error(String(error))),
    );
  });
  socket.on('error', () => undefined);
  socket.on('close', (_hadError, reason) => {
    if (reason) closed.reject(reason);
    else closed.resolve();
  });
  socket.resume();
  const reading = new AbortController();
  const work = async (): Promise<void> => {
    addAbortSignal(AbortSignal.any([signal, reading.signal]), stdin);
    try {
      for await (const chunk of stdin as AsyncIterable<Buffer | string>) await write(socket, chunk);
    } catch (error) {
      if (!reading.signal.aborted) throw error;
      return;
    }
    const limitMs = waitMs ?? quietMs;
    const since = performance.now();
    // With --wait so long from here on; without, as long as there is something to read.
    for (;;) {
      const leftMs = (waitMs === undefined ? Math.max(lastAt, since) : since) + limitMs - performance.now();
      if (leftMs <= 0) return;
      await sleep(leftMs, undefined, { signal });
    }
  };
  try {
    await within(Promise.race([work(), closed.promise]), { doing: 'on the console', signal });
  } finally {
    reading.abort();
    socket.end();
    await printed.catch(() => undefined);
    await output.flush();
  }
}

function write(socket: XmppSocket, data: Buffer | string): Promise<void> {
  return new Promise((resolve, reject) => {
    const text = socket.framing === 'websocket' ? String(data).trim() : data;
    socket.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
