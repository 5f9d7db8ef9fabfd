import type { JID } from '../jid/jid.js';
import type { Tracer } from '../trace/events.js';
import type { Session } from './session.js';

/** How to prove who we are. Secrets are fetched when they are needed, not before. */
export interface Credentials {
  /** Asked for only when a mechanism needs it. */
  password?: () => Promise<string>;
  /** PEM texts for SASL EXTERNAL; also presented in the TLS handshake. */
  clientCertificate?: { cert: string; key: string; passphrase?: string };
  /** Log in as nobody in particular (SASL ANONYMOUS, XEP-0175). */
  isAnonymous?: boolean;
  /** FAST tokens (XEP-0484): only where the user opted in. */
  fast?: FastTokenStore;
  /** Remembers the strongest mechanism seen: PLAIN is refused after something better, and less than before is warned of. */
  pins?: MechanismPinStore;
}

export interface FastToken {
  mechanism: string;
  token: string;
  /** ISO 8601 */
  expiry: string | undefined;
  /** Counter for replay protection; raised on every use. */
  count: number;
  /** The identifier under which the token was given out (XEP-0388 `<user-agent id=…/>`). */
  userAgentId: string;
}

export interface FastTokenStore {
  load(): Promise<FastToken | undefined>;
  save(token: FastToken): Promise<void>;
  remove(): Promise<void>;
}

/** How an account has logged in before; a profile remembers it, so that a weaker offer is noticed. */
export interface MechanismPin {
  /** The strongest mechanism that has authenticated this account. */
  mechanism: string;
  /** `tls-exporter` and so on, if channel binding was in use. */
  channelBinding?: string | undefined;
}

export interface MechanismPinStore {
  load(): Promise<MechanismPin | undefined>;
  save(pin: MechanismPin): Promise<void>;
}

export interface TlsOptions {
  /** PEM certificates trusted beside the system's. */
  ca?: string | undefined;
  /** `sha256:<base64 or hex>` of the certificate's SubjectPublicKeyInfo or of the certificate; one of them must match. */
  pins?: readonly string[];
  /** Accept any certificate. */
  isInsecure?: boolean;
}

export interface ConnectOptions {
  kind?: 'client' | 'component';
  /** A client's account (bare, or full to ask for a resource); a component's domain; a domain for ANONYMOUS. */
  jid: JID;
  credentials: Credentials;
  /** `xmpp://host:port`, `xmpps://…`, `ws://…`, `wss://…`, or a bare `host:port`; found through DNS when left out. */
  service?: string | undefined;
  tls?: TlsOptions;
  /** Allow authentication on a stream without TLS. A component on loopback needs it; a client must ask for it. */
  allowPlain?: boolean;
  /** For each step of the connection and as the default of every wait, in milliseconds. */
  timeoutMs: number;
  tracer?: Tracer | undefined;
  signal?: AbortSignal;
  /** Ask for stream management with resumption, and reconnect when the stream is lost: for commands that run long. */
  resume?: boolean;
  /** DNS servers (`address[:port]`) instead of the system's. */
  dnsServers?: readonly string[];
  /** Called when the session is online and nothing has been given out yet: for what a server says unasked. */
  onOnline?: (session: Pick<Session, 'handle'>) => void;
  /** Receives one-line warnings for the user (`--insecure`, a downgrade that was tolerated). */
  warn?: (message: string) => void;
}
