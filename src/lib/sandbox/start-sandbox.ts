import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SandboxError, UsageError } from '../errors.js';
import { createAuthority, type CertificateAuthority } from './certificates.js';
import { prepareEjabberd } from './ejabberd.js';
import { findServer, usualPath, type InstalledServer } from './find-server.js';
import { findFreePorts, loopbackAddresses } from './free-ports.js';
import { apiUrl, boshUrl, webSocketUrl } from './host-meta.js';
import { planAddresses, type SandboxOptions, type SandboxPlan } from './options.js';
import { prepareProsody } from './prosody.js';
import { PortTaken, RunningServer } from './running-server.js';
import type { Sandbox, SandboxAccount } from './sandbox.js';
import { Guard } from './server-process.js';
import { unprivilegedUser, type SystemUser } from './unprivileged-user.js';

const HOST = '127.0.0.1';
const DEFAULT_DOMAIN = 'sandbox.localhost';
const DEFAULT_ACCOUNTS = ['alice', 'bob', 'carol'];
const PORT_ATTEMPTS = 4;
const RAM_DISK = '/dev/shm';
const DAY_MS = 24 * 3_600_000;

/**
 * Starts a server and waits until it answers.
 * @throws SandboxError no server is installed, or it did not start; the message ends with what it logged last
 * @throws UsageError an account or the domain cannot be one
 * @throws InterruptedError `signal` was aborted
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const searchPath = usualPath(options.searchPath);
  const installed = await findServer(options.server, searchPath);
  const domain = checkDomain(options.domain ?? DEFAULT_DOMAIN);
  const accounts = planAccounts(options.accounts ?? DEFAULT_ACCOUNTS, domain);
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(installed, searchPath, domain, accounts, options);
    } catch (error) {
      if (!(error instanceof PortTaken)) throw error;
      if (attempt === PORT_ATTEMPTS) throw new SandboxError(error.message);
    }
  }
}

async function startOnce(
  installed: InstalledServer,
  searchPath: string,
  domain: string,
  accounts: Readonly<Record<string, SandboxAccount>>,
  options: SandboxOptions,
): Promise<Sandbox> {
  const user = await unprivilegedUser(installed.name);
  const dir = await makeDirectory(installed, options);
  const guard = new Guard(dir, searchPath);
  let server: RunningServer | undefined;
  const stop = async () => {
    await server?.kill();
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    await guard.release();
  };
  try {
    const plan = await makePlan(dir, domain, accounts, options);
    const authority = await writeCertificates(plan);
    const prepare = installed.name === 'prosody' ? prepareProsody : prepareEjabberd;
    const command = await prepare(plan, installed, searchPath);
    if (user) await giveTo(user, dir);
    server = new RunningServer(installed.name, plan, command, user, guard);
    await server.start();
    if (options.isDetached) guard.dismiss();
    return createSandbox(server, authority, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

function createSandbox(
  server: RunningServer,
  authority: CertificateAuthority,
  stop: () => Promise<void>,
): Sandbox {
  const { plan } = server;
  const hasTls = plan.options.encryption !== 'none';
  return {
    server: server.name,
    domain: plan.domain,
    host: HOST,
    ports: plan.ports,
    addresses: plan.addresses,
    services: {
      starttls: `xmpp://${HOST}:${plan.ports.c2s}`,
      tls: `xmpps://${HOST}:${plan.ports.c2sTls}`,
      websocket: webSocketUrl(plan.ports, hasTls),
      bosh: boshUrl(plan.ports, hasTls),
      ...(server.name === 'ejabberd' && { api: apiUrl(plan.ports, hasTls) }),
    },
    accounts: plan.accounts,
    componentSecret: plan.componentSecret,
    components: plan.components,
    caFile: plan.files.ca,
    dir: plan.dir,
    logFile: server.logFile,
    get pid() {
      return server.pid;
    },
    ca: authority.cert,
    readLog: () => server.readLog(),
    waitForEnd: () => server.waitForEnd(),
    issueClientCertificate: (jid, validity) =>
      authority.issue({ commonName: jid, xmppAddrs: [jid], ...validity }),
    issueServerCertificate: (domain) => authority.issue({ commonName: domain, names: [domain] }),
    signal: (name) => {
      server.signal(name);
    },
    shutDown: () => server.shutDown(),
    restart: async () => {
      await server.shutDown();
      await server.start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function makeDirectory(installed: InstalledServer, options: SandboxOptions): Promise<string> {
  const onRamDisk = installed.name === 'ejabberd' && options.storage !== 'disk';
  const parent = onRamDisk && (await isDirectory(RAM_DISK)) ? RAM_DISK : tmpdir();
  return mkdtemp(path.join(parent, 'xmppctl-'));
}

async function isDirectory(name: string): Promise<boolean> {
  return stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function makePlan(
  dir: string,
  domain: string,
  accounts: Readonly<Record<string, SandboxAccount>>,
  options: SandboxOptions,
): Promise<SandboxPlan> {
  const addresses = planAddresses(domain);
  const listenOn = await loopbackAddresses();
  const names = ['c2s', 'c2sTls', 's2s', 's2sTls', 'component', 'proxy', 'http', 'https'] as const;
  const free = await findFreePorts(names.length, listenOn);
  const port = (name: (typeof names)[number]) => free[names.indexOf(name)] ?? 0;
  const dataDir = path.join(dir, 'data');
  await mkdir(dataDir);
  return {
    domain,
    addresses,
    components: [
      addresses.component,
      addresses.privileged,
      ...(options.components ?? []).map((label) => `${label}.${domain}`),
    ],
    ports: {
      c2s: port('c2s'),
      c2sTls: port('c2sTls'),
      s2s: port('s2s'),
      s2sTls: port('s2sTls'),
      component: port('component'),
      proxy: port('proxy'),
      http: port('http'),
      https: port('https'),
    },
    listenOn,
    accounts,
    componentSecret: newPassword(),
    dir,
    files: {
      ca: path.join(dir, 'ca.pem'),
      cert: path.join(dir, 'server.crt'),
      key: path.join(dir, 'server.key'),
    },
    dataDir,
    options,
  };
}

async function writeCertificates({ domain, files, options }: SandboxPlan): Promise<CertificateAuthority> {
  const authority = createAuthority('xmppctl sandbox');
  const kind = options.certificate ?? 'valid';
  const named = kind === 'wrong-name' ? 'elsewhere.localhost' : domain;
  const signer = kind === 'self-signed' ? createAuthority('somebody else') : authority;
  const { cert, key } = signer.issue({
    commonName: named,
    names: [named, `*.${named}`, ...(kind === 'wrong-name' ? [] : [HOST, '::1'])],
    srvDomains: [named],
    ...(kind === 'expired' && {
      notBefore: new Date(Date.now() - 2 * DAY_MS),
      notAfter: new Date(Date.now() - DAY_MS),
    }),
  });
  await writeFile(files.ca, authority.cert);
  await writeFile(files.cert, cert);
  await writeFile(files.key, key, { mode: 0o600 });
  return authority;
}

/** The server must read and write everything in its directory, also when it is not ours to be. */
async function giveTo(user: SystemUser, dir: string): Promise<void> {
  await chmod(dir, 0o700);
  await chown(dir, user.uid, user.gid);
  for (const entry of await readdir(dir, { recursive: true })) {
    await chown(path.join(dir, entry), user.uid, user.gid);
  }
}

function planAccounts(
  wanted: NonNullable<SandboxOptions['accounts']>,
  domain: string,
): Record<string, SandboxAccount> {
  const accounts: Record<string, SandboxAccount> = {};
  for (const account of wanted) {
    const { name, password } =
      typeof account === 'string' ? { name: account, password: newPassword() } : account;
    if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)) {
      throw new UsageError(`a sandbox cannot have an account named ${JSON.stringify(name)}`, {
        hint: 'use lower-case letters, digits, dots, dashes and underscores',
      });
    }
    accounts[name] = { jid: `${name}@${domain}`, password };
  }
  return accounts;
}

function checkDomain(domain: string): string {
  if (/^(?=.{1,200}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(domain))
    return domain;
  throw new UsageError(`a sandbox cannot have the domain ${JSON.stringify(domain)}`, {
    hint: 'use lower-case labels of letters, digits and dashes',
  });
}

function newPassword(): string {
  return randomBytes(18).toString('base64url');
}
