/** ejabberd's configuration for a sandbox. It is YAML to ejabberd, and JSON is YAML. */
import type { ConfigValue, SandboxPlan } from './options.js';
import { API_PATH, BOSH_PATH, WEBSOCKET_PATH } from './host-meta.js';

type Settings = Readonly<Record<string, ConfigValue>>;

/** What comes through the socket in the sandbox's own folder may do everything. */
const OWNER_TAG = 'owner';

const MECHANISMS = [
  'SCRAM-SHA-1',
  'SCRAM-SHA-256',
  'SCRAM-SHA-512',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-512-PLUS',
  'PLAIN',
  'DIGEST-MD5',
  'X-OAUTH2',
];

/** @param apiSocket the path of the socket on which ejabberd takes commands; only the owner of the sandbox reaches it */
export function renderEjabberdConfig(plan: SandboxPlan, apiSocket: string): string {
  const { domain, addresses, options } = plan;
  const allowed = options.mechanisms ?? ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'PLAIN'];
  const settings: Settings = {
    hosts: [domain, addresses.anonymous, ...(options.clientCertificates ? [addresses.certificates] : [])],
    loglevel: options.logLevel === 'warn' ? 'warning' : (options.logLevel ?? 'info'),
    certfiles: [plan.files.cert, plan.files.key],
    ca_file: plan.files.ca,
    c2s_cafile: plan.files.ca,
    listen: listeners(plan, apiSocket),
    auth_method: ['internal'],
    auth_password_format: 'plain',
    // Accounts come and go behind its back only when tests want to see exactly that.
    auth_use_cache: false,
    disable_sasl_mechanisms: MECHANISMS.filter(
      (mechanism) => !allowed.includes(mechanism.replace(/-PLUS$/, '')),
    ),
    s2s_use_starttls: options.encryption === 'none' ? 'optional' : 'required',
    acme: { auto: false },
    registration_timeout: 'infinity',
    acl: {
      loopback: { ip: ['127.0.0.0/8', '::1/128'] },
      admin: {
        user: Object.values(plan.accounts)
          .slice(0, 1)
          .map(({ jid }) => jid),
      },
      privileged: { server: [addresses.privileged] },
    },
    access_rules: {
      loopback: { allow: 'loopback' },
      admin: { allow: 'admin' },
      privileged: { allow: 'privileged' },
    },
    api_permissions: {
      sandbox: { from: [{ tag: OWNER_TAG }], who: 'all', what: '*' },
      administrator: {
        from: ['mod_http_api'],
        who: [
          { access: { allow: 'admin' } },
          { oauth: { scope: 'ejabberd:admin', access: { allow: 'admin' } } },
        ],
        what: ['*', '!stop', '!restart'],
      },
    },
    // Tokens for administrators, as the command oauth_issue_token gives them.
    oauth_access: 'admin',
    modules: {
      mod_adhoc: {},
      mod_admin_extra: {},
      mod_blocking: {},
      mod_bosh: {},
      mod_caps: {},
      mod_carboncopy: {},
      mod_client_state: {},
      mod_disco: {},
      mod_http_api: {},
      mod_last: {},
      mod_mam: { default: 'always' },
      mod_offline: {},
      mod_ping: {},
      mod_privacy: {},
      mod_private: {},
      mod_pubsub: {
        hosts: ['pubsub.@HOST@'],
        plugins: ['flat', 'pep'],
        access_createnode: 'all',
        // Room for large nodes: the default is 1000.
        max_items_node: 200_000,
        force_node_config: {},
      },
      mod_roster: { versioning: true },
      mod_s2s_dialback: {},
      mod_stream_mgmt: { resend_on_timeout: 'if_offline' },
      mod_time: {},
      mod_vcard: { search: false },
      mod_vcard_xupdate: {},
      mod_version: { show_os: false },
    },
    host_config: {
      [addresses.anonymous]: {
        auth_method: ['anonymous'],
        anonymous_protocol: 'sasl_anon',
        allow_multiple_connections: true,
      },
    },
    append_host_config: { [domain]: { modules: services(plan) } },
  };
  return `${JSON.stringify(merge(settings, options.ejabberd ?? {}), undefined, 1)}\n`;
}

