/**
 * SOCKS5 bytestreams as a transport of Jingle (XEP-0260): each party listens, each tries what the other offers, and the
 * best of what worked is used. The codecs of `stanzas.ts` say what is not there.
 */
import type { JingleTransport } from '../../jingle/transport.js';
import type { Session } from '../../session/session.js';
import { Socks5Listener, type ListenOptions } from './listener.js';
import { Socks5Negotiation } from './negotiation.js';
import { findProxies } from './proxies.js';
import { NS_BYTESTREAMS, NS_JINGLE_SOCKS5, type Streamhost } from './stanzas.js';

export interface Socks5TransportOptions {
  /** False: we do not listen and do not connect to the other party itself, so that neither learns the other's address. */
  direct?: boolean;
  /** False: neither our server's proxies nor the other party's. */
  proxies?: boolean;
  /** Addresses and ports to offer besides the machine's own: what a router forwards to us. */
  advertised?: readonly { host: string; port: number | undefined }[];
  listen?: ListenOptions;
}

/** What all negotiations of a run share. */
export interface Socks5Surroundings {
  direct: boolean;
  advertised: readonly { host: string; port: number | undefined }[];
  listener: Socks5Listener;
  /** Asked for once. */
  proxies(session: Session, timeoutMs: number): Promise<readonly Streamhost[]>;
  usesProxies: boolean;
}

export function socks5Transport(options: Socks5TransportOptions = {}): JingleTransport {
  const { direct = true, proxies: usesProxies = true, advertised = [], listen } = options;
  const known = new WeakMap<Session, Promise<readonly Streamhost[]>>();
  const around: Socks5Surroundings = {
    direct,
    advertised,
    usesProxies,
    listener: new Socks5Listener(listen),
    proxies: (session, timeoutMs) => {
      if (!usesProxies) return Promise.resolve([]);
      const found = known.get(session) ?? findProxies(session, timeoutMs);
      known.set(session, found);
      return found;
    },
  };
  return {
    namespace: NS_JINGLE_SOCKS5,
    features: [NS_JINGLE_SOCKS5, NS_BYTESTREAMS],
    begin: (context) => new Socks5Negotiation(context, around),
  };
}
