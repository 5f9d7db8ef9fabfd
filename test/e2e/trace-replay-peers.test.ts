/** `trace replay` of sessions of programs that are not ours, recorded through `trace proxy`: both ways, and elsewhere. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { environmentOf } from '../support/as-account.js';
import { hasProgram } from '../support/has-program.js';
import { startProfanity, type Profanity } from '../support/profanity.js';
import {
  clientHeader,
  login,
  recordTrace,
  serverHeader,
  traceText,
  type Line,
} from '../support/recorded-trace.js';
import { runXmppctl, type Finished } from '../support/run-xmppctl.js';
import { jsonLines } from '../support/json-lines.js';
import { describeOnEachServer } from '../support/servers.js';
import { startSlixmpp, type SlixmppPeer } from '../support/slixmpp-peer.js';
import { useTemporaryHome } from '../support/temporary-home.js';
import { recordOne, seenThrough, serveRecording, type TraceListener } from '../support/trace-listeners.js';

const TIMEOUT_MS = 120_000;

/** Of a server that has neither stream management nor carbons, nor anything else but pings. */
const poor: readonly Line[] = [
  ...login.map((line) =>
    typeof line === 'string' ? (line.replace("<sm xmlns='urn:xmpp:sm:3'/>", '') as Line) : line,
  ),
  "→<iq type='get' id='1' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
  "←<iq type='result' id='1' from='example.org' to='alice@example.org/desk'/>",
];

/** Of one with SASL2, whose client has switched carbons on in its login. */
const modern: readonly Line[] = [
  `→${clientHeader}`,
  `←${serverHeader}<stream:features><authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1</mechanism><inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/><feature var='urn:xmpp:sm:3'/></inline></bind></inline></authentication></stream:features>`,
  "→<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1'><initial-response>[redacted]</initial-response><bind xmlns='urn:xmpp:bind:0'><tag>desk</tag><enable xmlns='urn:xmpp:carbons:2'/><enable xmlns='urn:xmpp:sm:3'/></bind></authenticate>",
  "←<success xmlns='urn:xmpp:sasl:2'><additional-data>[redacted]</additional-data><authorization-identifier>alice@example.org/desk.1</authorization-identifier><bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='sm1'/></bound></success><stream:features><sm xmlns='urn:xmpp:sm:3'/></stream:features>",
  ...poor.slice(-2),
];

/** Recordings of one server for the test of the other. */
let shared = '';
beforeAll(async () => {
  shared = await mkdtemp(path.join(tmpdir(), 'xmppctl-replay-'));
});
afterAll(() => rm(shared, { recursive: true }));

const departuresIn = ({ stdout }: Finished): Record<string, unknown>[] =>
  jsonLines(stdout).filter(({ event }) => event === 'departure');

