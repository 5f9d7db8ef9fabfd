/** What a sandbox can be asked for, and the plan that the two servers' configurations are made from. */

export type ServerName = 'prosody' | 'ejabberd';

export interface SandboxOptions {
  /** Default: Prosody where it is installed, else ejabberd. */
  server?: ServerName;
  /** Default `sandbox.localhost`. */
  domain?: string;
  /** Local parts, or local parts with their passwords; a random password otherwise. Default alice, bob and carol. */
  accounts?: readonly (string | { name: string; password: string })[];
  /**
   * `memory` (default) keeps nothing over a restart. COMPAT(ejabberd): its tables are always files; `memory` puts them
   * on a RAM disk where there is one.
   */
  storage?: 'memory' | 'disk';
  /** Offer this TLS version only. Default: 1.2 and 1.3. */
  tlsVersion?: '1.2' | '1.3';
  /** `none`: a server that offers no STARTTLS and takes any mechanism in clear. Default `required`. */
  encryption?: 'required' | 'optional' | 'none';
  /** The SASL mechanisms that may be offered, of those the server knows, each with its -PLUS. Default: SCRAM and PLAIN. */
  mechanisms?: readonly string[];
  /** The certificate the server shows. Default `valid`. */
  certificate?: 'valid' | 'expired' | 'wrong-name' | 'self-signed';
  /** Offer SASL EXTERNAL at `addresses.certificates`. COMPAT(ejabberd): then every client is offered it, with a certificate or without. */
  clientCertificates?: boolean;
  /** More external components (XEP-0114), as the first label of their domain. */
  components?: readonly string[];
  /** Where clients are told to find the SOCKS5 proxy. Default 127.0.0.1, where it listens in any case. */
  proxyAddress?: string;
  /** Settings that replace or extend those of Prosody: of the whole server, and of the main virtual host. */
  prosody?: { global?: Readonly<Record<string, ConfigValue>>; host?: Readonly<Record<string, ConfigValue>> };
  /** Top-level settings that replace or (lists and maps) extend those of ejabberd. */
  ejabberd?: Readonly<Record<string, ConfigValue>>;
  /** What the server logs. Default `info`. */
  logLevel?: 'debug' | 'info' | 'warn';
  /** How long the server may take to answer, in milliseconds. Default 60,000. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Where programs are looked for: the value of PATH. Directories where servers usually are come on top. */
  searchPath?: string | undefined;
  /** The server goes on after this process has ended; `endSandbox` ends it. */
  isDetached?: boolean;
}

export type ConfigValue =
  string | number | boolean | readonly ConfigValue[] | { readonly [key: string]: ConfigValue };

export interface SandboxPorts {
  /** Clients, with STARTTLS. */
  c2s: number;
  /** Clients, TLS from the first byte (XEP-0368). */
  c2sTls: number;
  s2s: number;
  /** Servers, TLS from the first byte (XEP-0368). */
  s2sTls: number;
  /** External components (XEP-0114). */
  component: number;
  /** SOCKS5 bytestreams (XEP-0065). */
  proxy: number;
  /** Uploads, WebSocket (`/xmpp-websocket`), BOSH (`/http-bind`) and host-meta; without and with TLS. */
  http: number;
  https: number;
}

export interface SandboxAddresses {
  muc: string;
  pubsub: string;
  upload: string;
  proxy: string;
  /** A virtual host for SASL ANONYMOUS. */
  anonymous: string;
  /** With `clientCertificates`, a virtual host for SASL EXTERNAL with certificates of the private authority. */
  certificates: string;
  /** A component's domain, waiting for a component to connect. */
  component: string;
  /** The same, with the privileges of XEP-0356. */
  privileged: string;
}

/** Everything the configuration of a server depends on. */
export interface SandboxPlan {
  domain: string;
  addresses: SandboxAddresses;
  /** Domains of all external components. */
  components: readonly string[];
  ports: SandboxPorts;
  /** IP addresses to listen on. */
  listenOn: readonly string[];
  accounts: Readonly<Record<string, { jid: string; password: string }>>;
  componentSecret: string;
  dir: string;
  files: { ca: string; cert: string; key: string };
  dataDir: string;
  options: SandboxOptions;
}

/** A program and its arguments: a server that stays in the foreground. */
export interface ServerCommand {
  program: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

export function planAddresses(domain: string): SandboxAddresses {
  return {
    muc: `conference.${domain}`,
    pubsub: `pubsub.${domain}`,
    upload: `upload.${domain}`,
    proxy: `proxy.${domain}`,
    anonymous: `anon.${domain}`,
    certificates: `certs.${domain}`,
    component: `component.${domain}`,
    privileged: `privileged.${domain}`,
  };
}
