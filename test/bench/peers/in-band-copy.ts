/**
 * In-band bytestreams from alice to bob through the sandbox's server, both ends in this process. Each argument is one
 * run as JSON: `{ "blockSize": 4096, "window": 8, "bytes": 1048576 }`, without `blockSize` (or
 * only without `window`) as the program does it by itself. Prints one JSON array: MiB/s of each run, from the opening to the answered close.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import {
  acceptInBandBytestream,
  openInBandBytestream,
} from '../../../src/lib/bytestreams/in-band/in-band-bytestream.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { connect } from '../../../src/lib/session/connect.js';
import type { Session } from '../../../src/lib/session/session.js';

interface Run {
  blockSize?: number;
  window?: number;
  bytes: number;
}

const env = process.env;

function connectAs(name: string): Promise<Session> {
  return connect({
    jid: JID.parse(`${name}@${env['XMPPCTL_SANDBOX_DOMAIN'] ?? ''}/in-band`),
    credentials: {
      password: () => Promise.resolve(env[`XMPPCTL_SANDBOX_PASSWORD_${name.toUpperCase()}`] ?? ''),
    },
    service: `xmpp://${env['XMPPCTL_SANDBOX_HOST'] ?? ''}:${env['XMPPCTL_SANDBOX_PORT'] ?? ''}`,
    tls: { ca: readFileSync(env['XMPPCTL_SANDBOX_CA_FILE'] ?? '', 'utf8') },
    timeoutMs: 60_000,
  });
}

async function copy(alice: Session, bob: Session, { blockSize, window, bytes }: Run): Promise<number> {
  const content = randomBytes(bytes);
  const sid = randomBytes(8).toString('hex');
  const acceptor = acceptInBandBytestream(bob, { peer: alice.jid, sid });
  const startedAt = performance.now();
  const sender = await openInBandBytestream(alice, bob.jid, {
    sid,
    ...(blockSize && { fixed: { blockSize, ...(window && { window }) } }),
  });
  const receiver = await acceptor.opened;
  const hash = createHash('sha256');
  // By reference: a source that costs nothing.
  const chunks = (function* () {
    for (let offset = 0; offset < bytes; offset += 65_536) yield content.subarray(offset, offset + 65_536);
  })();
  await Promise.all([
    pipeline(Readable.from(chunks), sender.stream),
    (async () => {
      for await (const chunk of receiver.stream) hash.update(chunk as Buffer);
    })(),
  ]);
  const elapsedMs = performance.now() - startedAt;
  if (!hash.digest().equals(createHash('sha256').update(content).digest()))
    throw new Error('what arrived is not what was sent');
  return bytes / 1024 / 1024 / (elapsedMs / 1000);
}

async function main(): Promise<void> {
  const runs = process.argv.slice(2).map((text) => JSON.parse(text) as Run);
  const [alice, bob] = await Promise.all([connectAs('alice'), connectAs('bob')]);
  await copy(alice, bob, { bytes: 262_144 });
  const results: number[] = [];
  for (const run of runs) results.push(await copy(alice, bob, run));
  await Promise.all([alice.close(), bob.close()]);
  process.stdout.write(JSON.stringify(results));
}

void main();
