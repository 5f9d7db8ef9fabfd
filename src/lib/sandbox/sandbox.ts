/**
 * A throw-away, real XMPP server on loopback: Prosody or ejabberd with a private certification authority, random free
 * ports, accounts, and the services that operations need. It dies with its parent and leaves nothing behind.
 */
import type { SandboxAddresses, SandboxPorts, ServerName } from './options.js';

export interface SandboxAccount {
  /** Bare. */
  jid: string;
  password: string;
}

/** What there is to know about a running sandbox: plain data. */
export interface SandboxFacts {
  server: ServerName;
  domain: string;
  /** An IP address: `*.localhost` does not resolve everywhere. */
  host: string;
  ports: SandboxPorts;
  addresses: SandboxAddresses;
  /** Where a client connects to, as `--service` takes it. */
  services: {
    starttls: string;
    tls: string;
    websocket: string;
    bosh: string;
    /** ejabberd's commands over HTTP, for its administrator: the first account. */
    api?: string;
  };
  accounts: Readonly<Record<string, SandboxAccount>>;
  componentSecret: string;
  /** Domains that components can connect as, all with the same secret. */
  components: readonly string[];
  /** PEM file of the private authority. */
  caFile: string;
  /** Everything of the sandbox is in here; for the eyes of its owner only. */
  dir: string;
  logFile: string;
  /** The server process, leader of its own process group. */
  pid: number;
}

export interface Sandbox extends SandboxFacts, AsyncDisposable {
  /** The private authority's certificate, PEM. */
  readonly ca: string;
  /** Resolves with how the server ended, in words, when it does so by itself; keeps this program running until then. */
  waitForEnd(): Promise<string>;
  /** What the server has logged so far. */
  readLog(): Promise<string>;
  /**
   * A client certificate for SASL EXTERNAL at `addresses.certificates`, signed by the private authority.
   * @param jid for example `alice@certs.sandbox.localhost`
   * @returns PEM texts
   */
  issueClientCertificate(
    jid: string,
    validity?: { notBefore: Date; notAfter: Date },
  ): {
    cert: string;
    key: string;
  };
  /** A certificate for a server of another domain, which may also be shown to servers. PEM texts. */
  issueServerCertificate(domain: string): { cert: string; key: string };
  /** Sends a signal to the server, to see what a client makes of it: SIGSTOP, SIGCONT, SIGKILL. */
  signal(name: NodeJS.Signals): void;
  /** Ends the server as an administrator would; it says goodbye to its clients. It can be started again. */
  shutDown(): Promise<void>;
  /** Starts the server again, after ending it if need be, with the same ports and what it has stored. */
  restart(): Promise<void>;
  /** Ends the server at once and removes everything. Safe to call twice. */
  stop(): Promise<void>;
}
