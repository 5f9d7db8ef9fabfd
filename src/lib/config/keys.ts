/**
 * Every key of config.toml, declared once: the types, the checks, `xmppctl help config` and xmppctl-config(5)
 * are made from these tables.
 */

export type ValueType = 'string' | 'boolean' | 'number' | 'strings';

export interface KeySpec {
  type: ValueType;
  /** What it means: sentences for people. */
  means: string;
  /** A value as it is written in the file. */
  example: string;
}

export const accountKeys = {
  jid: {
    type: 'string',
    means:
      'The address to log in as. With a resource, that resource is asked for. For a component its domain, for an anonymous log-in the server. Required.',
    example: '"alice@example.org"',
  },
  service: {
    type: 'string',
    means:
      'The server to connect to instead of asking DNS: host:port, xmpp://host:port (STARTTLS), xmpps://host:port (direct TLS), ws:// or wss://.',
    example: '"xmpps://xmpp.example.org:5223"',
  },
  password_file: {
    type: 'string',
    means: 'A file whose first line is the password. Nobody else may be able to read it (mode 0600).',
    example: '"~/.secrets/xmpp"',
  },
  password_command: {
    type: 'string',
    means:
      'A command for the shell; the first line it prints is the password. Its standard error is shown, and it has two minutes.',
    example: '"pass show xmpp/alice"',
  },
  keyring: {
    type: 'boolean',
    means: 'The password is in the keyring of the system (Secret Service, macOS Keychain, Windows).',
    example: 'true',
  },
  ca: {
    type: 'string',
    means: 'A PEM file with certificates that are trusted beside those of the system.',
    example: '"ca.pem"',
  },
  tls_pin: {
    type: 'strings',
    means:
      'Accept only a server with one of these keys or certificates: sha256: and the hash in hex or base64, of the certificate or of its public key.',
    example: '["sha256:…"]',
  },
  insecure: {
    type: 'boolean',
    means: 'Accept any certificate. Warned about on each use.',
    example: 'false',
  },
  allow_plain: {
    type: 'boolean',
    means:
      'Authenticate even where the stream is not encrypted. Components on the own machine need nothing: for them it is allowed.',
    example: 'false',
  },
  client_cert: {
    type: 'string',
    means: 'A PEM file with a TLS client certificate, to log in with SASL EXTERNAL.',
    example: '"alice.crt"',
  },
  client_key: {
    type: 'string',
    means: 'The PEM file with its key, when the key is not in the same file.',
    example: '"alice.key"',
  },
  timeout: {
    type: 'number',
    means: 'Seconds that each step of the connection and each reply may take (30 when left out).',
    example: '30',
  },
  fast: {
    type: 'boolean',
    means:
      'Keep the token that the server hands out (XEP-0484) and log in with it next time. It is stored where the password is: in the keyring, or in a file of mode 0600.',
    example: 'false',
  },
  component: {
    type: 'boolean',
    means: 'Connect as a component (XEP-0114): jid is its domain, the password is its secret.',
    example: 'false',
  },
  anonymous: {
    type: 'boolean',
    means: 'Log in as nobody in particular (SASL ANONYMOUS): jid is the server.',
    example: 'false',
  },
} as const satisfies Record<string, KeySpec>;

export const topKeys = {
  default_account: {
    type: 'string',
    means: 'The account that is used when neither --account nor XMPPCTL_ACCOUNT names one.',
    example: '"alice"',
  },
} as const satisfies Record<string, KeySpec>;

interface Values {
  string: string;
  boolean: boolean;
  number: number;
  strings: string[];
}

type Table<Keys extends Record<string, KeySpec>> = {
  -readonly [K in keyof Keys]?: Values[Keys[K]['type']];
};

/** One `[accounts.NAME]` table, with the names it has in the file. */
export type AccountProfile = Table<typeof accountKeys> & { jid: string };

export interface Config extends Table<typeof topKeys> {
  accounts: Record<string, AccountProfile>;
}
