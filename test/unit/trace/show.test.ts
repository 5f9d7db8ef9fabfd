import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command } from '../../../src/commands/trace/show.js';
import type { Context } from '../../../src/lib/context.js';
import type { AnyCommandDefinition } from '../../../src/lib/command/definition.js';
import { parseCommand } from '../../../src/lib/command/parse.js';
import { FileError, InterruptedError, UsageError } from '../../../src/lib/errors.js';
import { encodeRecord } from '../../../src/lib/trace/record.js';
import { createTracer } from '../../../src/lib/trace/tracer.js';
import { createMemoryOutput } from '../../support/memory-output.js';

const streamHeader = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

/** A small recording: a login, a ping, a message in two packets, a second connection. */
function record(): string {
  let text = '';
  let clock = 0;
  const tracer = createTracer({
    sinks: [{ write: (entry) => (text += encodeRecord(entry)), close: () => Promise.resolve() }],
    redact: true,
    now: () => (clock += 0.5),
    startedAt: new Date('2026-01-31T10:00:00Z'),
  });
  const first = tracer.connection('c2s alice@example.org');
  first.event('tcp', { address: '127.0.0.1', port: 5222, family: 4 });
  first.data('out', Buffer.from(`<?xml version='1.0'?>${streamHeader}`));
  first.data('in', Buffer.from(`${streamHeader}<stream:features><bind/></stream:features>`));
  first.data('out', Buffer.from("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>c2VjcmV0</auth>"));
  first.data('out', Buffer.from("<iq type='get' id='p1' to='bob@b/x'><ping xmlns='urn:xmpp:ping'/></iq>"));
  const message = Buffer.from(
    "<message from='bob@b/x' type='chat' id='m1'><body>ü\u001b[2J</body></message>",
  );
  first.data('in', message.subarray(0, 50));
  first.data('in', message.subarray(50));
  first.data('in', Buffer.from("<iq type='result' id='p1' from='bob@b/x'/>\n"));
  first.data('in', Buffer.from(' '));
  const second = tracer.connection('c2s alice@example.org');
  second.data('out', Buffer.from('<presence><show>away</show>'));
  second.event('close', { clean: false, reason: 'reset' });
  return text;
}

let folder = '';
let file = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-show-'));
  file = path.join(folder, 'a.trace');
  await writeFile(file, record());
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface Shown {
  stdout: string;
  stderr: string;
  json: Record<string, unknown>[];
}

async function show(
  args: readonly string[],
  input = '',
  signal = new AbortController().signal,
): Promise<Shown> {
  const definition = command as unknown as AnyCommandDefinition;
  const parsed = parseCommand(definition, args, 80);
  if (parsed.kind !== 'run') throw new Error('help');
  const memory = createMemoryOutput({ isJson: parsed.global.json === true });
  const context = {
    output: memory.output,
    signal,
    stdin: Readable.from([Buffer.from(input)]),
  } as unknown as Context;
  await definition.run(await definition.parse(parsed.args, parsed.flags, context), context);
  return {
    stdout: memory.stdout(),
    stderr: memory.stderr(),
    json: parsed.global.json ? (memory.jsonLines() as Record<string, unknown>[]) : [],
  };
}

