/**
 * What a server says a privileged entity may do (XEP-0356 §4.2): it says so by itself when a component has connected,
 * once for each of its hosts.
 *
 * COMPAT(ejabberd < 24.10): `urn:xmpp:privilege:1` (version 0.3), which knows rosters, messages and presence, and no
 * requests of any other kind: with it nobody's card can be changed. What is open to all can be read, as by anybody.
 */
import { RemoteError } from '../errors.js';
import { JID } from '../jid/jid.js';
import type { Session } from '../session/session.js';
import { childElements, type Element } from '../xml/element.js';

export const NS_PRIVILEGE = 'urn:xmpp:privilege:2';
const NS_PRIVILEGE_1 = 'urn:xmpp:privilege:1';

/** A server has some hosts, and each names some permissions; more of them is no advertisement. */
const MAX_HOSTS = 10_000;
const MAX_NAMESPACES = 1000;

export interface HostGrants {
  /** Which version of the protocol the host speaks. */
  version: 1 | 2;
  /** By namespace of the request. */
  iq: ReadonlyMap<string, ReadonlySet<'get' | 'set'>>;
}

export interface WantedGrant {
  namespace: string;
  type: 'get' | 'set';
}

export class PrivilegeGrants {
  readonly #hosts = new Map<string, HostGrants>();

  /** Collects what comes, from now on. */
  listen(session: Pick<Session, 'handle'>): void {
    for (const namespace of [NS_PRIVILEGE, NS_PRIVILEGE_1])
      session.handle({ name: 'message', child: { name: 'privilege', namespace } }, (message) =>
        this.#add(message, namespace),
      );
  }

  /** @returns undefined when the host has said nothing */
  of(host: string): HostGrants | undefined {
    return this.#hosts.get(host);
  }

  /**
   * What keeps us from our work at a host, as far as the host has told: it need not.
   * @returns undefined when it is not known to be in the way
   */
  obstacle(host: string, wanted: readonly WantedGrant[]): RemoteError | undefined {
    const grants = this.#hosts.get(host);
    if (!grants) return undefined;
    if (grants.version === 1)
      return new RemoteError(
        `${host} privileges this component for rosters, messages and presence (${NS_PRIVILEGE_1}), and not for cards`,
        {
          hint: 'on ejabberd before 24.10 use --api, or --impersonate behind a listener with check_from: false',
        },
      );
    const missing = wanted
      .filter(({ namespace, type }) => grants.iq.get(namespace)?.has(type) !== true)
      .map(({ namespace, type }) => `${type} of ${namespace}`);
    if (missing.length === 0) return undefined;
    return new RemoteError(`${host} does not privilege this component for ${missing.join(', ')}`, {
      hint: 'see "iq" in privileged_entities of Prosody, or in mod_privilege of ejabberd',
    });
  }

  #add(message: Element, namespace: string): void {
    const from = JID.tryParse(String(message.attrs['from'] ?? ''));
    const privilege = message.getChild('privilege', namespace);
    if (!from || from.local !== undefined || !privilege || this.#hosts.size >= MAX_HOSTS) return;
    const iq = new Map<string, ReadonlySet<'get' | 'set'>>();
    for (const perm of childElements(privilege)) {
      if (perm.getName() !== 'perm' || perm.attrs['access'] !== 'iq') continue;
      for (const { ns, type } of namespacesIn(perm)) if (iq.size < MAX_NAMESPACES) iq.set(ns, type);
    }
    // A host may speak both: what it says in the newer one counts.
    if (namespace === NS_PRIVILEGE_1 && this.#hosts.get(from.domain)?.version === 2) return;
    this.#hosts.set(from.domain, { version: namespace === NS_PRIVILEGE ? 2 : 1, iq });
  }
}

/** COMPAT(Prosody's mod_privilege): each is inside the one before, where they should be side by side. */
function namespacesIn(perm: Element): { ns: string; type: ReadonlySet<'get' | 'set'> }[] {
  const found: { ns: string; type: ReadonlySet<'get' | 'set'> }[] = [];
  const open = [...childElements(perm)];
  for (let element = open.pop(); element && found.length < MAX_NAMESPACES; element = open.pop()) {
    open.push(...childElements(element));
    const { ns, type } = element.attrs as { ns?: string; type?: string };
    if (element.getName() !== 'namespace' || ns === undefined) continue;
    found.push({
      ns,
      type: new Set(
        type === 'both' ? (['get', 'set'] as const) : type === 'get' || type === 'set' ? [type] : [],
      ),
    });
  }
  return found;
}
