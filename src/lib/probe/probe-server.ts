/**
 * Probes a domain: finds its endpoints, collects what the chosen checks want to know, judges it, and grades it.
 *
 * It takes data and returns data: what is probed, and who asks, comes in the options, so that a service can use it.
 */
import { setMaxListeners } from 'node:events';
import { isIP } from 'node:net';
import { ConnectError, DnsError } from '../errors.js';
import type { DnsServer } from '../dns/servers.js';
import { describeServer } from '../dns/servers.js';
import type { TrustAnchor } from '../dns/dnssec/trust-anchors.js';
import { DnsClient } from '../dns/query.js';
import { ValidatingResolver } from '../dns/resolve.js';
import type { HttpTrust } from '../http-upload/http-request.js';
import type { Session } from '../session/session.js';
import type { Tracer } from '../trace/events.js';
import type { Check, Part } from './checks/check.js';
import { collectEndpoint, type EndpointResult } from './collect-endpoint.js';
import { collectAccount, readServicesAsAccount, type AccountTarget } from './facts/account.js';
import { isPublicAddress } from './facts/addresses.js';
import { collectDns, endpointsAt, endpointsOf, type DnsFacts } from './facts/dns.js';
import type { Endpoint, EndpointFacts, Measured, ProbeFacts, Service } from './facts/facts.js';
import { collectPosh } from './facts/posh.js';
import { collectStun, type StunFacts, type StunTarget } from './facts/stun.js';
import type { ServerIdentity } from './facts/target.js';
import type { ServicesFacts } from './facts/services.js';
import { collectWeb, type WebTarget } from './facts/web.js';
import type { Finding } from './model.js';
import { Budget, type BudgetLimits } from './wire/budget.js';
import { measure } from './facts/measure.js';

export interface GivenEndpoint {
  service: Service;
  host: string;
  port: number;
}

export interface ProbeTarget {
  /** In A-labels. */
  domain: string;
  /** Instead of what the DNS says; none asks the DNS. */
  endpoints: readonly GivenEndpoint[];
  /** Where the web server of the domain is; at the domain itself when undefined. */
  webServer: { host: string; port: number } | undefined;
  /** Servers of STUN and TURN, instead of what the DNS says. */
  stunServers: readonly { kind: 'stun' | 'turn'; host: string; port: number }[];
  /** Addresses of names, which are not looked up. */
  addresses: ReadonlyMap<string, readonly string[]>;
}

export interface ProbeMeans {
  /** Undefined: the DNS is not asked. */
  resolvers: readonly DnsServer[] | undefined;
  trustAnchors: readonly TrustAnchor[] | undefined;
  limits: BudgetLimits;
  /** Addresses that are not public may be connected to. */
  allowsPrivate: boolean;
  /** PEM texts of more authorities. */
  extraRoots: readonly string[];
  identity: ServerIdentity | undefined;
  /** An account of the domain that has logged in. */
  session: Session | undefined;
  trust: HttpTrust | undefined;
  tracer: Tracer | undefined;
  signal: AbortSignal | undefined;
  now: Date;
}

export interface ProbeOutcome {
  facts: ProbeFacts;
  findings: readonly Finding[];
  connectionsUsed: number;
}

/** @throws DnsError the DNS does not answer @throws InterruptedError */
export async function probeServer(
  target: ProbeTarget,
  checks: readonly Check[],
  means: ProbeMeans,
): Promise<ProbeOutcome> {
  const run = new ProbeRun(target, checks, means);
  const facts = await run.collect();
  const findings = checks.flatMap((check) =>
    check.judge(facts).map((verdict): Finding => ({ check, ...verdict })),
  );
  return { facts, findings, connectionsUsed: run.connectionsUsed };
}

class ProbeRun {
  readonly #target: ProbeTarget;
  readonly #means: ProbeMeans;
  readonly #parts: ReadonlySet<Part>;
  readonly #stimuli: ReadonlySet<string>;
  readonly #resolver: ValidatingResolver | undefined;
  readonly #budgets: Budget[] = [];

