/**
 * What `trace proxy` costs: pings and a flood of messages over bare TLS sockets to a bare server, directly and through
 * the proxy while it records, in turns; and many connections at once. `--connections=500`, `--megabytes=64`
 *
 * Client and server are this one process, so that on a machine with two cores the proxy has one of them: what is
 * compared is the proxy's work with that of the two ends, not three processes with two. The bar on throughput is for a
 * server that reads the XML it is sent, as every server does; what a socket takes that nobody reads from is shown beside it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { connect } from 'node:tls';
import { build } from 'esbuild';
import { bar, median, peakOf, root, show, xmppctl } from './measure.mjs';

const option = (name, fallback) =>
  Number(process.argv.find((word) => word.startsWith(`--${name}=`))?.split('=')[1] ?? fallback);
const connections = option('connections', 500);
const megabytes = option('megabytes', 64);
const pings = 1500;
const rounds = 5;
const domain = 'bench.localhost';

// Beside node_modules, so that what is not bundled is found.
const folder = mkdtempSync(path.join(root, 'node_modules/.xmppctl-bench-'));
const children = [];
try {
  const serverFile = path.join(folder, 'server.cjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['test/bench/peers/bare-stream-server.ts'],
    ...{
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      outfile: serverFile,
      logLevel: 'error',
    },
  });
  const { startBareServer } = createRequire(import.meta.url)(serverFile);
  const { port: serverPort, ca } = await startBareServer();
  const serverCa = path.join(folder, 'server-ca.pem');
  writeFileSync(serverCa, ca);
  const recording = path.join(folder, 'recorded.trace');
  const proxyLine = await firstLine(
    [
      ...[...xmppctl, 'trace', 'proxy', '--listen', '127.0.0.1:0', '--to', `xmpps://127.0.0.1:${serverPort}`],
      ...['--domain', domain, '--ca', serverCa, `--trace=${recording}`, '--no-show', '--json'],
    ],
    { ...process.env, XMPPCTL_CONFIG_DIR: path.join(folder, 'config') },
  );
  const { port: proxyPort, ca: proxyCa } = JSON.parse(proxyLine);
  const proxyPid = children.at(-1).pid;
  const ways = {
    direct: { port: serverPort, ca },
    proxied: { port: proxyPort, ca: readFileSync(proxyCa) },
  };

  const trips = { direct: [], proxied: [] };
  const rates = { direct: [], proxied: [] };
  const readRates = { direct: [], proxied: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const stream = await login(way);
      trips[name].push(median(await ping(stream, pings)));
      rates[name].push(await flood(stream, megabytes));
      stream.destroy();
      const readStream = await login(way, 'reader');
      readRates[name].push(await flood(readStream, megabytes / 2));
      readStream.destroy();
    }
  }
  const [direct, proxied] = [median(trips.direct), median(trips.proxied)];
  show('round trip of a ping, directly (p50)', direct * 1000, 'µs');
  show('round trip of a ping, through the proxy (p50)', proxied * 1000, 'µs');
  bar('added to a round trip (p50)', proxied - direct, 0.3, { unit: ' ms' });
  show('bytes a second that a server reads, directly', median(readRates.direct), 'MB/s');
  show('the same through the proxy while it records', median(readRates.proxied), 'MB/s');
  const throughput = median(readRates.proxied) / median(readRates.direct);
  bar('throughput through the proxy / directly', throughput, 0.5, { atLeast: true });
  show('bytes a second that nobody reads, directly', median(rates.direct), 'MB/s');
  show('the same through the proxy while it records', median(rates.proxied), 'MB/s');
  show('recorded', statSync(recording).size / 1e6, 'MB');
  show('peak memory of the proxy', peakOf(proxyPid), 'MiB');

  const started = performance.now();
  const many = await Promise.all(Array.from({ length: connections }, () => login(ways.proxied)));
  show(`logins of ${connections} connections at once`, performance.now() - started, 'ms');
  const answered = await Promise.all(many.map((stream) => ping(stream, 5)));
  bar('connections at once that are served', answered.length, connections, { atLeast: true });
  show(`peak memory of the proxy with ${connections} connections`, peakOf(proxyPid), 'MiB');
  for (const stream of many) stream.destroy();
} finally {
  for (const child of children) {
    child.kill('SIGINT');
    if (child.exitCode === null) await once(child, 'close');
  }
  rmSync(folder, { recursive: true, force: true });
}

/** Starts a program that runs on, and resolves with the first line that it prints. */
function firstLine([program, ...args], env = process.env) {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    child.on('close', () => reject(new Error(`${program} ended`)));
  });
}

async function login({ port, ca }, name = 'alice') {
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
async function ping(socket, count) {
  const times = [];
  for (let index = 0; index < count; index += 1) {
    const started = performance.now();
    await ask(socket, `<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`, '/>');
    times.push(performance.now() - started);
  }
  return times;
}

/** Messages as long as those of a chat, and a ping behind them. @returns megabytes a second */
async function flood(socket, size) {
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
