/**
 * A stream that is logged in and bound, and nothing more: no answers, no acknowledgements, no reconnecting. For tools
 * whose user says everything on it: a console, a replayed recording.
 */
import { ConnectionLostError, ProtocolError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import type { Element } from '../xml/element.js';
import { establish } from './establish.js';
import { NS_CLIENT, NS_COMPONENT } from './namespaces.js';
import type { ConnectOptions } from './options.js';
import type { ConnectionInfo } from './session.js';
import { Deferred, within } from './wait.js';

/** Who is told of everything that arrives. */
export interface OpenStreamListener {
  onElement(element: Element): void;
  /** The stream is over, and not by our closing it. */
  onEnd(error: Error): void;
}

export interface OpenStream extends AsyncDisposable {
  /** The full JID that was bound; a component's own domain. */
  readonly jid: JID;
  readonly kind: 'client' | 'component';
  /** The namespace of elements that declare none. */
  readonly namespace: string;
  readonly features: Element;
  readonly info: ConnectionInfo;
  /**
   * Begins to hand out what arrives. Nothing is delivered in this turn of the event loop.
   * What came since the resource was bound comes first.
   */
  listen(listener: OpenStreamListener): void;
  /**
   * Sends the text of one element as it is, except that a WebSocket's message gets the namespace it has to name
   * (RFC 7395 §3.3.3). Resolves when there is room for the next.
   * @throws ConnectionLostError the stream is over @throws TimeoutError nothing is taken any more
   */
  send(text: string): Promise<void>;
  /** Stops reading from the network, and goes on. */
  pause(): void;
  resume(): void;
  /** Says goodbye and closes; safe to call twice. Never throws. */
  close(): Promise<void>;
}

/**
 * Connects, authenticates and binds as `connect` does, and leaves the stream to the caller.
 *
 * @throws UsageError @throws DnsError @throws ConnectError @throws TlsError @throws AuthError @throws StreamError
 * @throws StanzaError the server refuses to bind the resource
 * @throws ProtocolError @throws TimeoutError @throws InterruptedError
 */
export async function openStream(options: ConnectOptions): Promise<OpenStream> {
  const { stream, jid, features, info } = await establish({ ...options, resume: false });
  const { timeoutMs, signal } = options;
  const kind = options.kind ?? 'client';
  let lost: Error | undefined;
  let room: Deferred<void> | undefined;
  const end = (error: Error): void => {
    lost ??= error;
    room?.reject(error);
    room = undefined;
  };
  const onAbort = (): void => end(new ConnectionLostError('the stream is closed'));
  signal?.addEventListener('abort', onAbort);
  const close = async (): Promise<void> => {
    signal?.removeEventListener('abort', onAbort);
    end(new ConnectionLostError('the stream is closed'));
    await stream.close();
  };
  return {
    jid,
    kind,
    namespace: kind === 'component' ? NS_COMPONENT : NS_CLIENT,
    features,
    info,
    listen: (listener) => {
      stream.handOver({
        onElement: (element) => listener.onElement(element),
        onDrain: () => {
          room?.resolve();
          room = undefined;
        },
        onEnd: (error) => {
          end(error);
          listener.onEnd(error);
        },
      });
    },
    async send(text) {
      if (lost) throw lost;
      const isRoom = stream.write(stream.socket.framing === 'websocket' ? withNamespace(text) : text);
      if (isRoom) return;
      room ??= new Deferred<void>();
      await within(room.promise, { doing: 'sending', timeoutMs, signal });
    },
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function withNamespace(text: string): string {
  const tag = /^\s*<[^\s<>/]+(?:"[^"]*"|'[^']*'|[^<>"'])*>/.exec(text)?.[0];
  if (tag === undefined) throw new ProtocolError('a message of a WebSocket is an element');
  return /\sxmlns\s*=/.test(tag) ? text : text.replace(/^(\s*<[^\s<>/]+)/, `$1 xmlns="${NS_CLIENT}"`);
}
