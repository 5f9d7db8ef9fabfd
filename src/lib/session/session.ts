/**
 * The connection every command uses: one authenticated stream to a server, as a client or as a component.
 *
 * This file is the contract; `connect.ts` makes one. Nothing outside this folder sees @xmpp/*.
 */
import type { Element } from '../xml/element.js';
import type { JID } from '../jid/jid.js';

export interface WaitOptions {
  /** Ends the wait with an InterruptedError. */
  signal?: AbortSignal;
  /** Milliseconds; the session's own time-out unless given. Ends the wait with a TimeoutError. */
  timeoutMs?: number;
}

export interface IqRequest {
  type: 'get' | 'set';
  /** The server (a client's own account) when left out. */
  to?: JID | string;
  payload: Element;
}

/** What an incoming stanza must look like for a handler or an iteration to see it. */
export interface StanzaFilter {
  name?: 'message' | 'presence' | 'iq';
  type?: string | readonly string[];
  /** A child element that must be there. */
  child?: { name?: string; namespace: string };
  from?: JID;
}

/** Answers an incoming IQ: returns the result's payload, or nothing for an empty result; throws a StanzaReply to refuse. */
export type IqHandler = (request: {
  iq: Element;
  payload: Element;
  from: JID;
}) => Element | undefined | Promise<Element | undefined>;

export type SessionState = 'online' | 'reconnecting' | 'closed';

export interface SessionEvents {
  /** The stream was lost; a resumable session is trying again. */
  disconnected: { error: Error; willRetry: boolean };
  /** The same stream goes on (XEP-0198): nothing was lost. */
  resumed: Record<string, never>;
  /** A new stream, perhaps after a gap: presence, room joins and the like have to be sent again. */
  reconnected: { jid: JID };
  closed: { error: Error | undefined };
}

export interface Session extends AsyncDisposable {
  /** The full JID that was bound; a component's own domain. */
  readonly jid: JID;
  readonly kind: 'client' | 'component';
  readonly state: SessionState;
  /** The last `<stream:features/>`; an empty element for a component. */
  readonly features: Element;
  /** Facts about the connection, for `account test`, `--verbose` and probes. */
  readonly info: ConnectionInfo;
  /** The time-out of every wait that is not given one, in milliseconds. */
  readonly timeoutMs: number;
  /** Aborted when whoever connected has to stop: ends every wait of the session, but leaves the stream to `close`. */
  readonly signal: AbortSignal | undefined;

  /**
   * Sends an IQ and resolves with the reply `<iq type='result'/>`, which must match id, type and sender.
   * @throws StanzaError the reply was an error
   * @throws TimeoutError no reply came in time
   * @throws ConnectionLostError the stream was lost before a reply came
   */
  request(request: IqRequest, options?: WaitOptions): Promise<Element>;

  /**
   * Sends one stanza. Resolves when the bytes were handed to the operating system and the window of
   * unacknowledged stanzas has room again: awaiting each call keeps memory flat.
   */
  send(stanza: Element, options?: WaitOptions): Promise<void>;

  /** Resolves when the server has acknowledged everything sent so far (XEP-0198, or a ping where it is missing). */
  flush(options?: WaitOptions): Promise<void>;

  /** Stanzas sent and not acknowledged, oldest first: what an interrupted command has to report as not delivered. */
  unacknowledged(): readonly Element[];

  /** Calls `handler` for each incoming stanza that matches, in order of arrival. Disposing stops it. */
  handle(filter: StanzaFilter, handler: (stanza: Element) => void): Disposable;

  /** Answers IQs with this payload; `feature` (default: the namespace) is advertised by service discovery while it is registered. */
  respond(
    request: { type: 'get' | 'set'; name: string; namespace: string; feature?: string | readonly string[] },
    handler: IqHandler,
  ): Disposable;

  /** Advertises features that no IQ handler stands for. */
  advertise(...features: string[]): Disposable;

  /** `<c/>` (XEP-0115) for a presence: stands for what is advertised at this moment. */
  capabilities(): Promise<Element>;

  /**
   * Incoming stanzas that match, as they arrive, from the moment of the call (not of the first `next`).
   * Ends when the session closes, throws when the stream is lost for good. Unread stanzas are bounded: reading
   * from the socket pauses while the reader is slow.
   */
  stanzas(filter?: StanzaFilter, options?: { signal?: AbortSignal }): AsyncIterableIterator<Element>;

  on<K extends keyof SessionEvents>(event: K, listener: (detail: SessionEvents[K]) => void): Disposable;

  /** Says goodbye and closes; safe to call twice. Never throws for a stream that is already gone. */
  close(): Promise<void>;
}

export interface ConnectionInfo {
  /** How the server was found and reached, for example `xmpp://127.0.0.1:5222`. */
  endpoint: string;
  transport: 'tcp' | 'tls' | 'websocket';
  tls: { version: string; cipher: string; alpn: string | undefined; fingerprintSha256: string } | undefined;
  /** The mechanism that authenticated us; `undefined` for a component. */
  mechanism: string | undefined;
  channelBinding: string | undefined;
  isStreamManaged: boolean;
  isResumable: boolean;
}
