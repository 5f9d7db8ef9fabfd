/** The options every command takes. They may stand before or after the command's own words. */
import type { Command } from '@commander-js/extra-typings';

export interface GlobalOptions {
  account?: string;
  jid?: string;
  service?: string;
  /** Seconds, as typed. */
  timeout?: number;
  /** `-` is stderr. */
  trace?: string;
  traceSecrets?: boolean;
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  debug?: boolean;
  color?: boolean;
  ca?: string;
  tlsPin?: string[];
  clientCert?: string;
  clientKey?: string;
  insecure?: boolean;
  passwordFile?: string;
  passwordFd?: number;
  component?: string;
  anonymous?: boolean;
}

/** What a timer of Node can wait: 24 days. Longer ones end there. */
export const maxTimeoutSeconds = 2_147_483;

export type OptionGroup = 'connection' | 'output';

export interface GlobalOption {
  flags: string;
  description: string;
  group: OptionGroup;
  /** Needs a value; `--trace` takes one only as `--trace=FILE`. */
  takesValue: 'always' | 'attached' | 'never';
}

export const globalOptions: readonly GlobalOption[] = [
  {
    flags: '--account <name>',
    description: 'the profile to use (see xmppctl account)',
    group: 'connection',
    takesValue: 'always',
  },
  {
    flags: '--jid <jid>',
    description: 'the address to log in as; with a resource, ask for that resource',
    group: 'connection',
    takesValue: 'always',
  },
  {
    flags: '--service <uri>',
    description:
      'the server to connect to instead of asking DNS: host:port, xmpp://, xmpps://, ws:// or wss://',
    group: 'connection',
    takesValue: 'always',
  },
  {
    flags: '--timeout <seconds>',
    description: 'how long each step and each reply may take (default 30)',
    group: 'connection',
    takesValue: 'always',
  },
  {
    flags: '--password-file <file>',
    description: 'read the password from the first line of a file',
    group: 'connection',
    takesValue: 'always',
  },
  {
    flags: '--password-fd <number>',
    description: 'read the password from an open file descriptor',
    group: 'connection',
    takesValue: 'always',
  },
  {
    flags: '--ca <file>',
    description: 'also trust the certificates in a PEM file',
    group: 'connection',
    takesValue: 'always',
  },
  {
    flags: '--tls-pin <pin>',
    description: 'accept only this key or certificate: sha256: and hex or base64 (repeatable)',
    group: 'connection',
    takesValue: 'always',
  },
  {
    flags: '--client-cert <file>',
    description: 'log in with a TLS client certificate (SASL EXTERNAL)',
    group: 'connection',
    takesValue: 'always',
  },
  {
    flags: '--client-key <file>',
    description: 'the key of the client certificate',
    group: 'connection',
    takesValue: 'always',
  },
  {
    flags: '--insecure',
    description: 'accept any certificate; says so each time',
    group: 'connection',
    takesValue: 'never',
  },
  {
    flags: '--anonymous',
    description: 'log in without an account (SASL ANONYMOUS)',
    group: 'connection',
    takesValue: 'never',
  },
  {
    flags: '--component <domain>',
    description: 'connect as a component (XEP-0114) with this domain; the password is its secret',
    group: 'connection',
    takesValue: 'always',
  },
  {
    flags: '--trace [file]',
    description: 'show what crosses the stream on stderr, or record it with --trace=FILE',
    group: 'output',
    takesValue: 'attached',
  },
  {
    flags: '--trace-secrets',
    description: 'do not redact passwords and tokens in the trace',
    group: 'output',
    takesValue: 'never',
  },
  {
    flags: '--json',
    description: 'print results as JSON, streams as one JSON object a line',
    group: 'output',
    takesValue: 'never',
  },
  {
    flags: '-q, --quiet',
    description: 'print results and errors only',
    group: 'output',
    takesValue: 'never',
  },
  { flags: '-v, --verbose', description: 'say what is being done', group: 'output', takesValue: 'never' },
  { flags: '--debug', description: 'show stack traces', group: 'output', takesValue: 'never' },
  { flags: '--no-color', description: 'no colour, even on a terminal', group: 'output', takesValue: 'never' },
];

/** Which groups a command takes: one that never connects has no use for the connection options. */
export function groupsFor(needs: 'connection' | 'account' | 'nothing' | undefined): readonly OptionGroup[] {
  return needs === undefined || needs === 'connection' ? ['connection', 'output'] : ['output'];
}

/** Declares the global options on a command, as a group of their own in its help. */
export function addGlobalOptions(command: Command, groups: readonly OptionGroup[]): void {
  for (const option of globalOptions) {
    if (!groups.includes(option.group)) continue;
    const heading = option.group === 'connection' ? 'Connection:' : 'Output:';
    const declared = command.createOption(option.flags, option.description).helpGroup(heading);
    if (option.flags.startsWith('--tls-pin')) {
      declared.argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value]);
    }
    command.addOption(declared);
  }
}
