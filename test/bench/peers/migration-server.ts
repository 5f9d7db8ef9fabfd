/**
 * A server with accounts whose cards are vcard-temp, a quarter of them with pictures of 4 to 24 KB. Prints one line of
 * JSON, what there is to know about it, and runs until its standard input ends.
 *
 *     migration-server.mjs SERVER COUNT
 */
import { randomBytes } from 'node:crypto';
import { JID } from '../../../src/lib/jid/jid.js';
import { EjabberdApi } from '../../../src/lib/privilege/ejabberd-api.js';
import { PrivilegedRequester } from '../../../src/lib/privilege/privileged-requester.js';
import { findFreePorts } from '../../../src/lib/sandbox/free-ports.js';
import type { ServerName } from '../../../src/lib/sandbox/options.js';
import type { Sandbox } from '../../../src/lib/sandbox/sandbox.js';
import { startSandbox } from '../../../src/lib/sandbox/start-sandbox.js';
import { connect } from '../../../src/lib/session/connect.js';
import { setVcardTemp } from '../../../src/lib/vcard/profile/write-profile.js';
import { parseXml } from '../../../src/lib/xml/parse.js';

const [, , serverName, count] = process.argv;
const server: ServerName = serverName === 'ejabberd' ? 'ejabberd' : 'prosody';
const names = Array.from({ length: Number(count) }, (_none, index) => `u${index}`);
const mover = 'mover.sandbox.localhost';
const secret = randomBytes(12).toString('hex');
const [listenerPort = 0] = await findFreePorts(1, ['127.0.0.1']);
const sandbox = await startSandbox({
  server,
  accounts: ['admin', ...names],
  searchPath: process.env['PATH'],
  logLevel: 'warn',
  timeoutMs: 300_000,
  // As Prosody keeps old cards until somebody logs in.
  prosody: {
    global: { storage: 'internal' },
    host: {
      modules_enabled: ['register_ibr', 'privilege', 'vcard'],
      modules_disabled: ['vcard_legacy', 'vcard4'],
    },
  },
  ejabberd: {
    listen: [
      {
        ip: '127.0.0.1',
        port: listenerPort,
        module: 'ejabberd_service',
        hosts: { [mover]: { password: secret } },
        check_from: false,
      },
    ],
  },
});
try {
  await (server === 'prosody' ? fillProsody(sandbox) : fillEjabberd(sandbox));
  const { host, ports, domain, services, accounts, componentSecret, addresses, caFile } = sandbox;
  const facts = { host, ports, domain, services, componentSecret, addresses, caFile, accounts };
  process.stdout.write(
    `${JSON.stringify({ ...facts, listener: { port: listenerPort, name: mover, secret } })}\n`,
  );
  await new Promise((resolve) => process.stdin.on('end', resolve).resume());
} finally {
  await sandbox.stop();
}

function photoOf(index: number): Buffer | undefined {
  if (index % 4 !== 0) return undefined;
  const size = 4096 + ((index * 7919) % 20_480);
  return Buffer.concat([Buffer.from('GIF89a\x40\x00\x40\x00\x00\x00\x00', 'latin1'), randomBytes(size)]);
}

async function fillProsody({ addresses, host, ports, domain, componentSecret }: Sandbox): Promise<void> {
  await using component = await connect({
    kind: 'component',
    jid: JID.parse(addresses.privileged),
    credentials: { password: () => Promise.resolve(componentSecret) },
    service: `xmpp://${host}:${ports.component}`,
    timeoutMs: 120_000,
  });
  for (const [index, name] of names.entries()) {
    const account = JID.parse(`${name}@${domain}`);
    const photo = photoOf(index)?.toString('base64');
    const picture =
      photo === undefined ? '' : `<PHOTO><TYPE>image/gif</TYPE><BINVAL>${photo}</BINVAL></PHOTO>`;
    const card = `<vCard xmlns='vcard-temp'><FN>User ${name}</FN><NICKNAME>${name}</NICKNAME><URL>https://example.org/${name}</URL>${picture}</vCard>`;
    await setVcardTemp(new PrivilegedRequester(component, account), parseXml(card), { account });
  }
}

async function fillEjabberd({ services, accounts, ca, domain }: Sandbox): Promise<void> {
  const admin = accounts['admin'];
  if (!admin || services.api === undefined) throw new Error('there are no commands');
  const api = new EjabberdApi({
    url: new URL(services.api),
    credentials: { kind: 'password', account: admin.jid, password: admin.password },
    trust: { ca },
    timeoutMs: 120_000,
  });
  for (const [index, user] of names.entries()) {
    const set = (name: string, content: string) =>
      api.call('set_vcard', { user, host: domain, name, content });
    await set('FN', `User ${user}`);
    await set('NICKNAME', user);
    const photo = photoOf(index);
    if (!photo) continue;
    const picture = { user, host: domain, name: 'PHOTO' };
    await api.call('set_vcard2', { ...picture, subname: 'TYPE', content: 'image/gif' });
    await api.call('set_vcard2', { ...picture, subname: 'BINVAL', content: photo.toString('base64') });
  }
  api.close();
}
