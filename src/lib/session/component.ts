/**
 * XEP-0114: Jabber Component Protocol, version 1.6.
 *
 * Not there: `jabber:component:connect` (the server connecting to us), which no server has.
 */
import { createHash } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { AuthError, ProtocolError, StreamError, TlsError, UsageError } from '../errors.js';
import { xml } from '../xml/element.js';
import { NS_COMPONENT } from './namespaces.js';
import type { ConnectOptions } from './options.js';
import type { XmppStream } from './stream.js';

export const DEFAULT_COMPONENT_PORT = 5347;

/**
 * Opens the stream and proves that we know the secret.
 *
 * @throws TlsError the connection leaves this machine in plain
 * @throws AuthError the server refuses the secret
 */
export async function negotiateComponent(stream: XmppStream, options: ConnectOptions): Promise<void> {
  const { credentials } = options;
  if (!stream.socket.secure && options.allowPlain !== true && !isLoopback(stream.socket.remote)) {
    throw stream.abort(
      new TlsError(`the connection to ${stream.socket.remote} is not encrypted`, {
        hint: 'a component connects in plain only to this machine: use xmpps://, or a tunnel',
      }),
    );
  }
  await stream.open();
  if (stream.id === undefined) {
    throw stream.abort(new ProtocolError('the server opened the stream without an id'));
  }
  const secret = await credentials.password?.();
  if (secret === undefined) {
    throw stream.abort(new UsageError('a component needs a secret', { hint: 'give it as the password' }));
  }
  // XEP-0114 §3: SHA-1 of the stream id and the secret, in lower-case hex.
  const proof = createHash('sha1')
    .update(stream.id + secret)
    .digest('hex');
  stream.send(xml('handshake', {}, proof));
  try {
    const answer = await stream.next('waiting for the server to accept the component');
    if (answer.is('handshake', NS_COMPONENT)) return;
    throw stream.abort(new ProtocolError(`the server answered the handshake with <${answer.getName()}/>`));
  } catch (error) {
    if (!(error instanceof StreamError) || error.condition !== 'not-authorized') throw error;
    throw new AuthError('the server refused the secret of the component', {
      cause: error,
      details: { condition: error.condition },
    });
  }
}

/** @param remote `xmpp://127.0.0.1:5347`, with the address that answered */
export function isLoopback(remote: string): boolean {
  const host = new URL(remote).hostname;
  return host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}
