/** Connections of the other party to us, from their handshake until it is agreed which of them is used. */
import type { Socket } from 'node:net';
import { Deferred } from '../../session/wait.js';

/** Who knows the hash is the other party, but it does not have to be a friend. */
const MAX_ARRIVED = 8;

interface Arrival {
  socket: Socket;
  /** The other party has closed its half, and has sent nothing: one of those that it did not need. */
  isEmpty: boolean;
  stopWatching: () => void;
}

export class Arrivals {
  readonly #waiting: Arrival[] = [];
  #next = new Deferred<undefined>();
  #isOver = false;

  add(socket: Socket): void {
    if (this.#isOver || this.#waiting.length >= MAX_ARRIVED) {
      socket.destroy();
      return;
    }
    const arrival: Arrival = {
      socket,
      isEmpty: false,
      stopWatching: () => void socket.off('readable', onReadable),
    };
    // Looks and reads nothing: an end is told like data, with nothing to read.
    const onReadable = (): void => {
      arrival.isEmpty = socket.readableLength === 0;
    };
    socket.on('readable', onReadable);
    this.#waiting.push(arrival);
    this.#next.resolve(undefined);
    this.#next = new Deferred();
  }

  /** Resolves when another one has arrived. */
  get next(): Promise<undefined> {
    return this.#next.promise;
  }

  /**
   * The connection that came to this address of ours, or else one that is still open: behind a forwarded port it cannot
   * be told. The others are closed.
   */
  take(address: string): Socket | undefined {
    const rankOf = ({ socket, isEmpty }: Arrival): number =>
      (plainAddress(socket.localAddress) === address ? 2 : 0) + (isEmpty ? 0 : 1);
    const [chosen, ...others] = this.#waiting
      .splice(0)
      .filter(({ socket }) => !socket.destroyed)
      .sort((left, right) => rankOf(right) - rankOf(left));
    for (const { socket } of others) socket.destroy();
    chosen?.stopWatching();
    return chosen?.socket;
  }

  /** Closes what is there and whatever still comes. */
  end(): void {
    this.#isOver = true;
    for (const { socket } of this.#waiting.splice(0)) socket.destroy();
  }
}

/** `::ffff:192.0.2.1` is how a socket for both families shows an IPv4 address. */
export function plainAddress(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/i, '');
}
