/** Everything that a probe learns about a server, before anybody judges it. Checks read it; collectors fill it in. */
import type { TlsScan } from '../../tls-scan/scan.js';
import type { Certificate } from '../../x509/certificate.js';
import type { ChainVerdict } from '../../x509/chain.js';
import type { Evidence } from '../wire/transcript.js';
import type { Place } from '../wire/open-socket.js';
import type { AccountFacts } from './account.js';
import type { DnsFacts } from './dns.js';
import type { PoshFacts } from './posh.js';
import type { ServicesFacts } from './services.js';
import type { StunFacts } from './stun.js';
import type { WebFacts } from './web.js';

/** The labels of RFC 6120 §3.2 and XEP-0368. With `xmpps`, TLS comes first. */
export const services = ['xmpp-client', 'xmpps-client', 'xmpp-server', 'xmpps-server'] as const;
export type Service = (typeof services)[number];

export const isDirectTls = (service: Service): boolean => service.startsWith('xmpps');
export const isForServers = (service: Service): boolean => service.endsWith('server');

export interface Endpoint extends Place {
  /** `xmpp-client 192.0.2.1:5222` */
  id: string;
  service: Service;
  /** The name that led here; the address itself when it was given. */
  host: string;
  origin: 'srv' | 'fallback' | 'given';
}

/** A value, or the reason why there is none. */
export type Measured<T> = { value: T; reason?: undefined } | { value?: undefined; reason: string };

export type TlsVersion = '1.2' | '1.3';

/** The header of a stream and its features, as they came. */
export interface StreamFacts {
  header:
    | {
        id: string | undefined;
        from: string | undefined;
        version: string | undefined;
        lang: string | undefined;
        namespace: string | undefined;
      }
    | undefined;
  /** SASL mechanisms, in the order offered. */
  mechanisms: readonly string[];
  /** XEP-0440 types, or undefined where the list is missing. */
  channelBindings: readonly string[] | undefined;
  starttls: 'required' | 'optional' | 'absent';
  /** What else is offered: `{namespace}name` of each child of the features. */
  features: readonly string[];
  /** XEP-0388 mechanisms and inline features. */
  sasl2: { mechanisms: readonly string[]; inline: readonly string[] } | undefined;
  /** XEP-0478 */
  limits: { maxBytes: number | undefined; idleSeconds: number | undefined } | undefined;
  /** What came instead, or after: a stream error or the end. */
  problem: string | undefined;
  evidence: Evidence;
}

/** What one TLS connection brought. */
export interface HandshakeFacts {
  version: string;
  cipher: string;
  alpn: string | undefined;
  /** DER, the server's first; of TLS 1.3 only what node:tls could put into a row. */
  chain: readonly Buffer[];
  ocspStapled: boolean;
  /** The stream inside. */
  stream: StreamFacts;
}

export interface CertificateFacts {
  /** As sent, the server's first. */
  sent: readonly Buffer[];
  /** False where TLS 1.3 hides the order in which they were sent. */
  isExact: boolean;
  /** SHA-256 of each that was sent, in hex. */
  fingerprints: readonly string[];
  leaf: Certificate;
  chain: ChainVerdict;
  ocspStapled: boolean;
}

/** One stimulus and what came of it. */
export interface ConformanceOutcome {
  /** The id of the stimulus. */
  id: string;
  /** The condition of the stream error, `stanza-error CONDITION`, `failure CONDITION`, or `closed`, `ended`, `broken`, `silent`, `ignored`, `accepted`, `unmeasured`. */
  outcome: string;
  evidence: Evidence;
  /** Of the stimulus that is refused at once: the error came behind a header with an id and a version. */
  hasHeader?: boolean;
}

export interface StarttlsFacts {
  /** What came of `<auth mechanism='PLAIN'>` with a made-up name, before TLS. */
  auth: { outcome: string; evidence: Evidence };
  /** What came of asking for the registration form before TLS. */
  registration: { outcome: string; evidence: Evidence };
  /** What came of a message before TLS. */
  message: { outcome: string; evidence: Evidence };
  /** Text behind `<starttls/>` in the same segment: answered inside TLS? */
  injection: { outcome: 'injected' | 'ignored' | 'refused'; evidence: Evidence };
  /** A second `<starttls/>`, inside TLS. */
  again: { outcome: string; evidence: Evidence };
}

export interface ChannelBindingTrial {
  type: string;
  tlsVersion: TlsVersion;
  mechanism: string;
  accepted: boolean;
  evidence: Evidence;
}

export interface SaslFacts {
  /** The answer to a mechanism that does not exist. */
  unknownMechanism: { outcome: string; evidence: Evidence };
  /** The answer to the first message of SCRAM for a name that does not exist; undefined without SCRAM. */
  unknownUser:
    | {
        outcome: 'challenge' | 'failure';
        condition: string | undefined;
        iterations: number | undefined;
        evidence: Evidence;
      }
    | undefined;
  channelBinding: readonly ChannelBindingTrial[];
}

export interface LimitsFacts {
  /** Bytes of the largest stanza that was not refused before authentication, and the smallest that was. */
  accepted: number;
  refused: { bytes: number; outcome: string } | undefined;
  /** What came of elements nested 20,000 deep, inside of one stanza. */
  nesting: string;
  /** What came of an attribute of 64 KiB. */
  attribute: string;
}

/** What a server tells another about itself: by the account, or by a stream between servers. */
export interface FederationFacts {
  /** What came of SASL EXTERNAL with the certificate of our domain. */
  external: { outcome: string; evidence: Evidence };
  /** XEP-0288 was offered and asked for. */
  bidi: boolean;
  /** What came of a dialback key that nobody can confirm. */
  dialback: { outcome: string; evidence: Evidence } | undefined;
}

export interface RegistrationFacts {
  /** `closed`: no form; `open`: name and password are enough; else what is asked for. */
  kind: 'closed' | 'open' | 'captcha' | 'redirect' | 'invitation' | 'form';
  /** A stream feature says so. COMPAT(ejabberd 23.01): the form is sent also where nobody may register. */
  isAnnounced: boolean;
  fields: readonly string[];
  evidence: Evidence;
}

export interface EndpointFacts {
  endpoint: Endpoint;
  tcp: Measured<{ elapsedMs: number }>;
  /** Before TLS; undefined where TLS comes first. */
  plain?: Measured<StreamFacts>;
  /** By version; a version that was refused has its reason. */
  handshakes?: Partial<Record<TlsVersion, Measured<HandshakeFacts>>>;
  certificate?: Measured<CertificateFacts>;
  scan?: Measured<TlsScan>;
  starttls?: Measured<StarttlsFacts>;
  sasl?: Measured<SaslFacts>;
  conformance?: Measured<readonly ConformanceOutcome[]>;
  limits?: Measured<LimitsFacts>;
  registration?: Measured<RegistrationFacts>;
  federation?: Measured<FederationFacts>;
  connectionsUsed: number;
}

/** All of it. A part that no chosen check reads is undefined. */
export interface ProbeFacts {
  /** In A-labels. */
  domain: string;
  now: Date;
  endpoints: readonly EndpointFacts[];
  dns?: Measured<DnsFacts>;
  web?: Measured<WebFacts>;
  posh?: Measured<PoshFacts>;
  stun?: Measured<readonly StunFacts[]>;
  services?: Measured<ServicesFacts>;
  account?: Measured<AccountFacts>;
}
