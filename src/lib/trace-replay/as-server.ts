/** Plays the server's side of a recording to a live client that has logged in. */
import { NS_FRAMING } from '../trace-analysis/namespaces.js';
import type { Piece } from '../trace-proxy/stanza-cutter.js';
import { escapeAttribute } from '../trace-proxy/stream-texts.js';
import { elementsOf, type TraceElement } from '../trace/trace-element.js';
import { Acknowledger } from './acknowledger.js';
import type { Conversation } from './conversation.js';
import type { ReplaySummary } from './events.js';
import { Player, type PlayerOptions } from './player.js';
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

/**
 * Plays until the recording ends, or the client does, and ends the stream.
 * @throws InterruptedError
 */
export async function replayAsServer(options: AsServerOptions): Promise<ReplaySummary> {
  const { client } = options;
  const acknowledger = new Acknowledger('server');
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
    const reply = acknowledgement ? acknowledgement.answer : sessionReply(element);
    if (reply !== undefined) void client.send(reply).catch(() => undefined);
    else if (!acknowledgement) player.receive(element);
  };
  client.reader.listen(
    (piece) => {
      if (isEnd(piece)) {
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

/** RFC 3921 wanted a session; what a client asks for is granted, and is nothing. */
function sessionReply(element: TraceElement): string | undefined {
  const { id = '', type } = element.attributes;
  const [payload] = elementsOf(element);
  if (element.name !== 'iq' || type !== 'set' || payload?.namespace !== NS_SESSION) return undefined;
  return `<iq type="result" id="${escapeAttribute(id)}"/>`;
}

function isEnd({ kind, stanza }: Piece): boolean {
  return kind === 'footer' || (stanza.start?.namespace === NS_FRAMING && stanza.start.name === 'close');
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