describe('trace show', () => {
  it('shows direction, time, indentation, events and round trips', async () => {
    expect((await show([file])).stdout).toBe(
      [
        '* connection 1: c2s alice@example.org',
        '* TCP 127.0.0.1:5222',
        "→             <?xml version='1.0'?>",
        `→             ${streamHeader}`,
        `←   +0.50 ms  ${streamHeader}`,
        '←   +0.00 ms  <stream:features>',
        '←               <bind/>',
        '←             </stream:features>',
        "→   +0.50 ms  <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>[redacted]</auth>",
        "→   +0.50 ms  <iq type='get' id='p1' to='bob@b/x'>",
        "→               <ping xmlns='urn:xmpp:ping'/>",
        '→             </iq>',
        "←   +1.00 ms  <message from='bob@b/x' type='chat' id='m1'>",
        '←               <body>ü␛[2J</body>',
        '←             </message>',
        "←   +0.50 ms  <iq type='result' id='p1' from='bob@b/x'/>  (round trip 1.50 ms, request in record 6)",
        '←   +0.50 ms  (white space: keep-alive)',
        '* connection 2: c2s alice@example.org',
        '→   +1.00 ms  <presence>  (incomplete)',
        '→               <show>away</show>',
        '* closed not clean, reason reset',
        '',
      ].join('\n'),
    );
  });

  it('prints stanzas and events as NDJSON', async () => {
    const { json } = await show([file, '--json']);
    expect(json[0]).toEqual({
      n: 1,
      t: 0.5,
      kind: 'connection',
      conn: 1,
      label: 'c2s alice@example.org',
      time: '2026-01-31T10:00:00.000Z',
    });
    expect(json.find(({ id }) => id === 'm1')).toEqual({
      n: 7,
      t: 4,
      time: '2026-01-31T10:00:00.004Z',
      conn: 1,
      dir: 'in',
      kind: 'message',
      name: 'message',
      namespace: 'jabber:client',
      type: 'chat',
      id: 'm1',
      from: 'bob@b/x',
      payload: [{ name: 'body', namespace: 'jabber:client' }],
      xml: "<message from='bob@b/x' type='chat' id='m1'><body>ü\u001b[2J</body></message>",
    });
    expect(json.find(({ type }) => type === 'result')).toMatchObject({ replyTo: 6, rttMs: 1.5 });
    expect(json.find(({ name }) => name === 'presence')).toMatchObject({ incomplete: true, conn: 2 });
  });

  it.each<[string[], string[]]>([
    [
      ['--dir', 'in'],
      ['stream', 'features', 'message', 'iq', 'space', 'space'],
    ],
    [
      ['--kind', 'iq'],
      ['iq', 'iq'],
    ],
    [
      ['--kind', 'stream, nonza'],
      ['stream', 'stream', 'features', 'auth'],
    ],
    [
      ['--kind', 'event'],
      ['connection', 'tcp', 'connection', 'close'],
    ],
    [
      ['--kind', 'space'],
      ['space', 'space'],
    ],
    [
      ['--id', 'p1'],
      ['iq', 'iq'],
    ],
    [['--ns', 'urn:xmpp:ping'], ['iq']],
    [['--ns', 'urn:ietf:params:xml:ns:xmpp-sasl'], ['auth']],
    [['--select', 'message[type=chat] > body'], ['message']],
    [
      ['--select', 'bind, show'],
      ['features', 'presence'],
    ],
    [
      ['--conn', '2'],
      ['connection', 'presence', 'close'],
    ],
    [['--since', '5.5ms', '--kind', 'presence,space,message'], ['presence']],
    [
      ['--since', '2026-01-31T10:00:00.006Z'],
      ['presence', 'close'],
    ],
    [['--since', '1h'], []],
    [['--dir', 'out', '--kind', 'iq', '--id', 'p1'], ['iq']],
  ])('filters with %j', async (flags, expected) => {
    const { json } = await show([file, '--json', ...flags]);
    expect(json.map(({ name, kind }) => (name as string | undefined) ?? (kind as string))).toEqual(expected);
  });

  it('gives out the bytes of one direction exactly, and says what they are not', async () => {
    const { stdout, stderr } = await show([file, '--raw', '--dir', 'in']);
    expect(stdout).toBe(
      `${streamHeader}<stream:features><bind/></stream:features><message from='bob@b/x' type='chat' id='m1'>` +
        "<body>ü\u001b[2J</body></message><iq type='result' id='p1' from='bob@b/x'/>\n ",
    );
    expect(stderr).toBe('');
    const out = await show([file, '--raw', '--dir', 'out']);
    expect(out.stdout).not.toContain('presence');
    expect(out.stderr).toContain('secrets were taken out');
    expect(out.stderr).toContain('this is connection 1 only; name another with --conn');
    const second = await show([file, '--raw', '--dir', 'out', '--conn', '2']);
    expect(second.stdout).toBe('<presence><show>away</show>');
    expect(second.stderr).toBe('');
  });

  it('reads stdin', async () => {
    const { json } = await show(['-', '--json', '--kind', 'message'], record());
    expect(json).toHaveLength(1);
  });

  it('always says where records are missing', async () => {
    const text = record().split('\n').slice(0, 6).join('\n');
    const gap = '\n{"kind":"gap","from":6,"to":9,"reason":"no space left on the disk"}\n';
    const { stdout } = await show(['-', '--kind', 'message'], text + gap);
    expect(stdout).toBe('* records 6 to 9 are missing: no space left on the disk\n');
    const { stderr } = await show(['-', '--raw', '--dir', 'in'], text + gap);
    expect(stderr).toContain('records 6 to 9 are missing');
  });

  it('shows what came before a damaged line', async () => {
    const lines = record().split('\n');
    lines[6] = 'damaged';
    const shown = show(['-'], lines.join('\n'));
    await expect(shown).rejects.toThrow(FileError);
    await expect(shown).rejects.toThrow('stdin:7: not JSON');
  });

  it('says what is wrong with a file', async () => {
    const missing = path.join(folder, 'none');
    await expect(show([missing])).rejects.toThrow(`cannot read the trace ${missing}: no such file or folder`);
    await expect(show([folder])).rejects.toThrow(`cannot read the trace ${folder}: it is a folder`);
    await expect(show([folder])).rejects.toThrow(FileError);
  });

  it('ends when it is interrupted', async () => {
    const abort = new AbortController();
    abort.abort(new InterruptedError('interrupted'));
    await expect(show([file], '', abort.signal)).rejects.toThrow(InterruptedError);
  });

  it.each([
    [['--raw'], '--raw needs a direction'],
    [['--raw', '--dir', 'in', '--kind', 'iq'], '--raw cannot be combined with --kind'],
    [['--dir', 'up'], "option '--dir <direction>' argument 'up' is invalid"],
    [['--kind', 'iq,mail'], '--kind does not know mail'],
    [['--since', 'yesterday'], '--since takes a time or a duration, not yesterday'],
    [['--conn', '0'], '--conn takes the number of a connection, not 0'],
    [['--select', 'a['], 'not a selector: a['],
  ])('refuses %j', async (flags, message) => {
    await expect(show([file, ...flags])).rejects.toThrow(UsageError);
    await expect(show([file, ...flags])).rejects.toThrow(message);
  });
});

