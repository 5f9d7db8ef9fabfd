/** `call` and `muc-call` as processes that hear each other, on both servers. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { environmentOf } from '../support/as-account.js';
import { startTurnServer } from '../support/coturn.js';
import { decodeRecording, middleOf, shareOf } from '../support/media-call.js';
import { pictureOf, readAllPictures, writeIvf } from '../support/picture-file.js';
import { runXmppctl, startXmppctl, type Finished, type Running } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';

/** In every recording a tone fills the spectrum alone: at least this much of its power is in one frequency. */
const ALONE = 0.7;
const PIECE = 2400;
const LONG_MS = 120_000;

describeOnEachServer('a call', (server) => {
  const home = useTemporaryHome();
  const jid = (name: string): string => server.sandbox.accounts[name]?.jid ?? '';
  const room = (name: string): string => `${name}@${server.sandbox.addresses.muc}`;
  const env = (as: string, more: Record<string, string> = {}) => ({
    ...environmentOf(server.sandbox, as),
    ...more,
  });
  const start = (as: string, args: readonly string[], more?: Record<string, string>): Running =>
    startXmppctl(args, { env: env(as, more), input: '' });
  const run = (as: string, args: readonly string[], more?: Record<string, string>): Promise<Finished> =>
    runXmppctl(args, { env: env(as, more) });
  const folder = (name: string): string => path.join(home.dir, name);
  const answering = async (...args: string[]): Promise<Running> => {
    const running = start('bob', ['call', 'answer', '--interface', 'lo', ...args]);
    await running.waitFor('stderr', /waiting for calls/);
    return running;
  };
  const call = (...args: string[]): Promise<Finished> =>
    run('alice', ['call', jid('bob'), '--interface', 'lo', ...args]);
  const events = ({ stdout }: Finished): Record<string, unknown>[] =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  /** Of the power of a recording, by pieces of 50 ms, because a lost packet shifts the phase. */
  const shareIn = async (file: string, hertz: number): Promise<number> => {
    const samples = middleOf(await decodeRecording(file), 72_000);
    const shares: number[] = [];
    for (let at = 0; at + PIECE <= samples.length; at += PIECE)
      shares.push(shareOf(samples.subarray(at, at + PIECE), hertz));
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  };

  it(
    'is taken, and both hear the tone of the other',
    async () => {
      const bob = await answering('--from', jid('alice'), '--tone', '660', '--record', folder('bob'));
      const alice = await call('--tone', '440', '--record', folder('alice'), '--duration', '3', '--json');
      expect(alice.code, alice.stderr).toBe(0);
      const finished = await bob.finished;
      expect([finished.code, finished.stdout.split('\n').length]).toEqual([0, 3]);
      expect(await shareIn(path.join(folder('alice'), `${jid('bob')}.ogg`), 660)).toBeGreaterThan(ALONE);
      expect(await shareIn(path.join(folder('bob'), `${jid('alice')}.ogg`), 440)).toBeGreaterThan(ALONE);
      const told = events(alice);
      expect(told.filter(({ event }) => event === 'phase').map(({ phase }) => phase)).toEqual([
        'session',
        'ice',
        'dtls',
        'media',
      ]);
      expect(told.at(-1)).toMatchObject({
        event: 'finished',
        participants: [{ nick: jid('bob'), codec: 'opus', lost: 0 }],
      });
    },
    LONG_MS,
  );

  it(
    'is declined, finds the other in a call, and is not answered',
    async () => {
      const declining = await answering('--from', jid('alice'), '--decline');
      const declined = await call('--null');
      expect(declined).toMatchObject({ code: 1, stdout: '' });
      expect(declined.stderr).toMatch(/^it rings.*\n|xmppctl: bob@\S+ does not take the call/);
      declining.child.kill('SIGINT');
      expect((await declining.finished).code).toBe(130);

      const taking = await answering('--from', server.sandbox.domain);
      const first = start('alice', ['call', jid('bob'), '--interface', 'lo', '--json']);
      await first.waitFor('stdout', /"first-packet"/);
      const second = await run('carol', ['call', jid('bob'), '--interface', 'lo']);
      expect([second.code, second.stderr]).toEqual([
        1,
        expect.stringContaining('does not take the call') as string,
      ]);
      first.child.kill('SIGINT');
      expect((await first.finished).code).toBe(130);
      expect((await taking.finished).code).toBe(0);

      const silent = await answering('--from', jid('carol'));
      const unanswered = await call('--ring', '2');
      expect(unanswered.code).toBe(6);
      expect(unanswered.stderr).toContain(`${jid('bob')} has not answered in 2 s`);
      silent.child.kill('SIGTERM');
      await silent.finished;
    },
    LONG_MS,
  );

  it(
    'says in which step it failed: nobody there, no relay',
    async () => {
      const nobody = await run('alice', ['call', `${jid('carol')}/nowhere`, '--interface', 'lo', '--json']);
      expect(nobody.code).toBe(22);
      expect(JSON.parse(nobody.stderr)).toMatchObject({
        error: { name: 'CallError', phase: 'session', exitCode: 22 },
      });
      const relay = await call('--relay-only', '--no-servers');
      expect([relay.code, relay.stderr]).toEqual([
        23,
        expect.stringContaining('no such server is known') as string,
      ]);
    },
    LONG_MS,
  );

  it(
    'goes through a relay only, when it is told so',
    async () => {
      await using turn = await startTurnServer(['lt-cred-mech', 'user=me:open-sesame']);
      const by = ['--relay-only', '--turn', `me@127.0.0.1:${turn.port}`];
      const password = { XMPPCTL_TURN_PASSWORD: 'open-sesame' };
      const bob = start(
        'bob',
        ['call', 'answer', '--from', jid('alice'), '--interface', 'lo', ...by],
        password,
      );
      await bob.waitFor('stderr', /waiting for calls/);
      const words = ['call', jid('bob'), '--interface', 'lo', '--duration', '1', '--json', '--trace', ...by];
      const alice = await run('alice', words, password);
      expect([alice.code, alice.stderr.includes('open-sesame')]).toEqual([0, false]);
      const connected = events(alice).find(({ event }) => event === 'connected');
      expect(connected).toMatchObject({ local: expect.stringMatching(/^relay /) as string });
      // No address of the machine is told.
      expect(alice.stderr).not.toMatch(/<candidate[^>]*type="host"/);
      expect((await bob.finished).code).toBe(0);
    },
    LONG_MS,
  );

  it(
    'looks for another path when its relay has gone, and goes on when there is one again',
    async () => {
      const account = ['lt-cred-mech', 'user=me:open-sesame'];
      const first = await startTurnServer(account);
      const { port } = first;
      const by = ['--relay-only', '--turn', `me@127.0.0.1:${port}`, '--interface', 'lo', '--json'];
      const password = { XMPPCTL_TURN_PASSWORD: 'open-sesame' };
      const bob = start('bob', ['call', 'answer', '--from', jid('alice'), '--tone', '660', ...by], password);
      await bob.waitFor('stderr', /waiting for calls/);
      const alice = start('alice', ['call', jid('bob'), '--tone', '440', ...by], password);
      await Promise.all([alice, bob].map((one) => one.waitFor('stdout', /"first-packet"/)));
      await first[Symbol.asyncDispose]();
      await using _second = await startTurnServer(account, '127.0.0.1', port);
      await Promise.all(
        [alice, bob].map((one) => one.waitFor('stdout', /"connected"[^\n]*\n(.*\n)*[^\n]*"connected"/)),
      );
      alice.child.kill('SIGINT');
      expect([(await alice.finished).code, (await bob.finished).code]).toEqual([130, 0]);
    },
    LONG_MS,
  );

  it(
    'goes on while the server is restarted, and is hung up over the new stream',
    async () => {
      const bob = await answering('--from', jid('alice'), '--tone', '660', '--json', '--trace');
      const alice = start('alice', ['call', jid('bob'), '--interface', 'lo', '--json', '--trace']);
      await Promise.all([alice, bob].map((one) => one.waitFor('stdout', /"first-packet"/)));
      await server.sandbox.restart();
      await Promise.all([alice, bob].map((one) => one.waitFor('stderr', /connection 2:[^]*<enabled/)));
      alice.child.kill('SIGINT');
      const [called, answered] = await Promise.all([alice.finished, bob.finished]);
      expect([called.code, answered.code], answered.stdout).toEqual([130, 0]);
      expect(events(answered).find(({ event }) => event === 'ended')).toMatchObject({
        by: 'them',
        reason: 'success',
      });
    },
    LONG_MS,
  );

  it(
    'of four in a room is heard by all, at the right frequencies, and the mix has them all',
    async () => {
      const tones = [400, 700, 1100, 1600];
      const nick = (index: number): string => `p${index}`;
      const running = tones.map((hertz, index) =>
        start(index % 2 === 0 ? 'alice' : 'bob', [
          'muc-call',
          'join',
          room('choir'),
          '--create',
          ...['--nick', nick(index), '--tone', String(hertz), '--record', folder(nick(index))],
          ...['--interface', 'lo', '--expect', '3', '--duration', '4'],
        ]),
      );
      const finished = await Promise.all(running.map((one) => one.finished));
      expect(finished.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual([0, 0, 0, 0]);
      for (const [index] of tones.entries()) {
        const files = await readdir(folder(nick(index)));
        expect(files.sort()).toEqual(
          ['mix.ogg', ...tones.flatMap((_, other) => (other === index ? [] : [`${nick(other)}.ogg`]))].sort(),
        );
        for (const [other, hertz] of tones.entries()) {
          if (other === index) continue;
          const share = await shareIn(path.join(folder(nick(index)), `${nick(other)}.ogg`), hertz);
          expect(share, `${nick(other)} as ${nick(index)} hears it`).toBeGreaterThan(ALONE);
        }
        for (const hertz of tones) {
          const share = await shareIn(path.join(folder(nick(index)), 'mix.ogg'), hertz);
          expect(share, `${hertz} Hz in the mix of ${nick(index)}`).toBeGreaterThan(0.08);
        }
      }
    },
    LONG_MS,
  );

  it(
    'in a room is left with Ctrl-C, and with a killed program, and the others notice',
    async () => {
      const join = (as: string, ...args: string[]): Running =>
        start(as, ['muc-call', 'join', room('leaving'), '--create', '--interface', 'lo', '--json', ...args]);
      const stays = join('alice', '--nick', 'stays', '--until-alone');
      await stays.waitFor('stdout', /"joined"/);
      const leaves = join('bob', '--nick', 'leaves');
      const dies = join('carol', '--nick', 'dies');
      await Promise.all([
        stays.waitFor('stdout', /"participant","nick":"leaves"[^\n]*"state":"connected"/),
        stays.waitFor('stdout', /"participant","nick":"dies"[^\n]*"state":"connected"/),
      ]);
      const listed = await run('bob', ['muc-call', 'list', room('leaving'), '--nick', 'reader']);
      expect(listed.stdout.split('\n').map((line) => line.split('\t').slice(1, 2).join())).toEqual(
        expect.arrayContaining(['stays', 'leaves', 'dies']),
      );
      leaves.child.kill('SIGINT');
      expect((await leaves.finished).code).toBe(130);
      await stays.waitFor('stdout', /"participant","nick":"leaves"[^\n]*"state":"left"/);
      dies.child.kill('SIGKILL');
      await stays.waitFor('stdout', /"participant","nick":"dies"[^\n]*"state":"(left|failed)"/);
      expect([0, 1]).toContain((await stays.finished).code);
    },
    LONG_MS,
  );

  it(
    'in a room is joined by invitation, and needs the password of the room',
    async () => {
      const file = await home.write('room-password', 'open\n');
      const host = start('alice', [
        ...['muc-call', 'join', room('locked'), '--create', '--nick', 'host', '--interface', 'lo', '--json'],
        ...['--expect', '1', '--duration', '2', '--room-password-file', file],
      ]);
      await host.waitFor('stdout', /"joined"/);
      const stranger = await run('bob', ['muc-call', 'join', room('locked'), '--interface', 'lo']);
      expect([stranger.code, stranger.stderr]).toEqual([
        20,
        expect.stringContaining('needs a password') as string,
      ]);
      const bob = await answering('--from', jid('alice'), '--nick', 'guest');
      const invited = await run('alice', [
        'muc-call',
        'invite',
        room('locked'),
        jid('bob'),
        '--room-password-file',
        file,
        '--wait',
        '20',
      ]);
      expect(invited).toMatchObject({ code: 0, stdout: `${jid('bob')}\taccepted\n` });
      const [first, second] = await Promise.all([host.finished, bob.finished]);
      expect(
        [first.code, second.code],
        `${first.stderr}
${second.stderr}`,
      ).toEqual([0, 0]);
    },
    LONG_MS,
  );

  it(
    'in a room is waited for, by rule, and left on behalf of the program that is in it',
    async () => {
      const host = start('alice', [
        ...['muc-call', 'join', room('waited'), '--create', '--nick', 'host', '--tone', '440', '--json'],
        ...['--interface', 'lo', '--record', folder('host')],
      ]);
      await host.waitFor('stdout', /"joined"/);
      const wait = (as: string, ...rules: string[]): Running =>
        start(as, ['muc-call', 'answer', '--interface', 'lo', '--nick', as, '--json', ...rules]);
      const bob = wait('bob', '--from', jid('alice'), '--to', room('waited').replace(/^.*@/, ''));
      const carol = wait('carol', '--from', jid('bob'));
      await Promise.all([bob, carol].map((one) => one.waitFor('stderr', /waiting for invitations/)));
      const invite = (...whom: string[]): Promise<Finished> =>
        run('alice', ['muc-call', 'invite', room('waited'), ...whom.map(jid), '--wait', '3']);
      // Whoever is not asked by the right one does not say that it is there.
      expect(await invite('carol')).toMatchObject({ code: 6, stdout: `${jid('carol')}\tunanswered\n` });
      carol.child.kill('SIGINT');
      expect(await carol.finished).toMatchObject({ code: 130, stdout: '' });
      expect(await invite('bob')).toMatchObject({ code: 0, stdout: `${jid('bob')}\taccepted\n` });
      await bob.waitFor('stdout', /"participant","nick":"host"[^\n]*"state":"connected"/);
      await host.waitFor('stdout', /"participant","nick":"bob"[^\n]*"state":"connected"/);
      const stranger = await run('carol', ['muc-call', 'leave', room('waited')]);
      expect([stranger.code, stranger.stdout]).toEqual([1, '']);
      const left = await run('alice', ['muc-call', 'leave', room('waited'), '--only', 'host']);
      expect([left.code, left.stdout]).toEqual([
        0,
        expect.stringMatching(/^host\talice@[^\t]+\/.+\n$/) as string,
      ]);
      const [hosted, answered] = await Promise.all([host.finished, bob.finished]);
      expect([hosted.code, answered.code]).toEqual([0, 0]);
      expect(events(hosted).at(-1)).toMatchObject({ event: 'finished', participants: [{ nick: 'bob' }] });
      expect(await readdir(folder('host'))).toContain('bob.ogg');
      // The last two have left, and the room is gone with them.
      expect((await run('alice', ['muc-call', 'leave', room('waited')])).code).not.toBe(0);
    },
    LONG_MS,
  );

  it(
    'in a room is joined by whoever is invited to the room alone, or waits in a room of people',
    async () => {
      const host = start('alice', [
        ...['muc-call', 'join', room('plain'), '--create', '--nick', 'host', '--json', '--interface', 'lo'],
        ...['--until-alone'],
      ]);
      await host.waitFor('stdout', /"joined"/);
      const bob = start('bob', ['muc-call', 'answer', '--from', jid('alice'), '--interface', 'lo']);
      await bob.waitFor('stderr', /waiting for invitations/);
      const reading = ['--room', room('people'), '--create', '--nick', 'reader', '--verbose'];
      const people = start('alice', ['listen', ...reading]);
      await people.waitFor('stderr', /listening as/);
      const team = ['--from', room('people'), '--in', room('people'), '--nick', 'carol'];
      const carol = start('carol', ['muc-call', 'answer', '--interface', 'lo', '--json', ...team]);
      await carol.waitFor('stderr', /waiting for invitations/);
      const x = `<x xmlns="jabber:x:conference" jid="${room('plain')}"/>`;
      await run('alice', ['raw', `<message to="${jid('bob')}">${x}</message>`]);
      await host.waitFor('stdout', /"nick":"bob"[^\n]*"state":"connected"/);
      // As Dino does it in a room: to everybody there, and answered to everybody.
      const muji = `<muji xmlns="urn:xmpp:jingle:muji:0" room="${room('plain')}"/>`;
      const propose = `<propose xmlns="urn:xmpp:call-message:1" id="p1" video="false" multi="true">${muji}</propose>`;
      const enter = `<presence to="${room('people')}/caller"><x xmlns="http://jabber.org/protocol/muc"/></presence>`;
      const message = `<message to="${room('people')}" type="groupchat">${propose}</message>`;
      await run('alice', ['raw', `${enter}${message}`]);
      await host.waitFor('stdout', /"nick":"carol"[^\n]*"state":"connected"/);
      for (const one of [bob, carol, people]) one.child.kill('SIGINT');
      const codes = await Promise.all([bob, carol].map(async ({ finished }) => (await finished).code));
      expect(codes).toEqual([130, 130]);
      expect((await host.finished).code).toBe(0);
      await people.finished;
    },
    LONG_MS,
  );

  it(
    'has pictures, which are recorded as they are, and ends with them',
    async () => {
      const pictures = Array.from({ length: 60 }, (_, index) =>
        pictureOf(index % 20 === 0, index % 20 === 0 ? 5000 : 900, index),
      );
      const file = path.join(home.dir, 'short.ivf');
      await writeIvf(file, pictures);
      const bob = await answering('--from', jid('alice'), '--record', folder('seen'), '--json');
      const alice = await call('--video', file, '--json');
      expect([alice.code, (await bob.finished).code], alice.stderr).toEqual([0, 0]);
      const recorded = await readAllPictures(path.join(folder('seen'), `${jid('alice')}.webm`));
      expect(recorded.map(({ data }) => data.readUInt32BE(data.length - 4))).toEqual(
        pictures.map((_, index) => index),
      );
      expect(recorded.every(({ data }, index) => pictures[index]?.equals(data))).toBe(true);
      expect(recorded.map(({ timeMs }) => timeMs)).toEqual(pictures.map((_, index) => index * 40));
      const finished = JSON.parse(bob.stdout().trimEnd().split('\n').at(-1) ?? '') as unknown;
      expect(finished).toMatchObject({ participants: [{ video: { frames: 60, lost: 0 } }] });
    },
    LONG_MS,
  );

  it(
    'has pictures for those who come late, too, though the only key frame is long past',
    async () => {
      const pictures = Array.from({ length: 2000 }, (_, index) => pictureOf(index === 0, 300, index));
      const file = path.join(home.dir, 'long.ivf');
      await writeIvf(file, pictures);
      const join = (as: string, ...args: string[]): Running =>
        start(as, ['muc-call', 'join', room('cinema'), '--create', '--interface', 'lo', '--json', ...args]);
      const shows = join('alice', '--nick', 'screen', '--video', file, '--until-alone');
      await shows.waitFor('stdout', /"joined"/);
      const early = join(
        'bob',
        '--nick',
        'early',
        '--record',
        folder('early'),
        '--expect',
        '2',
        '--duration',
        '2',
      );
      await early.waitFor('stdout', /"first-packet","participant":"screen","media":"video"/);
      const late = join(
        'carol',
        '--nick',
        'late',
        '--record',
        folder('late'),
        '--expect',
        '2',
        '--duration',
        '2',
      );
      const [first, second] = await Promise.all([early.finished, late.finished]);
      expect([first.code, second.code, (await shows.finished).code], second.stderr).toEqual([0, 0, 0]);
      for (const who of ['early', 'late']) {
        const recorded = await readAllPictures(path.join(folder(who), 'screen.webm'));
        const seen = recorded.map(({ data }) => data.readUInt32BE(data.length - 4));
        expect(seen.length, who).toBeGreaterThan(20);
        expect(seen, who).toEqual(seen.map((_, index) => index));
      }
    },
    LONG_MS,
  );

  it(
    'in a room that is not there, or is anonymous, fails with the reason',
    async () => {
      const missing = await run('alice', ['muc-call', 'join', room('nowhere'), '--interface', 'lo']);
      expect([missing.code, missing.stderr]).toEqual([
        20,
        expect.stringContaining('does not exist') as string,
      ]);
      const chat = start('alice', ['listen', '--room', room('anonymous'), '--create']);
      await expect
        .poll(
          async () => (await run('bob', ['muc-call', 'join', room('anonymous'), '--interface', 'lo'])).stderr,
          {
            timeout: 60_000,
          },
        )
        .toMatch(/hides the real addresses/);
      chat.child.kill('SIGTERM');
      await chat.finished;
    },
    LONG_MS,
  );

  it(
    'is watched from inside',
    async () => {
      const join = start('alice', [
        ...[
          'muc-call',
          'join',
          room('watched'),
          '--create',
          '--nick',
          'tone',
          '--tone',
          '440',
          '--interface',
          'lo',
        ],
        '--json',
      ]);
      await join.waitFor('stdout', /"joined"/);
      const watching = start('bob', [
        'muc-call',
        'status',
        room('watched'),
        '--interval',
        '0.3',
        '--interface',
        'lo',
      ]);
      await watching.waitFor('stdout', /"nick":"tone"[^\n]*"state":"connected"[^\n]*"levelDbov":-\d/);
      watching.child.kill('SIGINT');
      const { code, stdout } = await watching.finished;
      expect(code).toBe(130);
      expect(Object.keys(JSON.parse(stdout.split('\n')[0] ?? '') as object)).toEqual([
        'elapsedMs',
        'participants',
      ]);
      join.child.kill('SIGINT');
      await join.finished;
    },
    LONG_MS,
  );

  it(
    'in a room goes on while the server is restarted, and others can still join it',
    async () => {
      const join = (as: string, nick: string): Running =>
        start(as, [
          'muc-call',
          'join',
          room('lasting'),
          '--create',
          '--interface',
          'lo',
          '--json',
          '--nick',
          nick,
        ]);
      const one = join('alice', 'one');
      await one.waitFor('stdout', /"joined"/);
      const two = join('bob', 'two');
      await Promise.all([
        one.waitFor('stdout', /"nick":"two"[^\n]*"state":"connected"/),
        two.waitFor('stdout', /"nick":"one"[^\n]*"state":"connected"/),
      ]);
      await server.sandbox.restart();
      await Promise.all(
        [one, two].map((running) => running.waitFor('stdout', /the connection was lost, and is back/)),
      );
      const three = join('carol', 'three');
      await three.waitFor('stdout', /"nick":"one"[^\n]*"state":"connected"/);
      await three.waitFor('stdout', /"nick":"two"[^\n]*"state":"connected"/);
      // The session is the one of before.
      expect(one.stdout().match(/"phase":"session"[^\n]*"participant":"two"/g)).toHaveLength(1);
      expect(one.stdout()).not.toMatch(/"nick":"two"[^\n]*"state":"(left|failed)"/);
      for (const running of [one, two, three]) running.child.kill('SIGINT');
      const codes = await Promise.all(
        [one, two, three].map(async (running) => (await running.finished).code),
      );
      expect(codes).toEqual([130, 130, 130]);
    },
    LONG_MS,
  );
});
