/**
 * Real DNS on loopback: zones from a root of our own down, signed by the tools of BIND and served by its `named`, and
 * `unbound` in front of them as the validating resolver that people have. Needs bind9, bind9-utils and unbound.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:fs';
import { access, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { usualPath } from '../../src/lib/sandbox/find-server.js';
import { findFreePorts } from '../../src/lib/sandbox/free-ports.js';

const run = promisify(execFile);

export interface LabZone {
  /** Without a dot at the end. The zones above it are made too: signed, with nothing in them. */
  name: string;
  /** Lines as in a zone file: `_xmpp-client._tcp 60 IN SRV 0 0 5222 xmpp`. SOA, NS and DS records come by themselves. */
  records?: readonly string[];
  /** How it denies what does not exist; `unsigned` has no DS record in the zone above. NSEC unless told. */
  security?: 'nsec' | 'nsec3' | 'opt-out' | 'unsigned';
  /** By the name that BIND has for it; `ECDSAP256SHA256` unless told. */
  algorithm?: string;
  /** Its signatures are of last week. */
  isExpired?: boolean;
  /** What is put in the place of what after it was signed: the signatures over it become wrong. */
  forgery?: { replace: string; by: string };
}

export interface DnsLab {
  /** `unbound`: answers SERVFAIL for what is bogus. */
  resolver: { address: string; port: number };
  /** `named`, which has all the zones and validates nothing. */
  authoritative: { address: string; port: number };
  /** The key of the root, as a DNSKEY record. */
  trustAnchorFile: string;
  stop: () => Promise<void>;
}

const ADDRESS = '127.0.0.1';
const START_TIMEOUT_MS = 30_000;

