/**
 * A process of its own that sends or receives one file of numbered content: `transfer-file send|receive SIZE [PEER]`. Who
 * it is is in PEER_JID, PEER_PASSWORD, PEER_SERVICE and PEER_CA. It says what happens line by line, as JSON.
 */
import { Readable } from 'node:stream';
import { inBandTransport } from '../../../src/lib/bytestreams/in-band/in-band-transport.js';
import { socks5Transport } from '../../../src/lib/bytestreams/socks5/socks5-transport.js';
import { receiveFiles } from '../../../src/lib/file-transfer/receiving/receive-files.js';
import { sendFiles } from '../../../src/lib/file-transfer/sending/send-files.js';
import type { FileSource, TransferEvent } from '../../../src/lib/file-transfer/transfer.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { connect } from '../../../src/lib/session/connect.js';
import { MemorySink } from '../memory-files.js';
import { contentAt, factsOf } from '../numbered-content.js';

const [mode = '', size = '', peer = ''] = process.argv.slice(2);
const { PEER_JID = '', PEER_PASSWORD = '', PEER_SERVICE, PEER_CA = '' } = process.env;
const sizeBytes = Number(size);
const timeoutMs = 20_000;

function say(what: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

function tell(event: TransferEvent): boolean {
  if (event.kind === 'transport') say({ kind: event.kind, method: event.method, path: event.path });
  if (event.kind === 'failed') say({ kind: event.kind, message: event.error.message });
  if (event.kind === 'done')
    say({ kind: event.kind, method: event.result.method, certainty: event.result.certainty });
  return event.kind === 'done' || event.kind === 'failed';
}

const source: FileSource = {
  facts: factsOf('numbers.bin', sizeBytes),
  isSeekable: true,
  open: (offset) => Promise.resolve(Readable.from([contentAt(offset, sizeBytes - offset)])),
};

await using session = await connect({
  jid: JID.parse(PEER_JID),
  credentials: { password: () => Promise.resolve(PEER_PASSWORD) },
  service: PEER_SERVICE ?? '',
  tls: { ca: PEER_CA },
  timeoutMs,
});
say({ kind: 'online', jid: session.jid.toString() });
const options = {
  transports: [socks5Transport(), inBandTransport()],
  timeoutMs,
  note: (fact: string) => say({ kind: 'note', fact }),
};
const sink = new MemorySink();
const events =
  mode === 'send'
    ? sendFiles(session, JID.parse(peer), [source], { ...options, acceptTimeoutMs: timeoutMs })
    : receiveFiles(session, { ...options, accept: () => Promise.resolve(sink) });
for await (const event of events) {
  if (tell(event)) break;
}
if (mode === 'receive') say({ kind: 'same', isSame: sink.content.equals(contentAt(0, sizeBytes)) });
