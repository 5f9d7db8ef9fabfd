/** A bare server over TLS, the proxy in front of it, and bare clients: what the benchmarks of `trace proxy` share. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { connect } from 'node:tls';
import { build } from 'esbuild';
import { root, xmppctl } from './measure.mjs';

const domain = 'bench.localhost';

/**
 * Starts the server in this process and the proxy in another.
 * @returns the ways to the server, the process of the proxy, where it records, and what ends it all
 */
export async function startBareProxy() {
  // Beside node_modules, so that what is not bundled is found.
  const folder = mkdtempSync(path.join(root, 'node_modules/.xmppctl-bench-'));
  const serverFile = path.join(folder, 'server.cjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['test/bench/peers/bare-stream-server.ts'],
    ...{ bundle: true, platform: 'node', target: 'node20', format: 'cjs' },
    ...{ outfile: serverFile, logLevel: 'error' },
  });
  const { startBareServer } = createRequire(import.meta.url)(serverFile);
  const { port: serverPort, ca } = await startBareServer();
  const serverCa = path.join(folder, 'server-ca.pem');
  writeFileSync(serverCa, ca);
  const recording = path.join(folder, 'recorded.trace');
  const [program, ...args] = [
    ...[...xmppctl, 'trace', 'proxy', '--listen', '127.0.0.1:0', '--to', `xmpps://127.0.0.1:${serverPort}`],
    ...['--domain', domain, '--ca', serverCa, `--trace=${recording}`, '--no-show', '--json', '--quiet'],
  ];
  const child = spawn(program, args, {
    env: { ...process.env, XMPPCTL_CONFIG_DIR: path.join(folder, 'config') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { port: proxyPort, ca: proxyCa } = JSON.parse(await firstLine(child));
  return {
    direct: { port: serverPort, ca },
    proxied: { port: proxyPort, ca: readFileSync(proxyCa) },
    pid: child.pid,
    recording,
    async close() {
      child.kill('SIGINT');
      if (child.exitCode === null) await once(child, 'close');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The first line that a program prints, which runs on. */
function firstLine(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    child.on('close', () => reject(new Error('the proxy ended')));
  });
}

export async function login({ port, ca }, name = 'alice') {
  const socket = connect({ host: '127.0.0.1', port, ca, servername: domain, ALPNProtocols: ['xmpp-client'] });
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  const header = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='${name}@${domain}' to='${domain}' version='1.0'>`;
  await ask(socket, header, '</stream:features>');
  await ask(
    socket,
    `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNlAHB3</auth>`,
    `xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`,
  );
  await ask(socket, header, '</stream:features>');
  return socket;
}

/** Writes, and waits for an answer that ends so. */
function ask(socket, text, ending) {
  return new Promise((resolve, reject) => {
    let answer = '';
    const take = (chunk) => {
      answer += chunk.toString('latin1');
      if (!answer.endsWith(ending)) return;
      socket.off('data', take).off('close', fail);
      resolve();
    };
    const fail = () => reject(new Error(`the connection was lost: ${answer}`));
    socket.on('data', take).on('close', fail);
    socket.write(text);
  });
}

/** @returns the round trips, in milliseconds */
export async function ping(socket, count) {
  const times = [];
  for (let index = 0; index < count; index += 1) {
    const started = performance.now();
    await ask(socket, `<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`, '/>');
    times.push(performance.now() - started);
  }
  return times;
}

/** Messages as long as those of a chat, and a ping behind them. @returns megabytes a second */
export async function flood(socket, size) {
  const message = `<message to='bob@${domain}' type='chat'><body>${'How happy is the blameless vestal. '.repeat(6)}</body></message>`;
  const packet = Buffer.from(message.repeat(64));
  const started = performance.now();
  let sent = 0;
  while (sent < size * 1e6) {
    sent += packet.length;
    if (!socket.write(packet)) await once(socket, 'drain');
  }
  await ask(socket, `<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`, '/>');
  return sent / 1e3 / (performance.now() - started);
}
