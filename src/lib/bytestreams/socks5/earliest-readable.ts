import type { Socket } from 'node:net';

/** Long enough for whoever has something to send to begin. */
const WITHIN_MS = 1000;

/** The first of two connections that something arrives on; the first one where nothing does. Nothing is read. */
export function earliestReadable(first: Socket, second: Socket): Promise<Socket> {
  return new Promise((resolve) => {
    const end = (chosen: Socket): void => {
      clearTimeout(timer);
      first.off('readable', onFirst);
      second.off('readable', onSecond);
      resolve(chosen);
    };
    const onFirst = (): void => end(first);
    const onSecond = (): void => end(second);
    const timer = setTimeout(() => end(first), WITHIN_MS);
    first.on('readable', onFirst);
    second.on('readable', onSecond);
  });
}
