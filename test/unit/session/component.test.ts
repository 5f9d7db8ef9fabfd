import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { AuthError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { xml } from '../../../src/lib/xml/element.js';
import { connectTo, startScriptedServer, type Peer } from '../../support/scripted-server.js';

const component = {
  kind: 'component',
  jid: JID.parse('echo.example.test'),
  credentials: { password: () => Promise.resolve('s3cret') },
  allowPlain: false,
} as const;

async function openComponent(peer: Peer): Promise<string> {
  const [header] = await peer.until(/<stream:stream [^>]*>/);
  peer.send(
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='id-1' from='echo.example.test'>",
  );
  return header;
}

async function acceptComponent(peer: Peer): Promise<{ header: string; proof: string }> {
  const header = await openComponent(peer);
  const [, proof] = await peer.until(/<handshake>(.*)<\/handshake>/);
  peer.send('<handshake/>');
  return { header, proof: proof ?? '' };
}

describe('a component (XEP-0114)', () => {
  test('proves that it knows the secret without sending it, and signs what it sends', async () => {
    let accepted = { header: '', proof: '' };
    let sent = '';
    await using server = await startScriptedServer(async (peer) => {
      accepted = await acceptComponent(peer);
      [sent] = await peer.until(/<message.*?\/>/);
      const [, id] = await peer.until(/<iq [^>]*id="([^"]+)"[^>]*from="echo.example.test"/);
      peer.send(`<iq type='result' id='${id ?? ''}' from='bob@example.test' to='echo.example.test'/>`);
    });
    await using session = await connectTo(server, component);
    expect(session.kind).toBe('component');
    expect(session.jid.toString()).toBe('echo.example.test');
    await session.send(xml('message', { to: 'bob@example.test' }));
    const payload = xml('ping', { xmlns: 'urn:xmpp:ping' });
    await session.request({ type: 'get', to: 'bob@example.test', payload });
    expect(accepted.header).toContain('xmlns="jabber:component:accept"');
    expect(accepted.header).not.toContain('version="1.0"');
    expect(accepted.proof).toBe(createHash('sha1').update('id-1s3cret').digest('hex'));
    expect(sent).toBe('<message to="bob@example.test" from="echo.example.test"/>');
  });

  test('answers from the address that was asked, and says that it is a component', async () => {
    let info = '';
    await using server = await startScriptedServer(async (peer) => {
      await acceptComponent(peer);
      peer.send(
        "<iq type='get' id='q' from='bob@example.test/b' to='x@echo.example.test'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
      );
      [info] = await peer.until(/<iq .*<\/iq>/);
      peer.send('<message/>');
    });
    await using session = await connectTo(server, component);
    await session.stanzas({ name: 'message' }).next();
    expect(info).toContain('from="x@echo.example.test"');
    expect(info).toContain('<identity category="component" type="generic"');
  });

  test('is acknowledged by a ping to itself, which goes through the server', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await acceptComponent(peer);
      await peer.until(/<message/);
      const [, id] = await peer.until(/<iq [^>]*type="get" id="([^"]+)" to="echo.example.test".*<\/iq>/);
      peer.send(
        `<iq type='get' id='${id ?? ''}' from='echo.example.test' to='echo.example.test'><ping xmlns='urn:xmpp:ping'/></iq>`,
      );
      await peer.until(/<iq type="result"[^>]*\/>/);
      peer.send(`<iq type='result' id='${id ?? ''}' from='echo.example.test' to='echo.example.test'/>`);
    });
    await using session = await connectTo(server, component);
    await session.send(xml('message', { to: 'bob@example.test' }));
    await session.flush();
    expect(session.unacknowledged()).toEqual([]);
  });

  test('with a wrong secret is an authentication failure', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await openComponent(peer);
      await peer.until(/<handshake>/);
      peer.send(
        "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
      );
    });
    await expect(connectTo(server, component)).rejects.toThrow(AuthError);
  });

  test('does not take anything else for an acceptance', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await openComponent(peer);
      await peer.until(/<handshake>/);
      peer.send('<message/>');
    });
    await expect(connectTo(server, component)).rejects.toMatchObject({ name: 'ProtocolError' });
  });

  test('needs a stream with an id, and whom to ask', async () => {
    await using server = await startScriptedServer(async (peer, number) => {
      if (number === 1) {
        await peer.until(/<stream:stream [^>]*>/);
        peer.send(
          "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>",
        );
        return;
      }
      await acceptComponent(peer);
    });
    await expect(connectTo(server, component)).rejects.toMatchObject({ name: 'ProtocolError' });
    await using session = await connectTo(server, component);
    const payload = xml('ping', { xmlns: 'urn:xmpp:ping' });
    await expect(session.request({ type: 'get', payload })).rejects.toMatchObject({ name: 'UsageError' });
  });

  test('stays on this machine unless it is encrypted or told otherwise', async () => {
    const { isLoopback } = await import('../../../src/lib/session/component.js');
    expect(isLoopback('xmpp://127.3.2.1:5347')).toBe(true);
    expect(isLoopback('xmpp://[::1]:5347')).toBe(true);
    expect(isLoopback('xmpp://192.0.2.1:5347')).toBe(false);
    expect(isLoopback('xmpp://[2001:db8::1]:5347')).toBe(false);
  });
});
