import { expect, test } from 'vitest';
import { connect } from '../../src/lib/session/connect.js';
import { xml } from '../../src/lib/xml/element.js';
import { accountOptions, connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';

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
});
