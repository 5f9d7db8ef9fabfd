/**
 * XEP-0215: External Service Discovery, version 1.0.0: which STUN and TURN servers the own server names.
 *
 * Only the own server is asked: whom it names learns the addresses of this machine. Not here: what the server pushes
 * later, because a call asks when it begins.
 */
import { DecodeError, StanzaError } from '../errors.js';
import type { IceServer } from '../media/media-link.js';
import type { Session, WaitOptions } from '../session/session.js';
import { element, type Infer } from '../xml/codec.js';
import { attr, child, optional, readableChildren, withDefault } from '../xml/fields.js';
import { bool, dateTime, intBetween, token } from '../xml/scalars.js';

export const NS_EXTERNAL_SERVICES = 'urn:xmpp:extdisco:2';

const Service = element(NS_EXTERNAL_SERVICES, 'service', {
  type: attr('type', token),
  host: attr('host', token),
  port: optional(attr('port', intBetween(1, 65_535))),
  transport: optional(attr('transport', token)),
  username: optional(attr('username')),
  password: optional(attr('password')),
  isRestricted: withDefault(attr('restricted', bool), false),
  expires: optional(attr('expires', dateTime)),
});
export type Service = Infer<typeof Service>;

const MAX_SERVICES = 32;
const STUN_PORT = 3478;

export const Services = element(NS_EXTERNAL_SERVICES, 'services', {
  services: readableChildren(Service, MAX_SERVICES),
});
const CredentialsRequest = element(NS_EXTERNAL_SERVICES, 'credentials', {
  service: child(
    element(NS_EXTERNAL_SERVICES, 'service', {
      host: attr('host'),
      type: attr('type'),
      port: optional(attr('port', intBetween(1, 65_535))),
    }),
  ),
});
const Credentials = element(NS_EXTERNAL_SERVICES, 'credentials', {
  services: readableChildren(Service, MAX_SERVICES),
});

/**
 * The STUN and TURN servers that the own server offers; none when it knows nothing of this.
 * @throws TimeoutError @throws ConnectionLostError @throws InterruptedError
 */
export async function findIceServers(session: Session, wait: WaitOptions = {}): Promise<IceServer[]> {
  const to = session.jid.domain;
  let services: Service[];
  try {
    const reply = await session.request({ type: 'get', to, payload: Services.encode({}) }, wait);
    services = Services.find(reply)?.services ?? [];
  } catch (error) {
    if (error instanceof StanzaError || error instanceof DecodeError) return [];
    throw error;
  }
  const servers: IceServer[] = [];
  for (const service of services) {
    const server = iceServerOf(await withCredentials(session, service, wait));
    if (server) servers.push(server);
  }
  return servers;
}

/** §4.3: what is restricted comes without its credentials unless these are asked for. */
async function withCredentials(session: Session, service: Service, wait: WaitOptions): Promise<Service> {
  const { type, host, port, isRestricted, username } = service;
  if (!isRestricted || username !== undefined || type !== 'turn') return service;
  const payload = CredentialsRequest.encode({ service: { host, type, port } });
  try {
    const reply = await session.request({ type: 'get', to: session.jid.domain, payload }, wait);
    const found = Credentials.find(reply)?.services.find(
      (candidate) => candidate.host === host && candidate.type === type && (candidate.port ?? port) === port,
    );
    return found ? { ...service, username: found.username, password: found.password } : service;
  } catch (error) {
    if (error instanceof StanzaError || error instanceof DecodeError) return service;
    throw error;
  }
}

/** `stuns` and `turns` are left out: nothing here speaks TLS to them. */
export function iceServerOf({
  type,
  host,
  port,
  transport,
  username,
  password,
}: Service): IceServer | undefined {
  const isUdp = transport === undefined || transport === 'udp';
  if (type === 'stun')
    return isUdp ? { kind: 'stun', host, port: port ?? STUN_PORT, transport: 'udp' } : undefined;
  if (type !== 'turn' || (!isUdp && transport !== 'tcp')) return undefined;
  return {
    kind: 'turn',
    host,
    port: port ?? STUN_PORT,
    transport: isUdp ? 'udp' : 'tcp',
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
}
