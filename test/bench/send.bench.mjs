/**
 * One message, from the start of the process to its end, beside go-sendxmpp, slixmpp and bare sockets.
 * All verify TLS against the sandbox's CA. @sandbox prosody
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bar, compare, python, root, show, xmppctl } from './measure.mjs';

const {
  XMPPCTL_SANDBOX_DOMAIN: domain,
  XMPPCTL_SANDBOX_HOST: host,
  XMPPCTL_SANDBOX_PORT: port,
} = process.env;
const folder = mkdtempSync(path.join(tmpdir(), 'xmppctl-bench-'));
try {
  const config = path.join(folder, 'go-sendxmpp');
  writeFileSync(
    config,
    `username: alice@${domain}\npassword: ${process.env.XMPPCTL_SANDBOX_PASSWORD_ALICE}\njserver: ${host}:${port}\n`,
    { mode: 0o600 },
  );
  const bob = `bob@${domain}`;
  const medians = await compare(
    {
      'xmppctl send': [[...xmppctl, '--account', 'alice', 'send', bob, 'hello']],
      'bare Node sockets': [[process.execPath, path.join(root, 'test/bench/peers/bare-node-send.cjs')]],
      'go-sendxmpp': [
        ['go-sendxmpp', '-f', config, bob],
        { input: 'hello\n', env: { ...process.env, SSL_CERT_FILE: process.env.XMPPCTL_SANDBOX_CA_FILE } },
      ],
      slixmpp: [[python, path.join(root, 'test/bench/peers/slixmpp_send.py')]],
    },
    12,
  );
  for (const [name, { wallMs, cpuMs, peakMiB }] of Object.entries(medians)) {
    show(`${name} (${cpuMs.toFixed(0)} ms CPU, ${peakMiB.toFixed(0)} MiB)`, wallMs, 'ms');
  }
  const ours = medians['xmppctl send'];
  bar('xmppctl send / go-sendxmpp', ours.wallMs / medians['go-sendxmpp'].wallMs, 0.6);
  bar('xmppctl send / slixmpp', ours.wallMs / medians.slixmpp.wallMs, 0.45);
  bar('xmppctl send / bare Node sockets', ours.wallMs / medians['bare Node sockets'].wallMs, 1.35);
  const startUp = await compare({ bare: [[process.execPath, '-e', '0']] }, 8);
  bar('CPU of a login (above starting Node)', ours.cpuMs - startUp.bare.cpuMs, 75, { unit: ' ms' });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
