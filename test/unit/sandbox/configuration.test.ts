import { describe, expect, it } from 'vitest';
import { renderEjabberdConfig } from '../../../src/lib/sandbox/ejabberd-config.js';
import { renderLua } from '../../../src/lib/sandbox/lua.js';
import { planAddresses, type SandboxOptions, type SandboxPlan } from '../../../src/lib/sandbox/options.js';
import { renderProsodyConfig } from '../../../src/lib/sandbox/prosody-config.js';

function plan(options: SandboxOptions = {}): SandboxPlan {
  const addresses = planAddresses('chat.localhost');
  return {
    domain: 'chat.localhost',
    addresses,
    components: [addresses.component, addresses.privileged],
    ports: { c2s: 1, c2sTls: 2, s2s: 3, s2sTls: 8, component: 4, proxy: 5, http: 6, https: 7 },
    listenOn: ['127.0.0.1', '::1'],
    accounts: { alice: { jid: 'alice@chat.localhost', password: 'a"\\b' } },
    componentSecret: 'hush',
    dir: '/tmp/x',
    files: { ca: '/tmp/x/ca.pem', cert: '/tmp/x/server.crt', key: '/tmp/x/server.key' },
    dataDir: '/tmp/x/data',
    options,
  };
}

const prosody = (options?: SandboxOptions) => renderProsodyConfig(plan(options), '/tmp/x/plugins', true);

interface EjabberdConfig {
  listen: { ip?: string; port: number | string; module: string; [option: string]: unknown }[];
  api_permissions: Record<string, { from: unknown[]; who: unknown; what: unknown }>;
  disable_sasl_mechanisms: string[];
  modules: Record<string, unknown>;
  hosts: string[];
  [option: string]: unknown;
}
const ejabberd = (options?: SandboxOptions) =>
  JSON.parse(renderEjabberdConfig(plan(options), '/tmp/x/api')) as EjabberdConfig;

describe('Lua', () => {
  it.each([
    ['plain', '"plain"'],
    ['with "quotes" and \\', '"with \\034quotes\\034 and \\092"'],
    ['line\nbreak\0', '"line\\010break\\000"'],
    ['naïve ☃', '"naïve ☃"'],
    [3, '3'],
    [false, 'false'],
    [['a', 1], '{ "a", 1 }'],
    [[], '{  }'],
    [{ 'a-b': { c: true } }, '{ ["a-b"] = { ["c"] = true } }'],
  ])('%j becomes %s', (value, text) => {
    expect(renderLua(value)).toBe(text);
  });
});

describe('the configuration of Prosody', () => {
  it('listens on loopback only', () => {
    const text = prosody();
    expect(text).toContain('interfaces = { "127.0.0.1", "::1" };');
    expect(text.match(/^\w*interfaces = .*$/gm)).toHaveLength(6);
    expect(text).not.toMatch(/"\*"|0\.0\.0\.0|"::"/);
  });

  it('quotes passwords', () => {
    expect(prosody()).toContain('sandbox_accounts = { ["alice"] = "a\\034\\092b" };');
  });

  it('gives privileges to one component, and to none without the module', () => {
    expect(prosody()).toMatch(/Component "privileged\.chat\.localhost"\n.*"privilege"/);
    expect(prosody()).not.toMatch(/Component "component\.chat\.localhost"\n.*"privilege"/);
    expect(renderProsodyConfig(plan(), '/tmp/x/plugins', false)).not.toContain('"privilege"');
  });

  it('offers only the mechanisms that were asked for', () => {
    expect(prosody({ mechanisms: ['SCRAM-SHA-1'] })).toContain(
      'disable_sasl_mechanisms = { "SCRAM-SHA-256", "PLAIN", "DIGEST-MD5", "SCRAM-SHA-256-PLUS" };',
    );
  });

  it('offers no TLS when it must not', () => {
    const text = prosody({ encryption: 'none' });
    expect(text).toContain('allow_unencrypted_plain_auth = true;');
    expect(text).toContain('https_ports = {  };');
    expect(text).not.toMatch(/modules_enabled = .*"tls"/);
    expect(text).toContain('http_external_url = "http://127.0.0.1:6/";');
  });

  it('can be held to one version of TLS', () => {
    expect(prosody()).toContain('["protocol"] = "tlsv1_2+"');
    expect(prosody({ tlsVersion: '1.2' })).toContain('["protocol"] = "tlsv1_2" }');
    expect(prosody({ tlsVersion: '1.3' })).toContain('["protocol"] = "tlsv1_3" }');
  });

  it('takes further settings', () => {
    const text = prosody({ prosody: { global: { c2s_timeout: 3 }, host: { http_host: 'x' } } });
    expect(text).toMatch(/^c2s_timeout = 3;$/m);
    expect(text).toMatch(/^\thttp_host = "x";$/m);
  });
});

describe('the configuration of ejabberd', () => {
  it('listens on loopback and on a socket only', () => {
    for (const { ip, port } of ejabberd().listen) {
      expect(ip ?? port).toMatch(/^(127\.0\.0\.1|::1|unix:\/tmp\/x\/api)$/);
    }
  });

  it('takes commands on its socket, and over TLS from administrators', () => {
    const { listen, api_permissions: permissions } = ejabberd();
    const withApi = listen.filter((listener) => JSON.stringify(listener).includes('mod_http_api'));
    expect(withApi.map(({ port, tls, tag }) => ({ port, tls, tag }))).toEqual([
      { port: 7, tls: true, tag: undefined },
      { port: 7, tls: true, tag: undefined },
      { port: 'unix:/tmp/x/api', tls: undefined, tag: 'owner' },
    ]);
    const forAll = Object.values(permissions).filter(({ who }) => who === 'all');
    expect(forAll).toEqual([{ from: [{ tag: 'owner' }], who: 'all', what: '*' }]);
  });

  it('offers only the mechanisms that were asked for', () => {
    expect(ejabberd({ mechanisms: ['SCRAM-SHA-256'] }).disable_sasl_mechanisms).toEqual([
      'SCRAM-SHA-1',
      'SCRAM-SHA-512',
      'SCRAM-SHA-1-PLUS',
      'SCRAM-SHA-512-PLUS',
      'PLAIN',
      'DIGEST-MD5',
      'X-OAUTH2',
    ]);
  });

  it('offers no TLS when it must not', () => {
    const { listen } = ejabberd({ encryption: 'none' });
    expect(listen.filter(({ port }) => port === 2 || port === 7)).toEqual([]);
    expect(listen.filter((listener) => listener['starttls'] === true)).toEqual([]);
  });

  it('can be held to one version of TLS', () => {
    const options = (settings?: SandboxOptions) =>
      ejabberd(settings).listen.find(({ port }) => port === 1)?.['protocol_options'];
    expect(options({ tlsVersion: '1.2' })).toContain('no_tlsv1_3');
    expect(options({ tlsVersion: '1.3' })).toContain('no_tlsv1_2');
    expect(options()).toEqual(['no_sslv3', 'no_tlsv1', 'no_tlsv1_1']);
  });

  it('has further settings merged into it', () => {
    const config = ejabberd({
      ejabberd: {
        modules: { mod_mqtt: {}, mod_last: { db_type: 'sql' } },
        hosts: ['more.localhost'],
        loglevel: 'error',
      },
    });
    expect(config.modules).toMatchObject({ mod_mqtt: {}, mod_last: { db_type: 'sql' }, mod_ping: {} });
    expect(config.hosts).toEqual(['chat.localhost', 'anon.chat.localhost', 'more.localhost']);
    expect(config['loglevel']).toBe('error');
  });
});