function services(plan: SandboxPlan): Settings {
  const { addresses, options, ports } = plan;
  const hasTls = options.encryption !== 'none';
  const upload = hasTls ? `https://127.0.0.1:${ports.https}/upload` : `http://127.0.0.1:${ports.http}/upload`;
  return {
    mod_avatar: {},
    mod_host_meta: {
      bosh_service_url: `${hasTls ? `https://127.0.0.1:${ports.https}` : `http://127.0.0.1:${ports.http}`}${BOSH_PATH}`,
      websocket_url: `${hasTls ? `wss://127.0.0.1:${ports.https}` : `ws://127.0.0.1:${ports.http}`}${WEBSOCKET_PATH}`,
    },
    mod_http_upload: {
      hosts: [addresses.upload],
      access: 'all',
      put_url: upload,
      get_url: upload,
      docroot: `${plan.dataDir}/upload`,
      max_size: 100 * 1024 * 1024,
      thumbnail: false,
    },
    mod_muc: {
      hosts: [addresses.muc],
      access: 'all',
      access_admin: 'admin',
      access_create: 'all',
      access_persistent: 'all',
      access_mam: 'all',
      default_room_options: { mam: true },
    },
    mod_privilege: {
      roster: { both: 'privileged' },
      message: { outgoing: 'privileged' },
      presence: { managed_entity: 'privileged', roster: 'privileged' },
    },
    mod_proxy65: {
      hosts: [addresses.proxy],
      hostname: options.proxyAddress ?? '127.0.0.1',
      ip: '127.0.0.1',
      port: ports.proxy,
    },
    mod_register: { ip_access: 'loopback', access: 'all', password_strength: 0 },
  };
}

function listeners(plan: SandboxPlan, apiSocket: string): Settings[] {
  const { ports, options, listenOn } = plan;
  const encryption = options.encryption ?? 'required';
  const hasTls = encryption !== 'none';
  const protocol_options = [
    'no_sslv3',
    'no_tlsv1',
    'no_tlsv1_1',
    ...(options.tlsVersion === '1.2' ? ['no_tlsv1_3'] : []),
    ...(options.tlsVersion === '1.3' ? ['no_tlsv1_2'] : []),
  ];
  const c2s = { module: 'ejabberd_c2s', max_stanza_size: 262_144, protocol_options };
  const s2s = { module: 'ejabberd_s2s_in', max_stanza_size: 524_288, protocol_options };
  const tls_verify = options.clientCertificates === true;
  const request_handlers = {
    '/.well-known/host-meta': 'mod_host_meta',
    '/.well-known/host-meta.json': 'mod_host_meta',
    [WEBSOCKET_PATH]: 'ejabberd_http_ws',
    [BOSH_PATH]: 'mod_bosh',
    '/upload': 'mod_http_upload',
  };
  const api = { [API_PATH]: 'mod_http_api' };
  const components = Object.fromEntries(
    plan.components.map((name) => [name, { password: plan.componentSecret }]),
  );
  const each = listenOn.flatMap((ip): Settings[] => [
    {
      ...c2s,
      ip,
      port: ports.c2s,
      ...(hasTls && { starttls: true, tls_verify, starttls_required: encryption === 'required' }),
    },
    ...(hasTls ? [{ ...c2s, ip, port: ports.c2sTls, tls: true, tls_verify }] : []),
    { ...s2s, ip, port: ports.s2s },
    ...(hasTls ? [{ ...s2s, ip, port: ports.s2sTls, tls: true }] : []),
    { ip, port: ports.component, module: 'ejabberd_service', hosts: components, check_from: true },
    {
      ip,
      port: ports.http,
      module: 'ejabberd_http',
      request_handlers: { ...request_handlers, ...(!hasTls && api) },
    },
    ...(hasTls
      ? [
          {
            ip,
            port: ports.https,
            module: 'ejabberd_http',
            tls: true,
            protocol_options,
            request_handlers: { ...request_handlers, ...api },
          },
        ]
      : []),
  ]);
  return [
    ...each,
    { port: `unix:${apiSocket}`, module: 'ejabberd_http', tag: OWNER_TAG, request_handlers: api },
  ];
}

/** Maps are merged, lists extended, everything else replaced. */
function merge(base: Settings, more: Settings): Settings {
  const merged: Record<string, ConfigValue> = { ...base };
  for (const [key, value] of Object.entries(more)) {
    const before = merged[key];
    if (isList(before) && isList(value)) merged[key] = [...before, ...value];
    else if (isMap(before) && isMap(value)) merged[key] = merge(before, value);
    else merged[key] = value;
  }
  return merged;
}

function isList(value: ConfigValue | undefined): value is readonly ConfigValue[] {
  return Array.isArray(value);
}

function isMap(value: ConfigValue | undefined): value is Settings {
  return typeof value === 'object' && !isList(value);
}
