import { ConnectionLostError, TimeoutError } from '../errors.js';
import { xml, type Element } from '../xml/element.js';
import { describe, followRedirections } from './establish.js';
import { IqRequests } from './iq-requests.js';
import { openSecureStream } from './negotiate.js';
import type { ConnectOptions } from './options.js';
import type { ConnectionInfo, IqRequest, WaitOptions } from './session.js';
import type { XmppStream } from './stream.js';
import { within } from './wait.js';

/** A secure stream on which nobody has logged in: for registration (XEP-0077) and for looking at what is offered. */
export interface UnauthenticatedStream extends AsyncDisposable {
  readonly features: Element;
  readonly info: ConnectionInfo;
  /** Asks the server. @throws StanzaError @throws TimeoutError @throws ConnectionLostError */
  request(request: Omit<IqRequest, 'to'>, options?: WaitOptions): Promise<Element>;
  close(): Promise<void>;
}

/**
 * Connects to the server of `options.jid` and stops before authentication, at the features of the secure stream.
 *
 * @throws DnsError @throws ConnectError @throws TlsError @throws StreamError @throws ProtocolError @throws TimeoutError
 * @throws InterruptedError
 */
export function openUnauthenticated(options: ConnectOptions): Promise<UnauthenticatedStream> {
  return followRedirections(options, async (stream) =>
    createUnauthenticated(stream, await openSecureStream(stream, options), options),
  );
}

function createUnauthenticated(
  stream: XmppStream,
  features: Element,
  options: ConnectOptions,
): UnauthenticatedStream {
  const requests = new IqRequests();
  let lost: Error | undefined;
  stream.handOver({
    onElement: (element) => {
      const { name } = element;
      const type: unknown = element.attrs['type'];
      if (name === 'iq' && (type === 'result' || type === 'error')) requests.deliver(element, undefined);
    },
    onDrain: () => undefined,
    onEnd: (error) => {
      lost = error;
      requests.rejectAll(error);
    },
  });
  const close = async (): Promise<void> => {
    lost ??= new ConnectionLostError('the stream is closed');
    requests.rejectAll(lost);
    await stream.close();
  };
  return {
    features,
    info: describe(stream.socket, { authentication: undefined, managed: { kind: 'missing' } }),
    request: async ({ type, payload }, wait = {}) => {
      if (lost) throw lost;
      const { id, reply } = requests.expect(undefined);
      try {
        // Before binding there is no address to answer for (XEP-0077 §3.1.1 names the server, which servers ignore).
        stream.send(xml('iq', { type, id, to: options.jid.domain }, payload));
        return await within(reply, {
          doing: `waiting for ${options.jid.domain} to answer`,
          timeoutMs: wait.timeoutMs ?? options.timeoutMs,
          signal: wait.signal ?? options.signal,
        });
      } catch (error) {
        if (error instanceof TimeoutError) stream.abort(error);
        throw error;
      } finally {
        requests.forget(id);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
