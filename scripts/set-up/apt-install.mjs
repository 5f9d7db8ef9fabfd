/**
 * Run as root with the names of Debian packages: installs them, and leaves their services off. A name with a question
 * mark behind it is left out where apt does not know it.
 *
 * A policy-rc.d that answers 101 keeps packages from starting services while they are installed (Debian Policy
 * §9.3.3.1); whatever was there before is put back. A service that was there before is not touched at all.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const POLICY = '/usr/sbin/policy-rc.d';
const KEPT = `${POLICY}.kept-by-xmppctl`;
const FORBIDDEN = 101;

const names = process.argv.slice(2);
const packages = names.map((name) => name.replace(/\?$/, ''));
const environment = {
  ...process.env,
  DEBIAN_FRONTEND: 'noninteractive',
  // Ubuntu's needrestart would restart other services after an installation.
  NEEDRESTART_SUSPEND: '1',
};

let isInterrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    isInterrupted = true;
  });
}

const services = packages.filter((name) => !hasUnit(name));
const restore = forbidStarting();
try {
  const lock = ['-o', 'DPkg::Lock::Timeout=120'];
  // A failed update is no reason to stop: the lists that are there may do.
  await run('apt-get', ['update', '-q', ...lock]);
  const code = isInterrupted
    ? 130
    : await run('apt-get', [
        'install',
        ...['-y', '-q', '--no-install-recommends', ...lock],
        ...['-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold'],
        ...names.filter((name) => !name.endsWith('?')),
        ...names
          .filter((name) => name.endsWith('?'))
          .map((name) => name.slice(0, -1))
          .filter(isKnown),
      ]);
  // Installing also enables a service; without this it would start at the next boot.
  for (const service of services.filter(hasUnit)) {
    spawnSync('systemctl', ['--quiet', 'disable', `${service}.service`], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
  }
  process.exitCode = isInterrupted ? 130 : code;
} finally {
  restore();
}

function isKnown(name) {
  return spawnSync('apt-cache', ['show', name]).status === 0;
}

function hasUnit(name) {
  return ['/lib/systemd/system', '/usr/lib/systemd/system'].some((folder) =>
    existsSync(`${folder}/${name}.service`),
  );
}

/** @returns what puts everything back */
function forbidStarting() {
  // Left by a run that was killed: the older one is the true one.
  if (existsSync(KEPT)) renameSync(KEPT, POLICY);
  const isThere = existsSync(POLICY);
  if (isThere) {
    const forbids = packages.every((name) => spawnSync(POLICY, [name, 'start']).status === FORBIDDEN);
    if (forbids) return () => undefined;
    linkSync(POLICY, KEPT);
    rmSync(POLICY);
  }
  writeFileSync(
    POLICY,
    `#!/bin/sh\n# Temporary, while xmppctl's set-up installs packages.\nexit ${FORBIDDEN}\n`,
    {
      mode: 0o755,
    },
  );
  return () => {
    if (isThere) renameSync(KEPT, POLICY);
    else rmSync(POLICY, { force: true });
  };
}

function run(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: environment, stdio: ['ignore', 2, 2] });
    child.on('error', () => resolve(1));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
