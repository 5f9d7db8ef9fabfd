/**
 * What a server says about itself and its services, whoever asks: an account of it, or another server.
 *
 * XEP-0157: Contact Addresses for XMPP Services, version 1.1.1.
 * XEP-0215: External Service Discovery, version 1.0.0 (asking for all services; no credentials of a single one).
 */
import { XmppctlError } from '../../errors.js';
import { readDiscoInfo } from '../../disco/query.js';
import { DiscoItemsQuery, NS_DISCO_INFO, NS_DISCO_ITEMS } from '../../disco/stanzas.js';
import { formTypeOf } from '../../forms/values.js';
import { childElements, xml, type Element } from '../../xml/element.js';

const NS_VERSION = 'jabber:iq:version';
const NS_EXTERNAL_SERVICES = 'urn:xmpp:extdisco:2';
const NS_UPLOAD = 'urn:xmpp:http:upload:0';
const CONTACTS = 'http://jabber.org/network/serverinfo';
/** Services beyond these are not asked. */
const MAX_ITEMS = 30;

/** Sends an IQ of type `get` and resolves with the whole answer. @throws XmppctlError */
export type Ask = (to: string | undefined, payload: Element) => Promise<Element>;

export interface EntityFacts {
  jid: string;
  /** `category/type` */
  identities: readonly string[];
  features: readonly string[];
}

export interface ExternalService {
  type: string;
  host: string;
  port: number;
  transport: 'udp' | 'tcp' | undefined;
  username: string | undefined;
  /** Never shown. */
  password: string | undefined;
  isRestricted: boolean;
}

export interface ServicesFacts {
  via: 'account' | 'server';
  server: EntityFacts;
  /** The account's own address, which has features of its own; undefined between servers. */
  account: EntityFacts | undefined;
  items: readonly EntityFacts[];
  /** XEP-0157: the kind of contact (`abuse`) and its addresses. */
  contacts: ReadonlyMap<string, readonly string[]>;
  software: { name: string; version: string } | undefined;
  externalServices: readonly ExternalService[];
  /** Bytes; undefined where it does not say, or there is no service. */
  uploadMaxBytes: number | undefined;
  /** `{namespace}name` of what is offered after authentication; undefined between servers. */
  streamFeatures: readonly string[] | undefined;
}

/** @param account the bare JID that asks, where it is one */
export async function readServices(
  ask: Ask,
  domain: string,
  account?: { jid: string; streamFeatures: readonly string[] },
): Promise<ServicesFacts> {
  const [info, items, software, externalServices, own] = await Promise.all([
    ask(domain, xml('query', { xmlns: NS_DISCO_INFO })).then(readDiscoInfo),
    ask(domain, xml('query', { xmlns: NS_DISCO_ITEMS })).then(readItems, none<string[]>([])),
    ask(domain, xml('query', { xmlns: NS_VERSION })).then(readSoftware, none(undefined)),
    ask(domain, xml('services', { xmlns: NS_EXTERNAL_SERVICES })).then(
      readExternal,
      none<ExternalService[]>([]),
    ),
    account && ask(account.jid, xml('query', { xmlns: NS_DISCO_INFO })).then(readDiscoInfo, none(undefined)),
  ]);
  const services = await Promise.all(items.map((jid) => describeItem(ask, jid)));
  const found = services.filter((service) => service !== undefined);
  const contacts = info.forms.find((form) => formTypeOf(form) === CONTACTS);
  return {
    via: account ? 'account' : 'server',
    server: entityOf(domain, info),
    account: own && account && entityOf(account.jid, own),
    items: found.map(({ entity }) => entity),
    contacts: new Map(
      (contacts?.fields ?? [])
        .filter(({ name }) => name?.endsWith('-addresses') === true)
        .map(({ name, values }) => [(name ?? '').replace(/-addresses$/, ''), values.slice(0, 20)]),
    ),
    software,
    externalServices,
    uploadMaxBytes: found.find(({ uploadMaxBytes }) => uploadMaxBytes !== undefined)?.uploadMaxBytes,
    streamFeatures: account?.streamFeatures,
  };
}

type Info = ReturnType<typeof readDiscoInfo>;

/** What a server that does not know a question leaves us with. Other errors than its answer are ours to see. */
function none<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof XmppctlError) return value;
    throw error;
  };
}

async function describeItem(
  ask: Ask,
  jid: string,
): Promise<{ entity: EntityFacts; uploadMaxBytes: number | undefined } | undefined> {
  const info = await ask(jid, xml('query', { xmlns: NS_DISCO_INFO })).then(
    readDiscoInfo,
    none<Info | undefined>(undefined),
  );
  if (info === undefined) return undefined;
  const form = info.forms.find((one) => formTypeOf(one) === NS_UPLOAD);
  const size = form?.fields.find(({ name }) => name === 'max-file-size')?.values[0] ?? '';
  return { entity: entityOf(jid, info), uploadMaxBytes: /^\d{1,15}$/.test(size) ? Number(size) : undefined };
}

function entityOf(jid: string, { identities, features }: Info): EntityFacts {
  return {
    jid,
    identities: identities.slice(0, 50).map(({ category, type }) => `${category}/${type}`),
    features: features.slice(0, 1000),
  };
}

function readItems(reply: Element): string[] {
  const items = DiscoItemsQuery.find(reply)?.items ?? [];
  return items
    .filter(({ node }) => node === undefined)
    .slice(0, MAX_ITEMS)
    .map(({ jid }) => jid.toString());
}

function readSoftware(reply: Element): ServicesFacts['software'] {
  const query = reply.getChild('query', NS_VERSION);
  const name = query?.getChildText('name');
  return query && name
    ? { name: name.slice(0, 100), version: (query.getChildText('version') ?? '').slice(0, 100) }
    : undefined;
}

function readExternal(reply: Element): ExternalService[] {
  const services = reply.getChild('services', NS_EXTERNAL_SERVICES);
  if (!services) return [];
  return childElements(services)
    .filter((child) => child.getName() === 'service')
    .slice(0, 30)
    .flatMap(({ attrs }) => {
      const text = (name: string): string | undefined => {
        const value: unknown = attrs[name];
        return typeof value === 'string' && value !== '' ? value.slice(0, 500) : undefined;
      };
      const type = text('type');
      const host = text('host');
      const port = Number(text('port') ?? 3478);
      const transport = text('transport');
      if (type === undefined || host === undefined || !Number.isInteger(port) || port < 1 || port > 65_535)
        return [];
      return [
        {
          type,
          host,
          port,
          transport: transport === 'udp' || transport === 'tcp' ? transport : undefined,
          username: text('username'),
          password: text('password'),
          isRestricted: text('restricted') === 'true' || text('restricted') === '1',
        },
      ];
    });
}
