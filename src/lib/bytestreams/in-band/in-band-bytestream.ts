/**
 * Opening an in-band bytestream, and having one opened (XEP-0047 §2.1), without Jingle.
 */
import { randomUUID } from 'node:crypto';
import { ConnectionLostError, InterruptedError, StanzaError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import type { Bytestream } from '../../jingle/transport.js';
import type { WaitOptions } from '../../session/session.js';
import { StanzaReply } from '../../session/stanza-reply.js';
import { Deferred, within } from '../../session/wait.js';
import { InBandStream, type InBandSession } from './in-band-stream.js';
import { routerOf } from './router.js';
import { BlockPace, LARGE_BYTES } from './block-pace.js';
import { MAX_BLOCK_BYTES, Open, type StanzaKind } from './stanzas.js';

/** A party that wants still smaller blocks is not worth the trouble. */
const MIN_BLOCK_BYTES = 256;

export interface InBandBytestream extends Bytestream {
  readonly stream: InBandStream;
  readonly sid: string;
}

export interface OpenOptions {
  /** Made up when left out. */
  sid?: string;
  /** The most bytes of a block; how large they really are is found out on the way. */
  blockSize?: number;
  /** The size of every block (the most, if the other party wants smaller ones), and how many may be under way. */
  fixed?: { blockSize: number; window?: number };
  /** `message` only for a party that knows nothing else: it is neither faster nor surer. */
  stanza?: StanzaKind;
}

/**
 * Opens a bytestream to a full address. Where the other party wants smaller blocks, it gets them.
 * @throws StanzaError it does not want the stream @throws TimeoutError
 */
export async function openInBandBytestream(
  session: InBandSession,
  peer: JID,
  {
    sid = randomUUID(),
    fixed,
    blockSize: wanted = fixed?.blockSize ?? LARGE_BYTES,
    stanza = 'iq',
  }: OpenOptions = {},
  wait: WaitOptions = {},
): Promise<InBandBytestream> {
  const router = routerOf(session);
  const timeoutMs = wait.timeoutMs ?? session.timeoutMs;
  for (let blockSize = wanted; ; blockSize = Math.floor(blockSize / 2)) {
    const stream = new InBandStream({
      session,
      peer,
      sid,
      blockSize,
      stanza,
      timeoutMs,
      ...(fixed && { pace: BlockPace.fixed(blockSize, fixed.window) }),
      onClosed: () => router.remove(peer, sid),
    });
    // Known before the answer comes: data may be right behind it.
    router.add(peer, sid, stream);
    try {
      const payload = Open.encode({ sid, blockSize, stanza });
      await session.request({ type: 'set', to: peer, payload }, wait);
    } catch (error) {
      stream.abandon();
      const wantsSmaller = error instanceof StanzaError && error.condition === 'resource-constraint';
      if (!wantsSmaller || blockSize / 2 < MIN_BLOCK_BYTES) throw error;
      continue;
    }
    return describe(session, peer, sid, stream);
  }
}

export interface AcceptOptions {
  /** Whoever else opens a stream of this sid is refused. */
  peer: JID;
  sid: string;
  /** Larger ones are answered with a wish for smaller ones. */
  maxBlockSize?: number;
}

export interface InBandAcceptor extends Disposable {
  /** @throws TimeoutError @throws InterruptedError it was not opened */
  readonly opened: Promise<InBandBytestream>;
}

/** Waits, from the moment of the call, for one party to open one stream. Disposing ends that. */
export function acceptInBandBytestream(
  session: InBandSession,
  { peer, sid, maxBlockSize = MAX_BLOCK_BYTES }: AcceptOptions,
  wait: WaitOptions = {},
): InBandAcceptor {
  const router = routerOf(session);
  const opened = new Deferred<InBandBytestream>();
  const timeoutMs = wait.timeoutMs ?? session.timeoutMs;
  const doing = `waiting for ${peer.toString()} to open an in-band bytestream`;
  let isDisposed = false;
  const expectation = router.expect(peer, sid, (open) => {
    if (open.blockSize > maxBlockSize) {
      throw new StanzaReply({ condition: 'resource-constraint', type: 'modify' });
    }
    const { blockSize, stanza } = open;
    const stream = new InBandStream({
      session,
      peer,
      sid,
      blockSize,
      stanza,
      timeoutMs,
      onClosed: () => router.remove(peer, sid),
    });
    // After the answer has been written: nothing of ours may overtake it.
    setImmediate(() => {
      if (isDisposed) stream.destroy();
      else opened.resolve(describe(session, peer, sid, stream));
    });
    return stream;
  });
  const closed = session.on('closed', ({ error }) =>
    opened.reject(error ?? new ConnectionLostError('the session was closed')),
  );
  const stop = (): void => {
    expectation[Symbol.dispose]();
    closed[Symbol.dispose]();
  };
  const bounded = within(opened.promise, { doing, ...wait, timeoutMs }).finally(stop);
  bounded.catch(() => undefined);
  return {
    opened: bounded,
    [Symbol.dispose]: () => {
      isDisposed = true;
      opened.reject(new InterruptedError(`interrupted ${doing}`));
    },
  };
}

function describe(session: InBandSession, peer: JID, sid: string, stream: InBandStream): InBandBytestream {
  const servers = [...new Set([session.jid.domain, peer.domain])];
  return {
    stream,
    sid,
    method: 'in-band',
    path: servers.join(', '),
    confirmedBytes: () => stream.confirmedBytes(),
    isAcknowledged: true,
  };
}
