import type { Element } from '@xmpp/xml';
import type { FakePeer, PeerTls } from './peer.js';
import type { ScramLies } from './scram-server.js';

/** What the client has just done, and the server is about to answer. */
export type Step =
  | 'connect' // TCP is there
  | 'open' // the first stream header
  | 'starttls' // <starttls/>
  | 'tls' // instead of the handshake, after <proceed/> or on a direct TLS port
  | 'secure-open' // the stream header inside TLS
  | 'auth' // <auth/> or <authenticate/>
  | 'response' // <response/>
  | 'authenticated-open' // the stream header after SASL
  | 'bind'
  | 'enable'
  | 'resume'
  | 'stanza'; // every one after that, <r/> and <a/> included

/** Runs in place of the server's answer. After `go on` the server answers as usual; else it only waits for the client to leave. */
export type Hook = (peer: FakePeer, received: Element | undefined) => unknown;

export interface FakeServerOptions {
  /** `fake.test` unless given. */
  domain?: string;
  /** `starttls` unless given. */
  tls?: 'starttls' | 'direct' | 'none';
  /** Beside the certificate that the server makes for its domain: `maxVersion`, another `cert` and `key`. */
  tlsOptions?: Partial<PeerTls>;
  /** Passwords by user name; `alice` has `wonderland` unless given. */
  accounts?: Readonly<Record<string, string>>;
  /** What is offered, in this order; SCRAM-SHA-256 and PLAIN unless given. */
  mechanisms?: readonly string[];
  /** Types of channel binding that work. All unless given. */
  bindingTypes?: readonly string[];
  /** Says in the features which ones work (XEP-0440); or says something else. */
  advertisedBindings?: readonly string[] | undefined;
  /** Confirms what it offered (XEP-0474): as it was offered, or another text. */
  listHash?: 'honest' | ((algorithm: string) => string);
  scram?: ScramLies;
  /** Offers SASL2 (XEP-0388) with Bind 2 beside SASL. */
  hasSasl2?: boolean;
  /** Offers these token mechanisms (XEP-0484); needs `hasSasl2`. */
  fastMechanisms?: readonly string[];
  /** Leaves SASL out, or stream management. */
  hasSasl?: boolean;
  hasStreamManagement?: boolean;
  /** Changes the features before they are sent. */
  changeFeatures?: (features: string, phase: 'plain' | 'secure' | 'authenticated') => string;
  /** Changes the `<success/>` of SASL2 or SASL. */
  changeSuccess?: (success: string) => string;
  /** The whole answer to `<auth/>` or `<authenticate/>` is this failure: a condition and its text. */
  refuse?: { condition: string; text?: string };
  at?: Partial<Record<Step, Hook>>;
  /** Answers a stanza; without an answer, or with `go on`, the server answers IQs by itself. */
  onStanza?: Hook;
  /** Bytes of one packet at most. */
  splitBytes?: number;
}
