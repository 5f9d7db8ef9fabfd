import type { Socket } from 'node:net';

/** Long enough for whoever has something to send to begin. */
const WITHIN_MS = 1000;

/**
 * The first of two connections that data arrives on. Where none does, the first one, unless only that has been closed.
 * Nothing is read.
 */
export function earliestData(first: Socket, second: Socket): Promise<Socket> {
  return new Promise((resolve) => {
    const closed = new Set<Socket>();
    const end = (chosen: Socket): void => {
      clearTimeout(timer);
      for (const [socket, listener] of listeners) socket.off('readable', listener).off('close', listener);
      resolve(chosen);
    };
    const look = (socket: Socket): void => {
      if (socket.readableLength > 0) {
        end(socket);
        return;
      }
      // An end is told like data, with nothing to read.
      closed.add(socket);
      if (closed.has(second)) end(first);
    };
    const listeners = [first, second].map((socket) => [socket, () => look(socket)] as const);
    const timer = setTimeout(() => end(closed.has(first) && !closed.has(second) ? second : first), WITHIN_MS);
    for (const [socket, listener] of listeners) {
      socket.on('readable', listener).on('close', listener);
      // What is there already may not be told again.
      if (socket.readableLength > 0) {
        end(socket);
        return;
      }
    }
  });
}
