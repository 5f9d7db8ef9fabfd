/** `send` and `listen` as two processes on real servers. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SendReport } from '../../src/lib/messaging/delivery-report.js';
import type { Message } from '../../src/lib/messaging/message.js';
import { environmentOf } from '../support/as-account.js';
import { runXmppctl, startXmppctl, unread, type Finished, type Running } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';

describeOnEachServer('send', (server) => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-send-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const address = (name: string): string => `${name}@${server.sandbox.domain}`;
  const send = (args: string[], input?: string | Uint8Array): Promise<Finished> =>
    runXmppctl(['send', ...args], {
      env: environmentOf(server.sandbox, 'alice'),
      ...(input !== undefined && { input }),
    });
  /** A listener that is ready. Every test has a body of its own, because offline messages of others may come first. */
  async function listen(name: string, args: string[]): Promise<Running> {
    const running = startXmppctl(['listen', '--json', '--verbose', ...args], {
      env: environmentOf(server.sandbox, name),
      input: '',
    });
    await running.waitFor('stderr', /listening as/);
    return running;
  }
  const messagesOf = ({ stdout }: Finished): Message[] =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Message);

  it('is silent when the message has been sent, and another process prints it', async () => {
    const listener = await listen('bob', ['--from', address('alice'), '--count', '1']);
    expect(await send([address('bob'), 'hello', '--subject', 's', '--thread', 't', '--lang', 'de'])).toEqual({
      code: 0,
      signal: null,
      stdout: '',
      stderr: '',
    });
    const heard = await listener.finished;
    expect(heard.code).toBe(0);
    expect(messagesOf(heard)).toEqual([
      expect.objectContaining({ type: 'chat', body: 'hello', subject: 's', thread: 't', lang: 'de' }),
    ]);
  });

  it('sends everything when nobody reads what it says beside it', async () => {
    const lines = Array.from({ length: 100 }, (_, index) => `unheard ${index}`);
    // Nothing is kept for somebody who is offline of a headline (RFC 6121 §8.5.2.2).
    const unheard = (redirection: string): Promise<Finished> =>
      runXmppctl(['send', address('carol'), '--type', 'headline', '--per-line', '--trace', '--json'], {
        env: environmentOf(server.sandbox, 'alice'),
        prefix: ['bash', '-c', `${unread}; "$@" ${redirection}`, 'bash'],
        input: lines.join('\n'),
      });
    for (const redirection of ['2>&3', '2>/dev/full', '2>&-']) {
      const { code, stdout } = await unheard(redirection);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ sent: 100, acknowledged: 100 });
    }
  });

  it('ends when the reader of both outputs has gone', async () => {
    const { stdout } = await runXmppctl(['listen', '--trace'], {
      env: environmentOf(server.sandbox, 'carol'),
      prefix: ['bash', '-c', `${unread}; "$@" >&3 2>&3; echo $?`, 'bash'],
    });
    expect(stdout).toBe('0\n');
  });

  it('says how far it came when a line cannot be sent', async () => {
    for (const bad of ['\0', Buffer.from([0xff])]) {
      const input = Buffer.concat(['one\n', 'two\n', bad, '\nfour\n'].map((part) => Buffer.from(part)));
      const { code, stderr } = await send([address('carol'), '--type', 'headline', '--per-line'], input);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^warning: 2 of 2 messages were acknowledged\nxmppctl: line 3 .*\n$/);
    }
  });

  it('takes the text from stdin without its final newline, and nothing else away', async () => {
    const listener = await listen('bob', ['--from', address('alice'), '--count', '2']);
    expect(await send([`xmpp:${address('bob')}?message`], ' two\nlines\n\n')).toMatchObject({ code: 0 });
    expect(await send([address('bob'), '-'], 'é😀')).toMatchObject({ code: 0 });
    expect(messagesOf(await listener.finished).map(({ body }) => body)).toEqual([' two\nlines\n', 'é😀']);
  });

  it('ends with 5 when there is no such recipient', async () => {
    const { code, stdout, stderr } = await send([address('nobody'), 'hello']);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(
      /^xmppctl: the message to nobody@sandbox\.localhost was refused: service-unavailable.*\n$/,
    );
  });

  it('delivers to those who exist, and says who refused', async () => {
    const listener = await listen('bob', ['--from', address('alice'), '--count', '1']);
    const { code, stdout, stderr } = await send([
      address('nobody'),
      'to both',
      '--to',
      address('bob'),
      '--json',
    ]);
    expect(code).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({
      sent: 2,
      acknowledged: 2,
      recipients: [
        { to: address('nobody'), sent: 1, refused: 1, error: { condition: 'service-unavailable' } },
        { to: address('bob'), sent: 1, refused: 0 },
      ],
    } satisfies Partial<SendReport> | object);
    expect(stderr).toContain('1 of 2 messages were refused');
    expect(messagesOf(await listener.finished)[0]?.body).toBe('to both');
  });

  it('keeps for later what is sent to somebody who is offline', async () => {
    expect(await send([address('carol'), 'while you were out'])).toMatchObject({ code: 0 });
    const listener = await listen('carol', ['--from', address('alice'), '--count', '1']);
    expect(messagesOf(await listener.finished)).toEqual([
      expect.objectContaining({ body: 'while you were out', isDelayed: true }),
    ]);
  });

  it('waits for the receipt', async () => {
    const listener = await listen('bob', ['--from', address('alice'), '--count', '1', '--receipts']);
    const { code, stdout } = await send([address('bob'), 'did you get it?', '--receipt', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      acknowledged: 1,
      recipients: [{ to: address('bob'), confirmed: 1 }],
    });
    expect(messagesOf(await listener.finished)[0]).toMatchObject({ wantsReceipt: true });
  });

  it('ends with 6 when no receipt comes', async () => {
    const listener = await listen('bob', ['--from', address('alice'), '--count', '1']);
    const { code, stderr } = await send([address('bob'), 'anybody?', '--receipt', '--timeout', '5']);
    expect(code).toBe(6);
    expect(stderr).toBe(`xmppctl: no receipt came from ${address('bob')} within 5 s\n`);
    await listener.finished;
  });

  it('sends a message for every line', async () => {
    const listener = await listen('bob', ['--from', address('alice'), '--count', '300']);
    const lines = Array.from({ length: 300 }, (_, number) => `line ${number}`);
    const { code, stdout } = await send(
      [address('bob'), '--per-line', '--json'],
      `${lines.slice(0, 100).join('\n')}\n\n\r\n${lines.slice(100).join('\r\n')}`,
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sent: 300, acknowledged: 300 });
    expect(messagesOf(await listener.finished).map(({ body }) => body)).toEqual(lines);
  });

  it('sends a line as soon as it is there', async () => {
    const listener = await listen('bob', ['--from', address('alice'), '--count', '2']);
    const sender = startXmppctl(['send', address('bob'), '--per-line'], {
      env: environmentOf(server.sandbox, 'alice'),
    });
    sender.child.stdin.write('first\nsec');
    await listener.waitFor('stdout', /"body":"first"/);
    sender.child.stdin.end('ond');
    expect((await sender.finished).code).toBe(0);
    expect(messagesOf(await listener.finished).map(({ body }) => body)).toEqual(['first', 'second']);
  });

  it('says how many lines were acknowledged when it stops in the middle', async () => {
    const { code, stderr } = await send([address('bob'), '--per-line'], 'one\ntwo\nthr\u0007ee\nfour\n');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^warning: 2 of 2 messages were acknowledged\nxmppctl: line 3 contains U\+0007, character 4/,
    );
  });

  it('is interrupted while it waits for input', async () => {
    const sender = startXmppctl(['send', address('bob'), '--per-line', '--verbose'], {
      env: environmentOf(server.sandbox, 'alice'),
    });
    const listener = await listen('bob', ['--from', address('alice'), '--count', '1']);
    sender.child.stdin.write('before the interruption\n');
    await listener.finished;
    sender.child.kill('SIGINT');
    expect((await sender.finished).code).toBe(130);
  });

  it.each([
    ['an escape character in the text', ['bob@a.test', 'a\u001b[2J'], /contains U\+001B, character 2/],
    [
      'a control character in the subject',
      ['bob@a.test', 'a', '--subject', '\u0001'],
      /the subject contains U\+0001/,
    ],
    ['an address that is none', ['bob@@a.test', 'a'], /is not an XMPP address/],
    ['no text', ['bob@a.test'], /there is no text to send/],
    ['a receipt from a room', ['r@a.test', 'a', '--groupchat', '--receipt'], /no receipts in a room/],
    ['a nickname without a room', ['bob@a.test', 'a', '--nick', 'x'], /are for --groupchat/],
    [
      'a type that does not exist',
      ['bob@a.test', 'a', '--type', 'shout'],
      /--type takes chat, normal, headline/,
    ],
    ['lines and a text', ['bob@a.test', 'a', '--per-line'], /reads the lines from stdin/],
  ])('refuses %s before it connects', async (_, args, message) => {
    const { code, stdout, stderr } = await runXmppctl(['send', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('refuses input that is not UTF-8', async () => {
    expect(await send([address('bob')], Buffer.from([0x61, 0xff]))).toMatchObject({
      code: 2,
      stderr: 'xmppctl: the input is not UTF-8\n',
    });
  });

  it('speaks in a room, and knows that the room has it', async () => {
    const room = `talk-${server.name}@${server.sandbox.addresses.muc}`;
    const listener = await listen('bob', ['--room', room, '--create', '--count', '1']);
    const { code, stdout } = await send([room, 'hello room', '--groupchat', '--json', '--nick', 'Robot']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ recipients: [{ to: room, sent: 1, confirmed: 1 }] });
    expect(messagesOf(await listener.finished)).toEqual([
      expect.objectContaining({ type: 'groupchat', from: `${room}/Robot`, body: 'hello room' }),
    ]);
  });

  it('does not make a room by mistake', async () => {
    const room = `typo-${server.name}@${server.sandbox.addresses.muc}`;
    expect(await send([room, 'hello', '--groupchat'])).toMatchObject({
      code: 5,
      stderr: `xmppctl: the room ${room} does not exist (check the name, or make the room with --create)\n`,
    });
  });

  it('takes another nickname when its own is taken, but not when it was told which', async () => {
    const room = `nicks-${server.name}@${server.sandbox.addresses.muc}`;
    const listener = await listen('bob', ['--room', room, '--create', '--nick', 'alice', '--count', '1']);
    const refused = await send([room, 'hello', '--groupchat', '--nick', 'alice']);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain('the nickname alice is taken: choose another with --nick');
    expect(await send([room, 'hello', '--groupchat'])).toMatchObject({ code: 0, stderr: '' });
    expect(messagesOf(await listener.finished)[0]?.from).toBe(`${room}/alice_`);
  });

  it('reads the password of a room from a file that is private', async () => {
    const file = path.join(folder, 'password');
    await writeFile(file, 'secret\n');
    await chmod(file, 0o644);
    const room = `locked-${server.name}@${server.sandbox.addresses.muc}`;
    const args = [room, 'hello', '--groupchat', '--room-password-file', file];
    expect(await send(args)).toMatchObject({ code: 7 });
  });
});
