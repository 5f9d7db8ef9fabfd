/** `ping`, `disco` and `raw` on real servers. */
import { expect, it, vi } from 'vitest';
import { fetchRoster } from '../../src/lib/roster/roster.js';
import type { Session } from '../../src/lib/session/session.js';
import { xml, type Element } from '../../src/lib/xml/element.js';
import { environmentOf } from '../support/as-account.js';
import { runXmppctl, startXmppctl, type Finished } from '../support/run-xmppctl.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';

describeOnEachServer('ping, disco and raw', (server) => {
  const run = (args: string[], input?: string): Promise<Finished> =>
    runXmppctl(args, {
      env: environmentOf(server.sandbox, 'alice'),
      ...(input !== undefined && { input }),
    });
  const linesOf = ({ stdout }: Finished): unknown[] =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);

  it('pings the own server', async () => {
    const { code, stdout, stderr } = await run(['ping']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^sandbox\.localhost: seq=1 time=\d+\.\d ms\n$/);
  });

  it('says with --verbose how it got there, on stderr and without the password', async () => {
    const { stdout, stderr } = await run(['ping', '--verbose']);
    expect(stdout).toMatch(/^sandbox\.localhost: seq=1 time=\d+\.\d ms\n$/);
    expect(stderr).toMatch(
      /^connecting to xmpp:\/\/127\.0\.0\.1:\d+ as alice@sandbox\.localhost\nconnected to xmpp:\/\/127\.0\.0\.1:\d+, TLSv1\.3, SCRAM-SHA-[^\n]+: alice@sandbox\.localhost\/\S+\n$/,
    );
    expect(stderr).not.toContain(server.sandbox.accounts['alice']?.password);
  });

  it('sums up several pings', async () => {
    const lines = linesOf(await run(['ping', '--count', '2', '--interval', '0', '--json']));
    expect(lines).toEqual([
      { seq: 1, to: server.sandbox.domain, rttMs: expect.any(Number) as number },
      { seq: 2, to: server.sandbox.domain, rttMs: expect.any(Number) as number },
      expect.objectContaining({ sent: 2, received: 2 }),
    ]);
  });

  it('ends with 5 when nobody is there', async () => {
    const { code, stdout, stderr } = await run(['ping', `bob@${server.sandbox.domain}/nowhere`]);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/^xmppctl: bob@sandbox\.localhost\/nowhere answered service-unavailable/);
  });

  it('pings until it is interrupted, and then sums up', async () => {
    const running = startXmppctl(['ping', '--count', '0', '--interval', '0.05'], {
      env: environmentOf(server.sandbox, 'alice'),
      input: '',
    });
    await running.waitFor('stdout', /seq=2/);
    running.child.kill('SIGINT');
    const { code, stdout } = await running.finished;
    expect(code).toBe(130);
    expect(stdout).toMatch(/\n\d+ sent, \d+ answered, \d+% lost, min\/avg\/max [\d./]+ ms\n$/);
  });

  it.each([
    ['--count', '-1'],
    ['--count', 'x'],
    ['--interval', ''],
  ])('refuses %s %j', async (...args) => {
    expect(await runXmppctl(['ping', ...args])).toMatchObject({ code: 2, stdout: '' });
  });

  it('shows what the server is and can do, as columns and as JSON', async () => {
    const { code, stdout } = await run(['disco']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^identity\tserver\/im\t/m);
    expect(stdout).toMatch(/^feature\turn:xmpp:ping\t$/m);
    expect(JSON.parse((await run(['disco', 'info', server.sandbox.domain, '--json'])).stdout)).toMatchObject({
      jid: server.sandbox.domain,
      features: expect.arrayContaining(['urn:xmpp:ping']) as string[],
    });
  });

  it('lists the services of the server', async () => {
    const { stdout } = await run(['disco', 'items']);
    expect(stdout.split('\n')).toContain(`${server.sandbox.addresses.muc}\t\t`);
    const items = JSON.parse((await run(['disco', 'items', '--json'])).stdout) as unknown[];
    expect(items).toContainEqual({ jid: server.sandbox.addresses.muc });
  });

  it('finds that the server is what it announces', async () => {
    const { code, stdout } = await run(['disco', '--caps', '--json']);
    expect(code).toBe(0);
    const { caps } = JSON.parse(stdout) as { caps: { computed: string } };
    expect(caps).toMatchObject({ hash: 'sha-1', isTrue: true, announced: caps.computed });
    expect((await run(['disco', '--caps'])).stdout).toMatch(/^caps\tsha-1 \S{28}\tas announced$/m);
  });

  it('finds a client that announces something else than it answers', async () => {
    await using bob = await connectAccount(server.sandbox, 'bob');
    await befriend(bob);
    const asBob = ['disco', 'info', bob.jid.toString(), '--caps'];
    const honest = await bob.capabilities();
    await announce(bob, honest);
    expect((await run(asBob)).stdout).toMatch(/^caps\tsha-1 \S{28}\tas announced$/m);

    const ver = 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=';
    await announce(bob, xml('c', { ...honest.attrs, xmlns: honest.getNS(), ver }));
    const { code, stdout, stderr } = await run(asBob);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^caps\tsha-1 \S{28}\tannounced: A{27}=$/m);
    expect(stderr).toMatch(
      /^xmppctl: bob@\S+ announces the capabilities A{27}=, but its answer comes to \S{28} \(/,
    );
  });

  it('says that a stranger announces nothing to it', async () => {
    await using carol = await connectAccount(server.sandbox, 'carol');
    await announce(carol, await carol.capabilities());
    const { code, stdout } = await run(['disco', 'info', carol.jid.toString(), '--caps']);
    // Some servers answer in the name of those who do not know us.
    if (code === 0) expect(stdout).toMatch(/^caps\tsha-1 \S{28}\tnot announced to this account$/m);
    else expect(code).toBe(5);
  });

  async function announce(session: Session, capabilities: Element): Promise<void> {
    await session.send(xml('presence', {}, capabilities));
    await session.flush();
  }

  /** Alice asks for, and gets, the presence of somebody. */
  async function befriend(contact: Session): Promise<void> {
    await using alice = await connectAccount(server.sandbox, 'alice');
    const bare = contact.jid.bare.toString();
    const asked = contact.stanzas({ name: 'presence', type: 'subscribe' });
    await contact.send(xml('presence', {}));
    await alice.send(xml('presence', {}));
    await alice.send(xml('presence', { to: bare, type: 'subscribe' }));
    await asked.next();
    await contact.send(xml('presence', { to: alice.jid.bare.toString(), type: 'subscribed' }));
    // Not every server tells who has not asked for the roster.
    await vi.waitFor(async () => {
      expect((await fetchRoster(alice)).get(bare)?.isSeen).toBe(true);
    });
  }

  it('shows what an error says', async () => {
    const { code, stderr } = await run(['disco', 'info', server.sandbox.domain, '--node', 'nonsense']);
    expect(code).toBe(5);
    expect(stderr).toMatch(/^xmppctl: sandbox\.localhost answered item-not-found/);
  });

  it('sends an iq as it is written and prints the answer', async () => {
    const { code, stdout } = await run([
      'raw',
      `<iq type="get" id="mine" to="${server.sandbox.domain}"><query xmlns="jabber:iq:version"/></iq>`,
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^<iq [^>]*id="mine"/);
    expect(stdout).toMatch(/\n {4}<name>\w+<\/name>\n/);
  });

  it('answers several stanzas from stdin in order, and ends with 5 after an error', async () => {
    const finished = await run(
      ['raw', '--json'],
      `<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>
       <iq type='get' id='2' to='${server.sandbox.domain}'><nonsense xmlns='urn:x'/></iq>
       <iq type='get' id='3' to='${server.sandbox.domain}'><ping xmlns='urn:xmpp:ping'/></iq>`,
    );
    expect(finished.code).toBe(5);
    expect(linesOf(finished)).toEqual([
      expect.objectContaining({ id: '1', type: 'result' }),
      expect.objectContaining({ id: '2', type: 'error' }),
      expect.objectContaining({ id: '3', type: 'result' }),
    ]);
  });

  it('prints what comes in afterwards', async () => {
    const { code, stdout } = await run(['raw', '<presence/>', '--count', '1']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^<presence [^>]*from="alice@sandbox\.localhost\//);
    expect(await run(['raw', '<presence type="unavailable"/>', '--wait', '0.2'])).toMatchObject({ code: 0 });
  });

  it.each([
    ['what is not XML', 'hello', /text outside of an element/],
    ['what is not well-formed', '<iq>', /is never closed|not well-formed/],
    ['what is no stanza', '<stream/>', /<stream\/> is not a stanza/],
    ['a stanza of another namespace', `<iq xmlns='urn:x' type='get'/>`, /is not a stanza/],
    ['an iq without a type', '<iq/>', /an iq needs a type/],
    ['an entity of its own', '<!DOCTYPE a [<!ENTITY b "c">]><message><body>&b;</body></message>', /doctype/],
    ['nothing', '', /there is no stanza/],
  ])('refuses %s before it connects', async (_, input, message) => {
    const { code, stdout, stderr } = await runXmppctl(['raw'], { input });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});