describeOnEachServer('a recording of a client that is not ours', (server) => {
  const home = useTemporaryHome();
  const address = (name: string): string => `${name}@${server.sandbox.domain}`;
  const file = (name: string): string => path.join(home.dir, name);

  const replay = (trace: string, ...args: string[]): Promise<Finished> =>
    runXmppctl(['trace', 'replay', trace, '--to', server.sandbox.domain, ...args], {
      env: { ...home.env, ...environmentOf(server.sandbox, 'alice') },
    });

  /** Roster, features, carbons and a message, with stream management. */
  const useSlixmpp = (listener: TraceListener): Promise<SlixmppPeer> =>
    startSlixmpp(seenThrough(server.sandbox, listener), 'alice', ['session', address('alice'), 'hello']);

  const useProfanity = (listener: TraceListener): Promise<Profanity> =>
    startProfanity(file('profanity'), {
      jid: address('alice'),
      password: server.sandbox.accounts['alice']?.password ?? '',
      port: listener.port,
      caFile: listener.ca,
    });

  it(
    'slixmpp: goes as it was recorded, to the server and from it',
    async () => {
      const trace = file('slixmpp.trace');
      const proxy = await recordOne(server.sandbox, home, trace);
      const recorded = await useSlixmpp(proxy);
      expect(await recorded.ended).toMatchObject({ code: 0 });
      expect(await proxy.running.finished).toMatchObject({ code: 0 });
      await copyFile(trace, path.join(shared, `${server.name}.trace`));

      const played = await replay(trace);
      expect(played).toMatchObject({ code: 0, stdout: '' });
      expect(played.stderr).toMatch(/^as recorded: 11 stanzas sent, 11 stanzas received\n$/);

      for (const [args, env, mechanism] of [
        [[], {}, 'PLAIN'],
        [['--scram'], environmentOf(server.sandbox, 'alice'), 'SCRAM-SHA-512'],
      ] as const) {
        const served = await serveRecording(trace, home, { args: [...args, '-v'], env });
        const peer = await useSlixmpp(served);
        expect(await peer.ended).toMatchObject({ code: 0 });
        const { code, stdout, stderr } = await served.running.finished;
        expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
        expect(stderr).toContain(`has logged in with ${mechanism}\n`);
        expect(stderr).toMatch(/^as recorded: 11 stanzas sent, 11 stanzas received$/m);
      }
    },
    TIMEOUT_MS,
  );

  it.skipIf(!hasProgram('profanity') || !hasProgram('openssl'))(
    'profanity: goes as it was recorded, to the server and from it (needs profanity and openssl)',
    async () => {
      const trace = file('profanity.trace');
      const proxy = await recordOne(server.sandbox, home, trace);
      const session = async (listener: TraceListener): Promise<void> => {
        const profanity = await useProfanity(listener);
        await profanity.waitFor(/logged in successfully/);
        // It asks about each service of the server; behind the answers to all of it comes that to this.
        profanity.type('/disco items');
        await profanity.waitFor(/Service discovery items for/i);
        profanity.type('/ping');
        await profanity.waitFor(/Ping response from/);
        profanity.type(`/msg ${address('nobody')} from profanity`);
        await profanity.waitFor(/from profanity/);
        profanity.type('/quit');
        await profanity.ended;
      };
      await session(proxy);
      expect(await proxy.running.finished).toMatchObject({ code: 0 });

      const played = await replay(trace, '--json', '--no-wait');
      // What the server asks of a client that it knows from before, and how soon it answers at the end, is its affair.
      const kinds = departuresIn(played).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind !== 'missing' && kind !== 'additional')).toEqual([]);

      const served = await serveRecording(trace, home);
      await session(served);
      const { code, stdout, stderr } = await served.running.finished;
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      expect(stderr).toMatch(/^as recorded: \d+ stanzas sent, \d+ stanzas received$/m);
    },
    TIMEOUT_MS,
  );

  it(
    'goes on listening when a client has another password, which it says',
    async () => {
      const trace = file('ping.trace');
      const own = { ...home.env, ...environmentOf(server.sandbox, 'alice') };
      expect(await runXmppctl(['ping', `--trace=${trace}`], { env: own })).toMatchObject({ code: 0 });
      const served = await serveRecording(trace, home, { args: ['--scram'], env: own });
      const through = { ...own, XMPPCTL_SERVICE: `127.0.0.1:${served.port}`, XMPPCTL_CA: served.ca };
      const refused = await runXmppctl(['ping'], { env: { ...through, XMPPCTL_PASSWORD: 'other' } });
      expect(refused).toMatchObject({ code: 4 });
      await served.running.waitFor(
        'stderr',
        /a client: the client has another password than the one that SCRAM-SHA-512 is served with/,
      );
      expect(await runXmppctl(['ping'], { env: through })).toMatchObject({ code: 0 });
      expect(await served.running.finished).toMatchObject({ code: 0, stdout: '' });
    },
    TIMEOUT_MS,
  );

  it(
    'says where a server with other features departs, and comes to its end',
    async () => {
      const trace = file('rich.trace');
      const proxy = await recordOne(server.sandbox, home, trace);
      expect(await (await useSlixmpp(proxy)).ended).toMatchObject({ code: 0 });
      expect(await proxy.running.finished).toMatchObject({ code: 0 });
      const other = await home.write('poor.trace', traceText(recordTrace(poor)));
      const served = await serveRecording(other, home, { args: ['--no-wait'] });
      const played = await runXmppctl(
        [
          'trace',
          'replay',
          trace,
          '--to',
          `127.0.0.1:${served.port}`,
          '--json',
          '--no-wait',
          '--timeout',
          '2',
        ],
        { env: { ...home.env, ...environmentOf(server.sandbox, 'alice'), XMPPCTL_CA: served.ca } },
      );
      expect(played.code).toBe(1);
      const departures = departuresIn(played);
      expect(departures[0]).toMatchObject({
        kind: 'unsupported',
        what: 'enable {urn:xmpp:sm:3}',
        reason: 'the server does not offer urn:xmpp:sm:3',
      });
      const refused = departures.filter(
        ({ kind, xml }) => kind === 'different' && String(xml).includes('service-unavailable'),
      );
      expect(refused.length).toBeGreaterThan(0);
      expect(jsonLines(played.stdout).at(-1)).toMatchObject({ event: 'end', sent: 9 });
      expect(await served.running.finished).toMatchObject({ code: 1 });
    },
    TIMEOUT_MS,
  );

  // Runs behind the one above of the other server.
  it.runIf(server.name === 'ejabberd')(
    'says where another server than the recorded one departs, and comes to its end',
    async () => {
      const { code, stdout, stderr } = await replay(path.join(shared, 'prosody.trace'), '--timeout', '2');
      expect(code).toBe(1);
      expect(stdout).toMatch(/^~ record \d+ ←: iq result \{jabber:iq:version\}query$/m);
      expect(stderr).toMatch(/departs from the recording in \d+ places, first at record \d+\n$/);
    },
    TIMEOUT_MS,
  );

  it(
    'a component: goes as it was recorded, to the server and from it',
    async () => {
      const { sandbox } = server;
      const trace = file('component.trace');
      const config = (service: string): Promise<void> =>
        home.writeConfig(
          `[accounts.echo]\njid = "${sandbox.addresses.component}"\ncomponent = true\nservice = "${service}"\n`,
        );
      const run = (...args: string[]): Promise<Finished> =>
        runXmppctl([...args, '--account', 'echo'], {
          env: { ...home.env, XMPPCTL_PASSWORD: sandbox.componentSecret },
        });
      await config(`xmpp://${sandbox.host}:${sandbox.ports.component}`);
      const recorded = await run('disco', 'info', sandbox.domain, `--trace=${trace}`);
      expect(recorded).toMatchObject({ code: 0 });
      const played = await run('trace', 'replay', trace, '--to', sandbox.addresses.component);
      expect(played).toMatchObject({ code: 0, stdout: '' });
      // ejabberd also tells a component what it may do (XEP-0356).
      expect(played.stderr).toMatch(/^as recorded: 1 stanza sent, [12] stanzas? received\n$/);
      const other = await replay(trace);
      expect(other).toMatchObject({
        code: 2,
        stderr:
          'xmppctl: the recording is of a component, and the account is a client (choose another account with --account)\n',
      });

      const served = await serveRecording(trace, home);
      await config(`xmpp://127.0.0.1:${served.port}`);
      const again = await run('disco', 'info', sandbox.domain);
      expect({ code: again.code, stdout: again.stdout }).toEqual({ code: 0, stdout: recorded.stdout });
      expect(await served.running.finished).toMatchObject({ code: 0, stdout: '' });
    },
    TIMEOUT_MS,
  );

  it(
    'is served with SASL2 and Bind 2 where its client used them, and to clients that have neither',
    async () => {
      const trace = await home.write('modern.trace', traceText(recordTrace(modern)));
      const own = { ...home.env, ...environmentOf(server.sandbox, 'alice') };
      const again = file('again.trace');
      const served = await serveRecording(trace, home, { args: ['--scram', `--trace=${again}`], env: own });
      const pinged = await runXmppctl(['ping'], {
        env: { ...own, XMPPCTL_SERVICE: `127.0.0.1:${served.port}`, XMPPCTL_CA: served.ca },
      });
      expect(pinged).toMatchObject({ code: 0 });
      expect(await served.running.finished).toMatchObject({ code: 0, stdout: '' });
      const { stdout } = await runXmppctl(['trace', 'show', again, '--raw', '--dir', 'in'], {
        env: home.env,
      });
      expect(stdout).toMatch(/<success xmlns="urn:xmpp:sasl:2">.*<bound xmlns="urn:xmpp:bind:0">/s);

      // slixmpp 1.8 knows RFC 6120 only: what it switches on by hand was switched on in the recorded login.
      const oldWay = await serveRecording(trace, home, { args: ['--json', '--no-wait', '--timeout', '2'] });
      await useSlixmpp(oldWay);
      const events = jsonLines((await oldWay.running.finished).stdout);
      const unknown = events.filter(({ event }) => event === 'departure').map(({ what }) => what);
      expect(unknown).toContain('iq get {jabber:iq:roster}query');
      expect(unknown).not.toContain('iq set {urn:xmpp:carbons:2}enable');
      expect(unknown).not.toContain('enable {urn:xmpp:sm:3}');
    },
    TIMEOUT_MS,
  );
});
