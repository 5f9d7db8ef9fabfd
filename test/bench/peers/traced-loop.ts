/**
 * Messages that a component sends to itself through the server, with and without a trace into a file, in turns:
 * both directions are busy, and everything else is the same. Prints one JSON object.
 */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { JID } from '../../../src/lib/jid/jid.js';
import { plainStyle } from '../../../src/lib/output/style.js';
import { connect } from '../../../src/lib/session/connect.js';
import { openTracer } from '../../../src/lib/trace/open-tracer.js';
import { xml } from '../../../src/lib/xml/element.js';

const rounds = 7;
const messages = 10_000;
/** Few enough that the server's queues stay short. */
const inFlight = 100;
const env = process.env;
const domain = env['XMPPCTL_SANDBOX_COMPONENT'] ?? '';
const file = path.join(tmpdir(), `xmppctl-bench-${process.pid}.trace`);

interface Sample {
  wallMs: number;
  cpuMs: number;
}

async function measure(isTraced: boolean): Promise<Sample> {
  const tracer = isTraced
    ? await openTracer({
        target: file,
        redact: true,
        stderr: process.stderr,
        style: plainStyle,
        warn: (message) => {
          throw new Error(message);
        },
      })
    : undefined;
  const session = await connect({
    kind: 'component',
    jid: JID.parse(domain),
    credentials: { password: () => Promise.resolve(env['XMPPCTL_SANDBOX_COMPONENT_SECRET'] ?? '') },
    service: `xmpp://${env['XMPPCTL_SANDBOX_HOST'] ?? ''}:${env['XMPPCTL_SANDBOX_COMPONENT_PORT'] ?? ''}`,
    allowPlain: true,
    timeoutMs: 60_000,
    tracer,
  });
  let received = 0;
  let wake = (): void => undefined;
  session.handle({ name: 'message' }, () => {
    received += 1;
    wake();
  });
  const waitUntilReceived = async (count: number): Promise<void> => {
    while (received < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  for (let index = 0; index < messages; index += 1) {
    await waitUntilReceived(index - inFlight);
    await session.send(
      xml(
        'message',
        { to: `loop@${domain}`, from: `loop@${domain}`, type: 'chat', id: `m${index}` },
        xml('body', {}, `message number ${index} with some words in it`),
      ),
    );
  }
  await waitUntilReceived(messages);
  const cpu = process.cpuUsage(cpuBefore);
  const wallMs = performance.now() - startedAt;
  await session.close();
  await tracer?.close();
  return { wallMs, cpuMs: (cpu.user + cpu.system) / 1000 };
}

async function main(): Promise<void> {
  const off: Sample[] = [];
  const on: Sample[] = [];
  await measure(false);
  await measure(true);
  for (let round = 0; round < rounds; round += 1) {
    off.push(await measure(false));
    on.push(await measure(true));
  }
  await rm(file);
  process.stdout.write(JSON.stringify({ messages, off, on }));
}

void main();
