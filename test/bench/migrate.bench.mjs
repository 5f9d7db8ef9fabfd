/**
 * Accounts moved on a server: through a privileged component on Prosody beside the same stanzas written to a bare
 * socket and slixmpp with a session for each account, and on ejabberd through its commands and a listener beside the
 * same calls, stanzas and questions. Each way has accounts of its own. `--accounts=N` for a quick run, `--ejabberd` for one
 * without Prosody.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { build } from 'esbuild';
import { bar, measure, median, python, root, show, xmppctl } from './measure.mjs';

const asked = process.argv.find((word) => word.startsWith('--accounts='));
const total = asked === undefined ? 1000 : Number(asked.slice('--accounts='.length));
const rounds = 3;
const perRound = Math.ceil(total / rounds);
/** It takes many times as long. */
const fewer = Math.max(20, Math.ceil(perRound / 5));
const folder = mkdtempSync(path.join(root, 'node_modules/.xmppctl-bench-'));
const peer = (name) => path.join(root, 'test/bench/peers', name);

try {
  await build({
    absWorkingDir: root,
    entryPoints: ['test/bench/peers/migration-server.ts'],
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outfile: path.join(folder, 'migration-server.mjs'),
    logLevel: 'error',
  });
  if (!process.argv.includes('--ejabberd'))
    await withServer('prosody', rounds * (2 * perRound + fewer), benchProsody);
  await withServer('ejabberd', rounds * 4 * total, benchEjabberd);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function withServer(name, count, body) {
  const server = spawn(process.execPath, [path.join(folder, 'migration-server.mjs'), name, String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const lines = readline.createInterface({ input: server.stdout })[Symbol.asyncIterator]();
    const { value, done } = await lines.next();
    if (done) throw new Error(`there is no ${name} to run against`);
    const facts = JSON.parse(value);
    let next = 0;
    /** A file with accounts that nobody has had yet. */
    const take = (number) => {
      const names = Array.from({ length: number }, (_none, index) => `u${next + index}@${facts.domain}`);
      next += number;
      const file = path.join(folder, `${name}-${next}.txt`);
      writeFileSync(file, `${names.join('\n')}\n`);
      return file;
    };
    console.log(
      `  load of the machine: ${loadavg()
        .map((load) => load.toFixed(1))
        .join(' ')}`,
    );
    await body(facts, take);
  } finally {
    server.stdin.end();
    await new Promise((resolve) => server.once('close', resolve));
  }
}

/** Accounts a second; @throws when it has not moved all of them */
async function ours(facts, file, count, { args, env }) {
  const { ca = facts.caFile, ...login } = env;
  const journal = `${file}.journal`;
  const { wallMs, out } = await measure(
    [...xmppctl, ...args, '--only', file, '--journal', journal, '--json'],
    { env: { ...process.env, XMPPCTL_CA: ca, ...login } },
  );
  const { migrated } = JSON.parse(out);
  if (migrated !== count) throw new Error(`${migrated} of ${count} accounts were moved`);
  return (count * 1000) / wallMs;
}

async function theirs(command, facts, count) {
  const { wallMs, out } = await measure(command, { input: JSON.stringify(facts) });
  if (Number(out) !== count) throw new Error(`${command.at(-2)}: ${out.trim()} of ${count} accounts`);
  return (count * 1000) / wallMs;
}

async function benchProsody(facts, take) {
  const rates = { ours: [], bare: [], slixmpp: [] };
  const way = {
    args: ['--component', facts.addresses.privileged, 'vcard', 'migrate'],
    env: {
      XMPPCTL_PASSWORD: facts.componentSecret,
      XMPPCTL_SERVICE: `xmpp://${facts.host}:${facts.ports.component}`,
    },
  };
  for (let round = 0; round < rounds; round += 1) {
    const bare = [process.execPath, peer('bare-migrate.cjs'), 'privileged', take(perRound)];
    rates.bare.push(await theirs(bare, facts, perRound));
    rates.ours.push(await ours(facts, take(perRound), perRound, way));
    rates.slixmpp.push(await theirs([python, peer('slixmpp_migrate.py'), take(fewer)], facts, fewer));
  }
  const of = (name) => median(rates[name]);
  show(`xmppctl, privileged component, ${rounds * perRound} accounts`, of('ours'), '/s');
  show('the same stanzas on a bare socket', of('bare'), '/s');
  show(`slixmpp, a session each, ${rounds * fewer} accounts`, of('slixmpp'), '/s');
  bar('xmppctl / bare socket, on Prosody', of('ours') / of('bare'), 0.95, { atLeast: true });
  bar('xmppctl / slixmpp', of('ours') / of('slixmpp'), 4, { atLeast: true });
}

/** It is so fast that what a start of the program takes would be a third of it: a thousand accounts each time. */
async function benchEjabberd(facts, take) {
  const rates = { api: [], bareApi: [], listener: [], bareListener: [] };
  const { admin } = facts.accounts;
  const byApi = {
    args: ['vcard', 'migrate', '--api', facts.services.api],
    env: {
      XMPPCTL_JID: admin.jid,
      XMPPCTL_PASSWORD: admin.password,
      XMPPCTL_SERVICE: facts.services.starttls,
    },
  };
  const { port, name, secret } = facts.listener;
  const byListener = {
    args: ['--component', name, 'vcard', 'migrate', '--impersonate'],
    env: { XMPPCTL_PASSWORD: secret, XMPPCTL_SERVICE: `xmpp://${facts.host}:${port}` },
  };
  const bare = (mode) => [process.execPath, peer('bare-migrate.cjs'), mode, take(total)];
  for (let round = 0; round < rounds; round += 1) {
    rates.bareApi.push(await theirs(bare('api'), facts, total));
    rates.api.push(await ours(facts, take(total), total, byApi));
    rates.bareListener.push(await theirs(bare('listener'), facts, total));
    rates.listener.push(await ours(facts, take(total), total, byListener));
  }
  const of = (name) => median(rates[name]);
  show(`xmppctl --api, ${rounds * total} accounts, all read back`, of('api'), '/s');
  show('the same calls and questions, without anything else', of('bareApi'), '/s');
  show('xmppctl --impersonate, all read back', of('listener'), '/s');
  show('the same stanzas on a bare socket', of('bareListener'), '/s');
  bar('xmppctl --api / the same calls', of('api') / of('bareApi'), 0.9, { atLeast: true });
  bar('xmppctl / bare socket, on ejabberd', of('listener') / of('bareListener'), 0.9, { atLeast: true });
}