  constructor(target: ProbeTarget, checks: readonly Check[], means: ProbeMeans) {
    this.#target = target;
    this.#means = means;
    this.#parts = new Set(checks.flatMap(({ reads }) => reads));
    this.#stimuli = new Set(checks.map(({ id }) => id));
    const { resolvers, trustAnchors, limits, signal } = means;
    if (resolvers) {
      // Lookups wait with it side by side, which is more than the ten that Node takes for a leak.
      const together = signal && AbortSignal.any([signal]);
      if (together) setMaxListeners(0, together);
      const client = new DnsClient({
        servers: resolvers,
        timeoutMs: Math.min(limits.stepMs, 3000),
        ...(together && { signal: together }),
      });
      this.#resolver = new ValidatingResolver({
        client,
        ...(trustAnchors && { trustAnchors }),
        now: () => means.now.getTime(),
      });
    }
  }

  get connectionsUsed(): number {
    return this.#budgets.reduce((sum, budget) => sum + budget.connectionsUsed, 0);
  }

  async collect(): Promise<ProbeFacts> {
    const { domain } = this.#target;
    const dns = await this.#collectDns();
    const endpoints = await this.#findEndpoints(dns?.value);
    const [results, web, posh, account] = await Promise.all([
      Promise.all(endpoints.map((endpoint) => this.#collectEndpoint(endpoint))),
      this.#wants('web') ? this.#onTheWeb(collectWeb) : undefined,
      this.#wants('posh') ? this.#onTheWeb(collectPosh) : undefined,
      this.#collectAccount(),
    ]);
    const services = account?.services ?? servicesOf(results);
    return {
      domain,
      now: this.#means.now,
      endpoints: results.map(({ facts }) => facts),
      ...(dns && { dns }),
      ...(web && { web }),
      ...(posh && { posh }),
      ...(this.#wants('services') && { services }),
      ...(this.#wants('account') && {
        account: account?.account ?? { reason: 'needs an account (--account)' },
      }),
      ...(this.#wants('stun') && { stun: await this.#collectStun(dns?.value, services.value) }),
    };
  }

  #wants(part: Part): boolean {
    return this.#parts.has(part);
  }

  #budgetFor(address: string): Budget {
    const { limits, signal } = this.#means;
    // Nobody is bothered by haste on this machine.
    const perSecond = isPublicAddress(address) ? limits.perSecond : Infinity;
    const budget = new Budget({ ...limits, perSecond }, signal);
    this.#budgets.push(budget);
    return budget;
  }

  async #collectDns(): Promise<Measured<DnsFacts> | undefined> {
    const { resolvers } = this.#means;
    if (!this.#resolver || !resolvers) {
      return this.#wants('dns')
        ? { reason: 'the endpoints were given by hand, so the DNS was not asked (--resolver asks it)' }
        : undefined;
    }
    const name = resolvers.map(describeServer).join(', ');
    return { value: await collectDns(this.#resolver, name, this.#target.domain) };
  }

  async #findEndpoints(dns: DnsFacts | undefined): Promise<Endpoint[]> {
    const { endpoints } = this.#target;
    const given = await Promise.all(
      endpoints.map(async ({ service, host, port }) =>
        endpointsAt(service, host, port, 'given', await this.#resolve(host)),
      ),
    );
    const replaced = new Set(endpoints.map(({ service }) => service));
    const hosts = dns ? [dns.domain, ...dns.targets] : [];
    const addresses = new Map(
      await Promise.all(hosts.map(async ({ host }) => [host, await this.#resolve(host)] as const)),
    );
    const found = dns && endpoints.length === 0 ? endpointsOf(dns, (host) => addresses.get(host) ?? []) : [];
    return [...given.flat(), ...found.filter(({ service }) => !replaced.has(service))];
  }

  /** Addresses that may be connected to, IPv6 first as RFC 6724 has it. */
  async #resolve(host: string): Promise<readonly string[]> {
    const { allowsPrivate } = this.#means;
    const isAllowed = (address: string): boolean => allowsPrivate || isPublicAddress(address);
    const given = this.#target.addresses.get(host.toLowerCase());
    // Who names an address means it.
    if (given) return given;
    if (isIP(host) !== 0) return [host].filter((address) => isAllowed(address) || this.#isGiven(address));
    if (!this.#resolver)
      throw new DnsError(`${host} is a name, and the DNS is not asked`, {
        hint: `say where it is: --address ${host}=ADDRESS`,
      });
    const [aaaa, a] = await Promise.all([
      this.#resolver.lookup(host, 'AAAA'),
      this.#resolver.lookup(host, 'A'),
    ]);
    return [...aaaa.records, ...a.records]
      .map(({ address }) => address)
      .filter(isAllowed)
      .slice(0, 8);
  }

  #isGiven(host: string): boolean {
    const { endpoints, stunServers, webServer } = this.#target;
    return [...endpoints, ...stunServers, ...(webServer ? [webServer] : [])].some((one) => one.host === host);
  }

  async #collectEndpoint(endpoint: Endpoint): Promise<EndpointResult> {
    const { identity, extraRoots, tracer, now } = this.#means;
    return collectEndpoint({
      domain: this.#target.domain,
      endpoint,
      budget: this.#budgetFor(endpoint.address),
      tracer,
      identity,
      parts: this.#parts,
      stimuli: this.#stimuli,
      extraRoots,
      now,
    });
  }

  async #onTheWeb<T>(collect: (target: WebTarget) => Promise<T>): Promise<Measured<T>> {
    const { domain, webServer, addresses } = this.#target;
    if (!this.#resolver && !webServer && !addresses.has(domain)) {
      return { reason: 'nobody said where the web server is (--endpoint web=HOST:PORT)' };
    }
    return { value: await collect(this.#webTarget()) };
  }

  #webTarget(): WebTarget {
    const { domain, webServer } = this.#target;
    return {
      domain,
      authority: webServer ? `${domain}:${webServer.port}` : domain,
      // The name stays that of the domain: the web server chooses its certificate and its answer by it.
      resolve: (host) => this.#resolve(webServer && host === domain ? webServer.host : host),
      extraRoots: this.#means.extraRoots,
      budget: this.#budgetFor('127.0.0.1'),
    };
  }

  async #collectAccount(): Promise<
    { services: Measured<ServicesFacts>; account: NonNullable<ProbeFacts['account']> } | undefined
  > {
    const { session, extraRoots, trust } = this.#means;
    if (!session || !(this.#wants('services') || this.#wants('account'))) return undefined;
    const target: AccountTarget = {
      session,
      budget: this.#budgetFor('127.0.0.1'),
      extraRoots,
      trust,
      resolve: (host) => this.#resolve(host),
    };
    const services = await measure(() => readServicesAsAccount(target));
    const account = this.#wants('account')
      ? { value: await collectAccount(target) }
      : { reason: 'not asked for' };
    return { services, account };
  }

  async #collectStun(
    dns: DnsFacts | undefined,
    services: ServicesFacts | undefined,
  ): Promise<Measured<readonly StunFacts[]>> {
    const { stunServers } = this.#target;
    const wanted: Omit<StunTarget, 'address'>[] = stunServers.map((server) => ({
      ...server,
      origin: 'given',
    }));
    if (wanted.length === 0) {
      for (const { service, lookup } of dns?.stun ?? []) {
        const kind = service === '_stun._udp' ? 'stun' : 'turn';
        for (const { target, port } of lookup.records.slice(0, 3))
          wanted.push({ kind, host: target, port, origin: 'dns' });
      }
      for (const { type, host, port, transport, username, password } of services?.externalServices ?? []) {
        if ((type !== 'stun' && type !== 'turn') || transport === 'tcp') continue;
        const credentials =
          username === undefined || password === undefined ? undefined : { username, password };
        wanted.push({ kind: type, host, port, origin: 'xep-0215', credentials });
      }
    }
    const targets = await Promise.all(
      wanted
        .slice(0, 8)
        .map(async (server) =>
          (await this.#resolve(server.host).catch(noAddress))
            .slice(0, 2)
            .map((address): StunTarget => ({ ...server, address })),
        ),
    );
    const unique = new Map(
      targets.flat().map((one) => [`${one.kind} ${one.address} ${one.port} ${one.origin}`, one]),
    );
    return {
      value: await Promise.all(
        [...unique.values()].map((one) => collectStun(one, this.#budgetFor(one.address))),
      ),
    };
  }
}

function servicesOf(results: readonly EndpointResult[]): Measured<ServicesFacts> {
  const all = results.map(({ services }) => services).filter((services) => services !== undefined);
  return (
    all.find(({ value }) => value !== undefined) ??
    all[0] ?? { reason: 'needs an account (--account), or the certificate of a server (--s2s-identity)' }
  );
}

function noAddress(error: unknown): readonly string[] {
  if (error instanceof DnsError) return [];
  throw error;
}

/** @throws ConnectError nothing could be connected to */
export function assertReached(endpoints: readonly EndpointFacts[], domain: string): void {
  if (endpoints.some(({ tcp }) => tcp.value)) return;
  if (endpoints.length === 0) {
    throw new ConnectError(`${domain} has no endpoint that may be connected to`, {
      hint: 'the DNS names none, or only private addresses, which --allow-private allows',
    });
  }
  throw new ConnectError(`no endpoint of ${domain} could be connected to: ${endpoints[0]?.tcp.reason ?? ''}`);
}