describe('trace show, with what others would have to work out', () => {
  const lines = (...units: [dir: 'in' | 'out', text: string][]): string => {
    let text = '';
    const tracer = createTracer({
      sinks: [{ write: (entry) => (text += encodeRecord(entry)), close: () => Promise.resolve() }],
      redact: true,
      now: () => 0,
    });
    const connection = tracer.connection('c2s');
    for (const [dir, unit] of units) connection.data(dir, Buffer.from(unit));
    return text;
  };

  it('counts stanzas as stream management does, with --sm', async () => {
    const text = lines(
      ['out', '<presence id="before"/>'],
      ['out', "<enable xmlns='urn:xmpp:sm:3'/>"],
      ['in', "<enabled xmlns='urn:xmpp:sm:3'/>"],
      ['out', '<message id="a"/><message id="b"/>'],
      ['in', "<a xmlns='urn:xmpp:sm:3' h='1'/>"],
      ['in', '<iq id="c" type="result"/>'],
      ['in', "<a xmlns='urn:xmpp:sm:3' h='2'/>"],
      ['in', "<a xmlns='urn:xmpp:sm:3' h='5'/>"],
    );
    const { stdout } = await show(['-', '--sm'], text);
    expect(stdout).toContain('<presence id="before"/>\n');
    expect(stdout).toContain('<message id="a"/>  (stanza 1)\n');
    expect(stdout).toContain('<message id="b"/>  (stanza 2)\n');
    expect(stdout).toContain("h='1'/>  (1 of 2 are not acknowledged)\n");
    expect(stdout).toContain('<iq id="c" type="result"/>  (stanza 1)\n');
    expect(stdout).toContain("h='2'/>  (all 2 are acknowledged)\n");
    expect(stdout).toContain("h='5'/>  (only 2 were sent)\n");
    const { json } = await show(['-', '--sm', '--json', '--id', 'b'], text);
    expect(json).toMatchObject([{ id: 'b', sm: { stanza: 2 } }]);
  });

  it('goes on counting where a session is resumed', async () => {
    const text = lines(
      ['out', "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"],
      ['in', "<enabled xmlns='urn:xmpp:sm:3' id='s1'/>"],
      ['out', '<message id="a"/>'],
      ['out', "<resume xmlns='urn:xmpp:sm:3' h='0' previd='s1'/>"],
      ['in', "<resumed xmlns='urn:xmpp:sm:3' h='1' previd='s1'/>"],
      ['out', '<message id="b"/>'],
    );
    const { json } = await show(['-', '--sm', '--json', '--kind', 'message'], text);
    expect(json).toMatchObject([{ sm: { stanza: 1 } }, { sm: { stanza: 2 } }]);
  });

  it('says what breaks the rules where it does, with --lint', async () => {
    const text = lines(
      ['out', "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"],
      ['in', "<message type='mail'/>"],
    );
    const { stdout } = await show(['-', '--lint'], text);
    const [, message, warning, unanswered] = stdout.split('\n').slice(-5);
    expect(message).toContain("<message type='mail'/>");
    expect(warning).toMatch(/^! .*mail.* \[message\.type\] \(RFC 6121 §5\.2\.2\)$/);
    expect(unanswered).toMatch(/^! .* \[iq\.unanswered\] /);
    const { json } = await show(['-', '--lint', '--json'], text);
    expect(json.find(({ kind }) => kind === 'message')).toMatchObject({
      findings: [{ code: 'message.type' }],
    });
    expect(json.at(-1)).toMatchObject({ kind: 'finding', code: 'iq.unanswered' });
  });

  it('reads what can be read, with --repair', async () => {
    const damaged = record().split('\n');
    damaged[6] = 'damaged';
    await expect(show(['-'], damaged.join('\n'))).rejects.toMatchObject({
      hint: 'with --repair what can be read of it is read',
    });
    const { stdout, stderr } = await show(['-', '--repair'], damaged.join('\n'));
    expect(stderr).toBe('warning: stdin:7: not JSON; record 6 is missing\n');
    expect(stdout).toContain('* record 6 is missing: not JSON\n');
    expect(stdout).toContain('* closed not clean, reason reset');
  });
});
