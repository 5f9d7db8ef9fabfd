/** Plays the server's side of a recording to a live client that has logged in. */
import { smNamespaces } from '../../trace-analysis/namespaces.js';
import { elementsOf, type TraceElement } from '../../trace/trace-element.js';
import { escapeValue } from '../../xml/escape.js';
import { Acknowledger } from '../acknowledger.js';
import type { Conversation } from '../conversation.js';
import type { ReplaySummary } from '../events.js';
import { Player, type PlayerOptions } from '../player.js';
import { isEndOfStream } from './link.js';
import type { ServedClient } from './serve-client.js';

export interface AsServerOptions extends Pick<
  PlayerOptions,
  'pairs' | 'isMeant' | 'speed' | 'replyTimeoutMs' | 'otherTimeoutMs' | 'report' | 'now' | 'signal'
> {
  conversation: Conversation;
  client: ServedClient;
}

/** How long a client that has heard everything may take to hang up. */
const goodbyeMs = 2000;
const NS_SESSION = 'urn:ietf:params:xml:ns:xmpp-session';
const NS_CARBONS = 'urn:xmpp:carbons:2';

/**
 * Plays until the recording ends, or the client does, and ends the stream.
 * @throws InterruptedError
 */
export async function replayAsServer(options: AsServerOptions): Promise<ReplaySummary> {
  const { client, conversation } = options;
  const acknowledger = new Acknowledger('server');
  for (const namespace of client.inline) if (smNamespaces.has(namespace)) acknowledger.begin(namespace);
  let leave = (): void => undefined;
  const left = new Promise<void>((resolve) => (leave = resolve));
  const player = new Player({
    ...options,
    role: 'server',
    party: { jid: client.jid, domain: client.domain },
    obstacle: () => undefined,
    namespace: client.namespace,
    send: (text) => client.send(text),
  });
  const take = (element: TraceElement): void => {
    const acknowledgement = acknowledger.receive(element);
    const reply = acknowledgement ? acknowledgement.answer : loginReply(element, conversation.inline);
    if (reply !== undefined) void client.send(reply).catch(() => undefined);
    else if (!acknowledgement) player.receive(element);
  };
  client.reader.listen(
    (piece) => {
      if (isEndOfStream(piece)) {
        player.end('the client ended its stream');
        leave();
      } else if (piece.stanza.tree !== undefined && piece.kind === 'element') take(piece.stanza.tree);
    },
    (reason) => {
      player.end(reason);
      leave();
    },
  );
  try {
    await player.run();
    if (!player.hasEnded) await Promise.race([left, after(goodbyeMs)]);
    return player.summary();
  } finally {
    client.close();
  }
}

/**
 * The answer to what belongs to logging in and is no part of the recording: a session, which RFC 3921 wanted and which
 * is nothing; and what the recorded client had switched on inside of its login, asked for later by one that cannot.
 */
function loginReply(element: TraceElement, inline: readonly string[]): string | undefined {
  const { name, namespace } = element;
  if (name === 'enable' && smNamespaces.has(namespace) && inline.includes(namespace))
    return `<enabled xmlns="${namespace}"/>`;
  const { id = '', type } = element.attributes;
  const [payload] = elementsOf(element);
  if (name !== 'iq' || type !== 'set' || payload === undefined) return undefined;
  const isGranted =
    payload.namespace === NS_SESSION ||
    (payload.namespace === NS_CARBONS && payload.name === 'enable' && inline.includes(NS_CARBONS));
  return isGranted ? `<iq type="result" id="${escapeValue(id)}"/>` : undefined;
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
