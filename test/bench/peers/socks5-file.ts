/**
 * One end of a file transfer by SOCKS5 through the sandbox's server, in a process of its own:
 * `receive direct|proxy FOLDER` says `online JID`, stores one file, and ends;
 * `send direct|proxy FILE JID` sends it and says the milliseconds from the offer to the verified end.
 * `pass BYTES` has this process pass zeros through the server's proxy, hashing and storing nothing, and says the
 * milliseconds. The last word of each is its own peak memory in MiB.
 */
import { readFileSync } from 'node:fs';
import { socks5Transport } from '../../../src/lib/bytestreams/socks5/socks5-transport.js';
import { openPartialFile } from '../../../src/lib/file-transfer/storing/partial-file.js';
import { pathSource } from '../../../src/lib/file-transfer/sources/path-source.js';
import { receiveFiles } from '../../../src/lib/file-transfer/receiving/receive-files.js';
import { sendFiles } from '../../../src/lib/file-transfer/sending/send-files.js';
import type { TransferEvent } from '../../../src/lib/file-transfer/transfer.js';
import { JID } from '../../../src/lib/jid/jid.js';
import type { Role } from '../../../src/lib/jingle/stanzas.js';
import type { TransportNegotiation } from '../../../src/lib/jingle/transport.js';
import { connect } from '../../../src/lib/session/connect.js';
import type { Session } from '../../../src/lib/session/session.js';

const { env } = process;
const [mode = '', method = '', place = '', peer = ''] = process.argv.slice(2);
const timeoutMs = 60_000;

function connectAs(name: string): Promise<Session> {
  return connect({
    jid: JID.parse(`${name}@${env['XMPPCTL_SANDBOX_DOMAIN'] ?? ''}/socks5`),
    credentials: {
      password: () => Promise.resolve(env[`XMPPCTL_SANDBOX_PASSWORD_${name.toUpperCase()}`] ?? ''),
    },
    service: `xmpp://${env['XMPPCTL_SANDBOX_HOST'] ?? ''}:${env['XMPPCTL_SANDBOX_PORT'] ?? ''}`,
    tls: { ca: readFileSync(env['XMPPCTL_SANDBOX_CA_FILE'] ?? '', 'utf8') },
    timeoutMs,
  });
}

const transports = [socks5Transport({ direct: method === 'direct', proxies: method === 'proxy' })];

async function finish(events: AsyncIterable<TransferEvent>): Promise<void> {
  for await (const event of events) {
    if (event.kind === 'failed') throw event.error;
    if (event.kind !== 'done') continue;
    if (event.result.method !== method || event.result.certainty !== 'verified')
      throw new Error(`${event.result.certainty} by ${event.result.method}`);
    return;
  }
}

async function receive(session: Session): Promise<void> {
  const from = `alice@${env['XMPPCTL_SANDBOX_DOMAIN'] ?? ''}`;
  const events = receiveFiles(session, {
    transports,
    timeoutMs,
    accept: ({ file }) => openPartialFile({ folder: place, from, facts: file }),
  });
  say(`online ${session.jid.toString()}`);
  await finish(events);
}

async function send(session: Session): Promise<void> {
  const source = await pathSource(place);
  const begunAt = performance.now();
  await finish(
    sendFiles(session, JID.parse(peer), [source], { transports, timeoutMs, acceptTimeoutMs: timeoutMs }),
  );
  say(String(performance.now() - begunAt));
}

async function pass(alice: Session, bob: Session, bytes: number): Promise<void> {
  const transport = socks5Transport({ direct: false });
  const begin = (
    session: Session,
    to: Session,
    role: Role,
    other: () => TransportNegotiation,
  ): TransportNegotiation =>
    transport.begin({
      session,
      peer: to.jid,
      role,
      timeoutMs,
      sendInfo: (info) => {
        setImmediate(() => other().receiveInfo(info));
        return Promise.resolve();
      },
    });
  const left: TransportNegotiation = begin(alice, bob, 'initiator', () => right);
  const right: TransportNegotiation = begin(bob, alice, 'responder', () => left);
  left.setAnswer(await right.answer(await left.offer()));
  const [{ stream: to }, { stream: from }] = await Promise.all([left.connect(), right.connect()]);
  const begunAt = performance.now();
  const chunk = Buffer.alloc(1024 * 1024);
  let sent = 0;
  const write = (): void => {
    while (sent < bytes) {
      sent += chunk.length;
      if (!to.write(chunk)) return void to.once('drain', write);
    }
    to.end();
  };
  write();
  let arrived = 0;
  for await (const piece of from) arrived += (piece as Buffer).length;
  if (arrived !== sent) throw new Error(`${arrived} of ${sent} bytes arrived`);
  say(String(performance.now() - begunAt));
  for (const stream of [to, from]) stream.destroy();
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<void> {
  if (mode === 'pass') {
    await using alice = await connectAs('alice');
    await using bob = await connectAs('bob');
    await pass(alice, bob, Number(method));
  } else {
    await using session = await connectAs(mode === 'send' ? 'alice' : 'bob');
    await (mode === 'send' ? send(session) : receive(session));
  }
  say(String(process.resourceUsage().maxRSS / 1024));
}

void main();
