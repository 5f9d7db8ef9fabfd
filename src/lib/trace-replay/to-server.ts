/** Plays the client's side of a recording to a live server: the login is our own, what follows it is the recording's. */
import { randomUUID } from 'node:crypto';
import { Deferred, within } from '../session/wait.js';
import type { OpenStream } from '../session/open-stream.js';
import { smNamespaces } from '../trace-analysis/namespaces.js';
import type { TraceElement } from '../trace/trace-element.js';
import type { Element } from '../xml/element.js';
import { Acknowledger } from './acknowledger.js';
import type { Conversation, Line } from './conversation.js';
import type { ReplaySummary } from './events.js';
import { Player, type PlayerOptions } from './player.js';

export interface ToServerOptions extends Pick<
  PlayerOptions,
  | 'pairs'
  | 'isMeant'
  | 'isSelected'
  | 'speed'
  | 'replyTimeoutMs'
  | 'otherTimeoutMs'
  | 'report'
  | 'now'
  | 'signal'
> {
  conversation: Conversation;
  /** Logged in, and nobody listens to it yet. */
  stream: OpenStream;
}

const NS_CARBONS = 'urn:xmpp:carbons:2';
const NS_CSI = 'urn:xmpp:csi:0';
const NS_PING = 'urn:xmpp:ping';

/**
 * Plays until the recording ends, or the stream does. The stream is left open.
 * @throws InterruptedError
 */
export async function replayToServer(options: ToServerOptions): Promise<ReplaySummary> {
  const { conversation, stream } = options;
  const acknowledger = new Acknowledger('client');
  /** What is asked here and is no part of the recording. */
  const own = new Map<string, Deferred<void>>();
  const offers = (namespace: string): boolean =>
    stream.features.children.some((child) => typeof child !== 'string' && child.getNS() === namespace);
  const player = new Player({
    ...options,
    role: 'client',
    party: { jid: stream.jid.toString(), domain: stream.jid.domain },
    obstacle: (line) => obstacleOf(line, offers),
    namespace: stream.namespace,
    send: (text) => stream.send(text),
  });
  stream.listen({
    onElement: (received) => {
      const element = toTraceElement(received);
      const acknowledgement = acknowledger.receive(element);
      const { id = '' } = element.attributes;
      if (acknowledgement) {
        if (acknowledgement.answer !== undefined) void stream.send(acknowledgement.answer).catch(ignore);
      } else if (element.name === 'iq' && own.has(id)) {
        own.get(id)?.resolve();
        own.delete(id);
      } else player.receive(element);
    },
    onEnd: (error) => {
      player.end(error.message);
      for (const waiting of own.values()) waiting.resolve();
    },
  });
  const ask = async (type: 'get' | 'set', payload: string): Promise<void> => {
    const id = randomUUID();
    const answered = new Deferred<void>();
    own.set(id, answered);
    await stream.send(`<iq type="${type}" id="${id}">${payload}</iq>`).catch(ignore);
    const { replyTimeoutMs: timeoutMs, signal } = options;
    await within(answered.promise, { doing: 'waiting for the server to answer', timeoutMs, signal }).catch(
      (error: unknown) => {
        if (signal.aborted) throw error;
      },
    );
  };
  // Asked for in the login of the recording (XEP-0386), which was not this one.
  if (conversation.inline.includes(NS_CARBONS)) await ask('set', `<enable xmlns="${NS_CARBONS}"/>`);
  await player.run();
  // The answer comes behind everything that the server had to say to what was sent before.
  if (!player.hasEnded && stream.kind === 'client') await ask('get', `<ping xmlns="${NS_PING}"/>`);
  return player.summary();
}

const ignore = (): void => undefined;

function obstacleOf(
  { element, isStanza, hasSecret, dir }: Line,
  offers: (namespace: string) => boolean,
): ReturnType<PlayerOptions['obstacle']> {
  if (dir === 'in') return undefined;
  // Sent as it stands it could become a password.
  if (hasSecret) return { reason: 'a secret was taken out of it when it was recorded', isDeparture: false };
  if (isStanza) return undefined;
  const { name, namespace } = element;
  if (smNamespaces.has(namespace) && name === 'resume')
    return { reason: 'a stream cannot be resumed that is not there', isDeparture: false };
  if (!smNamespaces.has(namespace) && namespace !== NS_CSI)
    return { reason: `what <${name} xmlns='${namespace}'/> means is not known`, isDeparture: false };
  if (offers(namespace)) return undefined;
  return { reason: `the server does not offer ${namespace}`, isDeparture: true };
}

/** An element of the live stream as those of recordings are. The parser has bounded its depth. */
function toTraceElement(element: Element): TraceElement {
  const attributes = element.attrs as Record<string, string>;
  return {
    name: element.getName(),
    namespace: element.getNS() ?? '',
    attributes,
    children: element.children.map((child) => (typeof child === 'string' ? child : toTraceElement(child))),
  };
}