/** Its zones are the root, those given, and those between. */
export async function startDnsLab({ zones }: { zones: readonly LabZone[] }): Promise<DnsLab> {
  const folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-dns-'));
  const servers: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const server of servers.reverse()) await end(server);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const all = addZonesAbove(zones);
    for (const zone of all) await writeZone(folder, zone, all);
    const trustAnchorFile = path.join(folder, 'root.key');
    await copyFile(await findKeyFile(folder, '.'), trustAnchorFile);
    const [named = 0, unbound = 0] = await findFreePorts(2, [ADDRESS]);
    await writeFile(path.join(folder, 'named.conf'), describeNamed(folder, named, all));
    await writeFile(path.join(folder, 'unbound.conf'), describeUnbound(folder, unbound, named, all));
    // With -g it stays in the foreground and writes its log to stderr.
    servers.push(await start(folder, 'named', ['-g', '-c', path.join(folder, 'named.conf')], / running$/m));
    servers.push(
      await start(folder, 'unbound', ['-d', '-c', path.join(folder, 'unbound.conf')], /start of service/),
    );
    return {
      resolver: { address: ADDRESS, port: unbound },
      authoritative: { address: ADDRESS, port: named },
      trustAnchorFile,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function splitName(name: string): string[] {
  return name === '.' ? [] : name.split('.');
}

function parentOf(name: string): string {
  return splitName(name).slice(1).join('.') || '.';
}

/** The deepest first, so that the DS records of a zone are there when the zone above is signed. */
function addZonesAbove(zones: readonly LabZone[]): LabZone[] {
  const all = new Map(zones.map((zone) => [zone.name, zone]));
  for (const { name } of zones)
    for (let above = name; above !== '.'; above = parentOf(above)) {
      const next = parentOf(above);
      if (!all.has(next)) all.set(next, { name: next });
    }
  return [...all.values()].sort((a, b) => splitName(b.name).length - splitName(a.name).length);
}

const fileOf = (name: string): string => `${name === '.' ? 'root' : name}.zone`;
const isSigned = ({ security }: LabZone): boolean => security !== 'unsigned';
/** With a dot at the end. */
const absolute = (name: string): string => (name === '.' ? '.' : `${name}.`);
const nameServerOf = (name: string): string => (name === '.' ? 'ns.' : `ns.${name}.`);

async function writeZone(folder: string, zone: LabZone, all: readonly LabZone[]): Promise<void> {
  const { name, records = [], forgery } = zone;
  const below = all.filter((other) => other.name !== '.' && parentOf(other.name) === name);
  const file = path.join(folder, fileOf(name));
  const lines = [
    `$ORIGIN ${absolute(name)}`,
    '$TTL 60',
    `@ IN SOA ${nameServerOf(name)} hostmaster.${absolute(name === '.' ? 'test' : name)} 1 3600 600 86400 60`,
    ...[name, ...below.map((other) => other.name)].flatMap((owner) => [
      `${absolute(owner)} IN NS ${nameServerOf(owner)}`,
      `${nameServerOf(owner)} IN A ${ADDRESS}`,
    ]),
    ...records,
    ...below
      .filter(isSigned)
      .map((other) => `$INCLUDE "${path.join(folder, `dsset-${absolute(other.name)}`)}"`),
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  if (!isSigned(zone)) return;
  await signZone(folder, zone);
  if (!forgery) return;
  const signed = await readFile(file, 'utf8');
  if (!signed.includes(forgery.replace)) throw new Error(`the zone ${name} holds no ${forgery.replace}`);
  await writeFile(file, signed.replaceAll(forgery.replace, forgery.by));
}

async function signZone(folder: string, zone: LabZone): Promise<void> {
  const { name, security = 'nsec', algorithm = 'ECDSAP256SHA256', isExpired = false } = zone;
  const file = path.join(folder, fileOf(name));
  await runTool('dnssec-keygen', ['-q', '-K', folder, '-a', algorithm, '-f', 'KSK', absolute(name)]);
  await runTool('dnssec-signzone', [
    // One key signs everything. Without -P, the tool refuses what has expired.
    ...['-q', '-z', '-S', '-K', folder, '-d', folder, '-o', absolute(name), '-f', file],
    ...(security === 'nsec' ? [] : ['-3', '-']),
    ...(security === 'opt-out' ? ['-A'] : []),
    ...(isExpired ? ['-P', '-s', 'now-864000', '-e', 'now-86400'] : []),
    file,
  ]);
}

async function findKeyFile(folder: string, name: string): Promise<string> {
  const prefix = `K${absolute(name)}+`;
  const key = (await readdir(folder)).find((file) => file.startsWith(prefix) && file.endsWith('.key'));
  if (key === undefined) throw new Error(`the zone ${name} has no key`);
  return path.join(folder, key);
}

function describeNamed(folder: string, port: number, zones: readonly LabZone[]): string {
  return `
options {
  directory "${folder}"; pid-file "${folder}/named.pid"; session-keyfile "${folder}/session.key"; lock-file none;
  listen-on port ${port} { ${ADDRESS}; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; notify no; empty-zones-enable no; check-names primary ignore;
};
controls { };
${zones.map(({ name }) => `zone "${name}" { type primary; file "${fileOf(name)}"; };`).join('\n')}
`;
}

function describeUnbound(folder: string, port: number, named: number, zones: readonly LabZone[]): string {
  return `
server:
  interface: ${ADDRESS}
  port: ${port}
  do-ip6: no
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: "${folder}/unbound.pid"
  use-syslog: no
  logfile: ""
  verbosity: 1
  num-threads: 1
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor-file: "${folder}/root.key"
${zones.map(({ name }) => (splitName(name).length === 1 ? `  local-zone: "${name}." nodefault` : '')).join('\n')}
remote-control:
  control-enable: no
${zones
  .map(({ name }) => `stub-zone:\n  name: "${name}"\n  stub-addr: ${ADDRESS}@${named}\n  stub-prime: no`)
  .join('\n')}
`;
}

async function findProgram(name: string): Promise<string> {
  for (const directory of usualPath(process.env['PATH']).split(path.delimiter)) {
    const program = path.join(directory, name);
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return program;
  }
  throw new Error(`${name} is not installed: bind9, bind9-utils and unbound must be`);
}

async function runTool(name: string, args: readonly string[]): Promise<void> {
  await run(await findProgram(name), args);
}

/** Starts a server from a copy: AppArmor confines the originals, by their paths, to the folders of the system's own. */
async function start(
  folder: string,
  name: string,
  args: readonly string[],
  readyLine: RegExp,
): Promise<ChildProcess> {
  const copy = path.join(folder, name);
  await copyFile(await findProgram(name), copy);
  const child = spawn(copy, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${name} is not ready in time: ${log}`)),
      START_TIMEOUT_MS,
    );
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (!timer.hasRef()) return;
      log += text;
      if (!readyLine.test(log)) return;
      clearTimeout(timer);
      timer.unref();
      resolve();
    });
    child.on('error', reject);
    child.on('exit', () => {
      clearTimeout(timer);
      reject(new Error(`${name} did not start: ${log}`));
    });
  }).catch(async (error: unknown) => {
    await end(child);
    throw error;
  });
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exited;
  clearTimeout(timer);
}
