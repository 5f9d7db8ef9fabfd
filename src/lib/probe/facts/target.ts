/** Whom a probe looks at, and by what means: what every collector is given. */
import type { Tracer } from '../../trace/events.js';
import type { Budget } from '../wire/budget.js';
import { ProbeStream, type StreamOpening } from '../wire/probe-stream.js';
import { isForServers, type Endpoint, type Service } from './facts.js';

/** The identity of a domain of ours, for talking as a server to a server. */
export interface ServerIdentity {
  /** In A-labels. */
  domain: string;
  /** PEM */
  cert: string;
  key: string;
}

export interface EndpointProbe {
  /** The domain that is probed, in A-labels. */
  domain: string;
  endpoint: Endpoint;
  budget: Budget;
  tracer: Tracer | undefined;
  identity: ServerIdentity | undefined;
}

/** The domain that speaks to servers where no identity was given: nobody can own it (RFC 2606 §2). */
const NOBODY = 'probe.invalid';

export const alpnOf = (service: Service): string => (isForServers(service) ? 'xmpp-server' : 'xmpp-client');

/** How a stream to this endpoint is opened. */
export function openingOf({ domain, endpoint, identity }: EndpointProbe): StreamOpening {
  return isForServers(endpoint.service)
    ? { namespace: 'jabber:server', to: domain, from: identity?.domain ?? NOBODY }
    : { namespace: 'jabber:client', to: domain };
}

/** A fresh connection: nothing has been said yet. */
export function connectTo({ endpoint, budget, tracer }: EndpointProbe, what: string): Promise<ProbeStream> {
  return ProbeStream.open({ place: endpoint, budget, tracer, label: `probe ${endpoint.service} ${what}` });
}
