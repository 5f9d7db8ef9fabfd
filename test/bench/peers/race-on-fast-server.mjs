/** Runs clients against `fast-server.ts`, one after the other. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import readline from 'node:readline';
import { build } from 'esbuild';
import { peakOf, root } from '../measure.mjs';

/**
 * Calls `body` with `race`, which runs one client to its end: the milliseconds between its first stanza (presence, or a
 * message) and the end of its connection, its peak memory in MiB, and the lines it printed.
 *
 * @param count messages that whoever sends presence gets, and items of each node
 * @param kind `notifications` instead of messages
 */
export async function withFastServer(count, body, kind = 'messages') {
  // Beside node_modules, so that what is not bundled is found.
  const folder = await mkdtemp(path.join(root, 'node_modules/.xmppctl-bench-'));
  const outfile = path.join(folder, 'fast-server.mjs');
  const caFile = path.join(folder, 'ca.pem');
  let server;
  try {
    await build({
      absWorkingDir: root,
      entryPoints: ['test/bench/peers/fast-server.ts'],
      bundle: true,
      packages: 'external',
      platform: 'node',
      target: 'node20',
      format: 'esm',
      outfile,
      logLevel: 'error',
    });
    server = spawn(process.execPath, [outfile, String(count), caFile, kind], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = readline.createInterface({ input: server.stdout })[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value);
    const { port } = await next();
    const place = { host: '127.0.0.1', port, domain: 'fake.test', user: 'bob', password: 'bench', caFile };
    await body(async (commandFor, { input } = {}) => {
      const [program, ...args] = commandFor(place);
      const env = {
        ...process.env,
        XMPPCTL_PASSWORD: place.password,
        XMPPCTL_SANDBOX_DOMAIN: place.domain,
        XMPPCTL_SANDBOX_HOST: place.host,
        XMPPCTL_SANDBOX_PORT: String(port),
        XMPPCTL_SANDBOX_CA_FILE: caFile,
        XMPPCTL_SANDBOX_PASSWORD_BOB: place.password,
      };
      const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
      child.stdin.on('error', () => {});
      child.stdin.end(input ?? '');
      let printed = 0;
      child.stdout.on('data', (chunk) => {
        for (const byte of chunk) if (byte === 10) printed += 1;
      });
      let peakMiB = 0;
      const watch = setInterval(() => (peakMiB = Math.max(peakMiB, peakOf(child.pid))), 50);
      const code = await new Promise((resolve) => child.on('close', resolve));
      clearInterval(watch);
      if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with exit code ${code}`);
      const { wallMs, messages } = await next();
      return { wallMs, peakMiB, printed, messages };
    });
  } finally {
    server?.kill();
    await rm(folder, { recursive: true });
  }
}

/** How xmppctl logs in there. */
export function accountOptions({ host, port, domain, user, caFile }) {
  return ['--jid', `${user}@${domain}/xmppctl`, '--service', `xmpp://${host}:${port}`, '--ca', caFile];
}
