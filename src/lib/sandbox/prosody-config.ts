/** Prosody's configuration for a sandbox, as text. */
import type { ConfigValue, SandboxPlan } from './options.js';
import { hostMeta } from './host-meta.js';
import { renderLua } from './lua.js';

type Settings = Readonly<Record<string, ConfigValue>>;

interface Section {
  /** Undefined for the global section. */
  header?: string;
  settings: Settings;
}

const PLUGIN = 'xmppctl_sandbox';

/** What every virtual host has. */
const HOST_MODULES = [
  PLUGIN,
  'roster',
  'saslauth',
  'disco',
  'ping',
  'time',
  'uptime',
  'version',
  'private',
  'carbons',
  'blocklist',
  'pep',
  'bookmarks',
  'vcard4',
  'vcard_legacy',
  'smacks',
  'csi',
  'csi_simple',
  'mam',
  'lastactivity',
  'register',
  'http',
  'bosh',
  'websocket',
];

const MECHANISMS = ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'PLAIN', 'DIGEST-MD5'];

/**
 * @param hasPrivilege mod_privilege of prosody-modules is installed
 * @param pluginDir where `mod_xmppctl_sandbox.lua` is
 */
export function renderProsodyConfig(plan: SandboxPlan, pluginDir: string, hasPrivilege: boolean): string {
  const { domain, addresses, options } = plan;
  const sections: Section[] = [
    { settings: { ...globalSettings(plan, pluginDir), ...options.prosody?.global } },
    {
      header: `VirtualHost ${renderLua(domain)}`,
      settings: { ...hostSettings(plan, hasPrivilege), ...options.prosody?.host },
    },
    {
      header: `VirtualHost ${renderLua(addresses.anonymous)}`,
      settings: { authentication: 'anonymous', allow_anonymous_s2s: false },
    },
    ...(options.clientCertificates ? [clientCertificateHost(plan)] : []),
    component(addresses.muc, 'muc', {
      modules_enabled: [PLUGIN, 'muc_mam'],
      muc_log_by_default: true,
      restrict_room_creation: false,
    }),
    component(addresses.pubsub, 'pubsub', {
      autocreate_on_publish: true,
      autocreate_on_subscribe: false,
      // Room for large nodes: the default is 256.
      pubsub_max_items: 200_000,
      sandbox_open_pubsub: true,
      expose_publisher: true,
    }),
    component(addresses.proxy, 'proxy65', {
      proxy65_address: options.proxyAddress ?? '127.0.0.1',
      proxy65_acl: [domain],
    }),
    component(addresses.upload, 'http_file_share', {
      http_host: domain,
      http_external_url: externalUrl(plan),
      http_file_share_size_limit: 100 * 1024 * 1024,
      http_file_share_daily_quota: 1024 * 1024 * 1024,
      http_file_share_access: [domain],
    }),
    ...plan.components.map((name) =>
      component(name, undefined, {
        component_secret: plan.componentSecret,
        modules_enabled: [PLUGIN, ...(hasPrivilege && name === addresses.privileged ? ['privilege'] : [])],
      }),
    ),
  ];
  return sections.map(renderSection).join('\n');
}

