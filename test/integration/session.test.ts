import { expect, test } from 'vitest';
import { JID } from '../../src/lib/jid/jid.js';
import { connect } from '../../src/lib/session/connect.js';
import { openUnauthenticated } from '../../src/lib/session/open-unauthenticated.js';
import { xml } from '../../src/lib/xml/element.js';
import { accountOptions, connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

const ping = () => xml('ping', { xmlns: 'urn:xmpp:ping' });
const message = (to: string, body: string) => xml('message', { to, type: 'chat' }, xml('body', {}, body));

describeOnEachServer('a session', (server) => {
  test.each(['starttls', 'tls', 'websocket'] as const)(
    'over %s logs in, asks and is answered',
    async (carriage) => {
      await using session = await connect(accountOptions(server.sandbox, 'alice', {}, carriage));
      expect(session.jid.bare.toString()).toBe(`alice@${server.sandbox.domain}`);
      expect(session.jid.resource).toBeTruthy();
      expect(session.info).toMatchObject({
        transport: { starttls: 'tcp', tls: 'tls', websocket: 'websocket' }[carriage],
        mechanism: expect.stringMatching(/^SCRAM-/) as string,
        isStreamManaged: true,
        isResumable: false,
      });
      const reply = await session.request({ type: 'get', to: server.sandbox.domain, payload: ping() });
      expect(reply.attrs['type']).toBe('result');
    },
  );

  test('takes a message from one account to another, acknowledged', async () => {
    await using alice = await connectAccount(server.sandbox, 'alice');
    await using bob = await connectAccount(server.sandbox, 'bob');
    const incoming = bob.stanzas({ name: 'message', type: 'chat' });
    await bob.send(xml('presence'));
    await bob.flush();
    await alice.send(message(bob.jid.toString(), 'héllo ☃'));
    await alice.flush();
    expect(alice.unacknowledged()).toEqual([]);
    const { value } = (await incoming.next()) as { value: ReturnType<typeof message> };
    expect(value.getChildText('body')).toBe('héllo ☃');
    expect(value.attrs['from']).toBe(alice.jid.toString());
  });

  test('with a wrong password is refused', async () => {
    const password = () => Promise.resolve('not it');
    await expect(
      connectAccount(server.sandbox, 'alice', { credentials: { password } }),
    ).rejects.toMatchObject({
      name: 'AuthError',
      exitCode: 4,
    });
  });

  test('reads the condition of an error, wherever the server puts it', async () => {
    await using session = await connectAccount(server.sandbox, 'alice');
    const items = xml('items', { node: 'urn:example:nothing-here' });
    const pubsub = xml('pubsub', { xmlns: 'http://jabber.org/protocol/pubsub' }, items);
    const asked = session.request({ type: 'get', to: server.sandbox.addresses.pubsub, payload: pubsub });
    await expect(asked).rejects.toMatchObject({ name: 'StanzaError', condition: 'item-not-found' });
  });

  test('brings 100 KB of anything but ASCII over unharmed', async () => {
    const text = '☃é𝄞'.repeat(10_000);
    await using alice = await connectAccount(server.sandbox, 'alice');
    await using bob = await connectAccount(server.sandbox, 'bob');
    const incoming = bob.stanzas({ name: 'message', type: 'chat' });
    await alice.send(message(bob.jid.toString(), text));
    const { value } = (await incoming.next()) as { value: ReturnType<typeof message> };
    expect(value.getChildText('body')).toBe(text);
  });

  test('is found by others: what it answers is what it advertises', async () => {
    await using alice = await connectAccount(server.sandbox, 'alice');
    await using bob = await connectAccount(server.sandbox, 'bob');
    using _feature = bob.advertise('urn:example:feature');
    const NS_INFO = 'http://jabber.org/protocol/disco#info';
    const reply = await alice.request({
      type: 'get',
      to: bob.jid,
      payload: xml('query', { xmlns: NS_INFO }),
    });
    const features = reply
      .getChild('query', NS_INFO)
      ?.getChildren('feature')
      .map(({ attrs }) => attrs['var'] as string);
    expect(features).toContain('urn:example:feature');
    await expect(alice.request({ type: 'get', to: bob.jid, payload: ping() })).resolves.toBeDefined();
    const unknown = alice.request({
      type: 'get',
      to: bob.jid,
      payload: xml('query', { xmlns: 'urn:example:none' }),
    });
    await expect(unknown).rejects.toMatchObject({ condition: 'service-unavailable' });
  });

  test('that was cut is resumed: every message arrives, once and in order', async () => {
    const { sandbox } = server;
    await using proxy = await startTcpProxy({ host: sandbox.host, port: sandbox.ports.c2s });
    await using bob = await connectAccount(sandbox, 'bob');
    const incoming = bob.stanzas({ name: 'message', type: 'chat' });
    const options = { resume: true, service: `xmpp://127.0.0.1:${proxy.port}` };
    await using alice = await connectAccount(sandbox, 'alice', options, { sleep: () => Promise.resolve() });
    expect(alice.info.isResumable).toBe(true);
    const resumed = new Promise((resolve) => alice.on('resumed', resolve));
    for (let number = 0; number < 50; number += 1) {
      await alice.send(message(bob.jid.toString(), String(number)));
      if (number === 25) proxy.cut();
    }
    await resumed;
    await alice.flush();
    const bodies: (string | null)[] = [];
    for await (const stanza of incoming) {
      bodies.push(stanza.getChildText('body'));
      if (bodies.length === 50) break;
    }
    expect(bodies).toEqual(Array.from({ length: 50 }, (_, number) => String(number)));
    expect(proxy.count).toBe(2);
  });

  test('as a component receives and answers', async () => {
    const { sandbox } = server;
    const [domain] = sandbox.components;
    await using component = await connect({
      kind: 'component',
      jid: JID.parse(domain ?? ''),
      credentials: { password: () => Promise.resolve(sandbox.componentSecret) },
      service: `xmpp://${sandbox.host}:${sandbox.ports.component}`,
      timeoutMs: 20_000,
    });
    await using alice = await connectAccount(sandbox, 'alice');
    const incoming = component.stanzas({ name: 'message' });
    await alice.send(message(`anybody@${domain ?? ''}`, 'hello'));
    const { value } = (await incoming.next()) as { value: ReturnType<typeof message> };
    expect(value.attrs['from']).toBe(alice.jid.toString());
    await component.send(message(alice.jid.toString(), 'hello yourself'));
    await component.flush();
    await expect(alice.request({ type: 'get', to: domain ?? '', payload: ping() })).resolves.toBeDefined();
  });

  test('before authentication sees what the server offers', async () => {
    await using stream = await openUnauthenticated(accountOptions(server.sandbox, 'alice'));
    expect(stream.features.getChild('mechanisms')).toBeDefined();
    expect(stream.info.tls?.version).toBe('TLSv1.3');
  });
});