function globalSettings(plan: SandboxPlan, pluginDir: string): Settings {
  const { ports, files, options, listenOn } = plan;
  const encryption = options.encryption ?? 'required';
  const hasTls = encryption !== 'none';
  const tls = { key: files.key, certificate: files.cert, cafile: files.ca, protocol: tlsProtocol(plan) };
  const allowed = options.mechanisms ?? ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'PLAIN'];
  const disabled = MECHANISMS.filter((mechanism) => !allowed.includes(mechanism));
  return {
    data_path: plan.dataDir,
    plugin_paths: [pluginDir],
    log: [{ levels: { min: options.logLevel ?? 'info' }, to: 'console' }],
    interfaces: listenOn,
    local_interfaces: listenOn,
    c2s_ports: [ports.c2s],
    c2s_direct_tls_ports: hasTls ? [ports.c2sTls] : [],
    s2s_ports: [ports.s2s],
    s2s_direct_tls_ports: hasTls ? [ports.s2sTls] : [],
    s2s_direct_tls_ssl: tls,
    component_ports: [ports.component],
    component_interfaces: listenOn,
    proxy65_ports: [ports.proxy],
    proxy65_interfaces: listenOn,
    http_ports: [ports.http],
    http_interfaces: listenOn,
    https_ports: hasTls ? [ports.https] : [],
    https_interfaces: listenOn,
    http_default_host: plan.domain,
    http_max_content_size: 200 * 1024 * 1024,
    network_settings: { tcp_backlog: 128 },
    storage: options.storage === 'disk' ? 'internal' : 'memory',
    modules_enabled: [...HOST_MODULES, 's2s', 'dialback', ...(hasTls ? ['tls'] : [])],
    modules_disabled: ['posix'],
    // Prosody looks here for certificates by name, and complains when it is missing.
    certificates: plan.dir,
    ssl: tls,
    c2s_direct_tls_ssl: options.clientCertificates ? { ...tls, verify: ['peer', 'client_once'] } : tls,
    https_ssl: tls,
    authentication: 'internal_plain',
    disable_sasl_mechanisms: [
      ...disabled,
      ...disabled
        .filter((mechanism) => mechanism.startsWith('SCRAM'))
        .map((mechanism) => `${mechanism}-PLUS`),
    ],
    insecure_sasl_mechanisms: hasTls ? ['PLAIN'] : [],
    c2s_require_encryption: encryption === 'required',
    allow_unencrypted_plain_auth: !hasTls,
    s2s_require_encryption: hasTls,
    s2s_secure_auth: false,
    allow_registration: true,
    registration_whitelist: ['127.0.0.1', '::1'],
    whitelist_registration_only: true,
  };
}

function hostSettings(plan: SandboxPlan, hasPrivilege: boolean): Settings {
  const { accounts, addresses, ports, options } = plan;
  const [admin] = Object.values(accounts);
  return {
    modules_enabled: ['register_ibr', ...(hasPrivilege ? ['privilege'] : [])],
    ...(admin && { admins: [admin.jid] }),
    sandbox_accounts: Object.fromEntries(
      Object.entries(accounts).map(([name, { password }]) => [name, password]),
    ),
    sandbox_host_meta: hostMeta(ports, options.encryption !== 'none'),
    http_external_url: externalUrl(plan),
    privileged_entities: {
      [addresses.privileged]: {
        roster: 'both',
        message: 'outgoing',
        presence: 'roster',
        iq: {
          'http://jabber.org/protocol/pubsub': 'both',
          'http://jabber.org/protocol/pubsub#owner': 'both',
          'vcard-temp': 'both',
          'urn:ietf:params:xml:ns:vcard-4.0': 'both',
        },
      },
    },
  };
}

/** Client certificates replace the passwords of a host in Prosody, so they have one of their own. */
function clientCertificateHost(plan: SandboxPlan): Section {
  const { files } = plan;
  return {
    header: `VirtualHost ${renderLua(plan.addresses.certificates)}`,
    settings: {
      authentication: 'ccert',
      certificate_match: 'xmppaddr',
      c2s_ssl: {
        key: files.key,
        certificate: files.cert,
        cafile: files.ca,
        protocol: tlsProtocol(plan),
        verify: ['peer', 'client_once'],
      },
    },
  };
}

function component(name: string, kind: string | undefined, settings: Settings): Section {
  return {
    header: `Component ${renderLua(name)}${kind === undefined ? '' : ` ${renderLua(kind)}`}`,
    settings: { modules_enabled: [PLUGIN], ...settings },
  };
}

function tlsProtocol({ options }: SandboxPlan): string {
  if (options.tlsVersion === undefined) return 'tlsv1_2+';
  return options.tlsVersion === '1.2' ? 'tlsv1_2' : 'tlsv1_3';
}

/** Uploads are fetched from an address that needs no DNS; the certificate names it. */
function externalUrl({ options, ports }: SandboxPlan): string {
  return options.encryption === 'none'
    ? `http://127.0.0.1:${ports.http}/`
    : `https://127.0.0.1:${ports.https}/`;
}

function renderSection({ header, settings }: Section): string {
  const indent = header === undefined ? '' : '\t';
  const lines = Object.entries(settings).map(([name, value]) => `${indent}${name} = ${renderLua(value)};`);
  return `${[...(header === undefined ? [] : [header]), ...lines].join('\n')}\n`;
}
