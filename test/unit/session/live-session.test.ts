import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { ConnectionLostError, InterruptedError, TimeoutError, UsageError } from '../../../src/lib/errors.js';
import { xml, type Element } from '../../../src/lib/xml/element.js';
import {
  bindFeature,
  connectTo,
  NS_SM,
  smFeature,
  startScriptedServer,
  type Peer,
} from '../../support/scripted-server.js';

const ping = () => xml('ping', { xmlns: 'urn:xmpp:ping' });
const message = (body: string) => xml('message', { to: 'bob@example.test' }, xml('body', {}, body));
const withManagement = bindFeature + smFeature;
const idOf = (match: RegExpExecArray) => match[1] ?? '';
const anyIq = /<iq [^>]*id="([^"]+)"[^>]*>.*?<\/iq>/;

describe('a request', () => {
  test('is answered only by whom it went to', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      const id = idOf(await peer.until(anyIq));
      peer.send(`<iq type='result' id='${id}' from='evil@example.net'><forged xmlns='x'/></iq>`);
      peer.send(`<iq type='error' id='${id}' from='bank@example.org/other'/>`);
      peer.send(`<iq type='result' id='other-id' from='bank@example.org'/>`);
      peer.send(`<iq type='result' id='${id}' from='Bank@example.org'><real xmlns='x'/></iq>`);
    });
    await using session = await connectTo(server);
    const reply = await session.request({ type: 'get', to: 'bank@example.org', payload: ping() });
    expect(reply.getChild('real')).toBeDefined();
  });

  test('ends in the stanza error, also where it carries no <error/>', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      peer.send(`<iq type='error' id='${idOf(await peer.until(anyIq))}'/>`);
      const id = idOf(await peer.until(anyIq));
      peer.send(
        `<iq type='error' id='${id}'><error type='cancel'><closed-node xmlns='urn:app'/><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
      );
    });
    await using session = await connectTo(server);
    const ask = () => session.request({ type: 'get', payload: ping() });
    await expect(ask()).rejects.toMatchObject({ name: 'StanzaError', condition: 'undefined-condition' });
    await expect(ask()).rejects.toMatchObject({
      condition: 'conflict',
      application: { name: 'closed-node' },
    });
  });

  test('times out, is interrupted, and the stream goes on', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      await peer.until(anyIq);
      await peer.until(anyIq);
      peer.send(`<iq type='result' id='${idOf(await peer.until(anyIq))}'/>`);
    });
    await using session = await connectTo(server);
    const ask = (options: object) => session.request({ type: 'get', payload: ping() }, options);
    await expect(ask({ timeoutMs: 20 })).rejects.toThrow(TimeoutError);
    const abort = new AbortController();
    const asked = ask({ signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toThrow(InterruptedError);
    await expect(ask({})).resolves.toBeDefined();
  });

  test('fails when the stream is lost, and so does everything after', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      await peer.until(anyIq);
      peer.socket.destroy();
    });
    await using session = await connectTo(server);
    await expect(session.request({ type: 'get', payload: ping() })).rejects.toThrow(ConnectionLostError);
    expect(session.state).toBe('closed');
    await expect(session.send(message('late'))).rejects.toThrow(ConnectionLostError);
    await expect(session.request({ type: 'get', payload: ping() })).rejects.toThrow(ConnectionLostError);
  });
});

describe('what arrives', () => {
  test('cannot break the stream by a sender that is no address', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      for (const from of ['@', '/', 'a@b@c/d', '&#x9;', '@/']) {
        peer.send(
          `<message from='${from}'/><presence from='${from}'/><iq type='result' id='x' from='${from}'/>`,
        );
        peer.send(`<iq type='get' id='g' from='${from}'><query xmlns='jabber:iq:version'/></iq>`);
        // Whoever asks is answered under the address that the server gave, whatever is wrong with it.
        await peer.until(/<iq [^>]*id="g"[^>]*>/);
      }
      peer.send(`<message from='bob@example.test'><body>fine</body></message>`);
    });
    await using session = await connectTo(server);
    const bodies = session.stanzas({ child: { name: 'body', namespace: 'jabber:client' } });
    const { value } = (await bodies.next()) as { value: Element };
    expect(value.getChildText('body')).toBe('fine');
  });

  test('is read no faster than the reader, and nothing of it is lost', async () => {
    const total = 20_000;
    let sentAll = false;
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      await peer.until(anyIq);
      for (let id = 0; id < total; id += 1) {
        const isTaken = peer.socket.write(`<message id='${id}'><body>${'x'.repeat(500)}</body></message>`);
        if (!isTaken) await once(peer.socket, 'drain');
      }
      sentAll = true;
    });
    await using session = await connectTo(server);
    const messages = session.stanzas({ name: 'message' });
    await session.request({ type: 'get', payload: ping() }, { timeoutMs: 1 }).catch(() => undefined);
    const first = (await messages.next()) as { value: Element };
    expect(first.value.attrs['id']).toBe('0');
    // The reader stops here: 10 MB do not fit into the sockets' buffers, so the server cannot have sent all.
    await new Promise((resolve) => setImmediate(resolve));
    expect(sentAll).toBe(false);
    let next = 1;
    for await (const { attrs } of messages) {
      expect(attrs['id']).toBe(String(next));
      next += 1;
      if (next === total) break;
    }
    expect(next).toBe(total);
  });

  test('can be answered with requests while it is read, however slowly', async () => {
    const total = 2000;
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      await peer.until(anyIq);
      for (let id = 0; id < total; id += 1)
        peer.send(`<message id='${id}'><body>${'x'.repeat(500)}</body></message>`);
      for (;;) peer.send(`<iq type='result' id='${idOf(await peer.until(anyIq))}'/>`);
    });
    await using session = await connectTo(server);
    const messages = session.stanzas({ name: 'message' });
    await session.request({ type: 'get', payload: ping() }, { timeoutMs: 1 }).catch(() => undefined);
    let count = 0;
    for await (const _message of messages) {
      if (count % 100 === 0) await session.request({ type: 'get', payload: ping() });
      count += 1;
      if (count === total) break;
    }
    expect(count).toBe(total);
  });
});

describe('what is sent', () => {
  test('is acknowledged by stream management, enabled in the same breath', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn(withManagement);
      await peer.until(/^<enable [^>]*\/><message .*<\/message><r [^>]*\/>$/);
      peer.send(`<enabled xmlns='${NS_SM}'/><a xmlns='${NS_SM}' h='1'/>`);
    });
    await using session = await connectTo(server);
    await session.send(message('one'));
    expect(session.unacknowledged()).toHaveLength(1);
    await session.flush();
    expect(session.unacknowledged()).toHaveLength(0);
  });

  test('is acknowledged by a ping where the server has no stream management; an error will do', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      await peer.until(/<message/);
      const id = idOf(await peer.until(/<iq [^>]*id="([^"]+)".*<ping/));
      peer.send(
        `<iq type='error' id='${id}' from='example.test'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
      );
    });
    await using session = await connectTo(server);
    await session.send(message('one'));
    await session.flush();
    expect(session.unacknowledged()).toHaveLength(0);
  });

  test('is acknowledged by a ping where enabling fails', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn(withManagement);
      await peer.until(/<enable/);
      peer.send(`<failed xmlns='${NS_SM}'/>`);
      peer.send(
        `<iq type='result' id='${idOf(await peer.until(/<iq [^>]*id="([^"]+)".*<ping/))}' from='example.test'/>`,
      );
    });
    await using session = await connectTo(server);
    await session.send(message('one'));
    await session.flush();
    expect(session.unacknowledged()).toHaveLength(0);
  });

  test('waits while the server acknowledges nothing', async () => {
    let silent: Peer | undefined;
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn(withManagement);
      await peer.enableManagement();
      silent = peer;
    });
    await using session = await connectTo(server);
    let sent = 0;
    const flood = (async () => {
      for (; sent < 2000; sent += 1) await session.send(message(String(sent)), { timeoutMs: 200 });
    })();
    await expect(flood).rejects.toThrow(TimeoutError);
    expect(sent).toBe(512);
    expect(silent?.unread.match(/<r /g)).toHaveLength(4);
    expect(session.unacknowledged()).toHaveLength(512);
  });

  test('keeps its order, awaited or not, before and after the window was full', async () => {
    const total = 3000;
    const seen: number[] = [];
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn(withManagement);
      await peer.enableManagement();
      while (seen.length < total) {
        const [, body] = await peer.until(/<body>(\d+)<\/body>/);
        seen.push(Number(body));
        if (seen.length % 100 === 0 || seen.length === total)
          peer.send(`<a xmlns='${NS_SM}' h='${seen.length}'/>`);
      }
    });
    await using session = await connectTo(server);
    await Promise.all(Array.from({ length: total }, (_, index) => session.send(message(String(index)))));
    await session.flush();
    expect(seen).toEqual(Array.from({ length: total }, (_, index) => index));
  });

  test('goes on when the socket was full before the first turn of the event loop', async () => {
    let bytes = 0;
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      peer.socket.on('data', (text: string) => (bytes += text.length));
      const [, id] = await peer.until(/<iq [^>]*id="([^"]+)".*<ping/);
      peer.send(`<iq type='result' id='${id ?? ''}' from='example.test'/>`);
    });
    await using session = await connectTo(server);
    for (let sent = 0; sent < 100; sent += 1) await session.send(message('x'.repeat(5000)));
    await session.flush();
    expect(bytes).toBeGreaterThan(500_000);
  });

  test('is refused before it leaves when XML forbids it', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      await peer.finish();
      expect(peer.unread).toBe('');
    });
    await using session = await connectTo(server);
    await expect(session.send(message('bell \u0007'))).rejects.toThrow(UsageError);
    await expect(session.request({ type: 'set', payload: message('\u0000') })).rejects.toThrow(UsageError);
  });

  test('that the server acknowledges more than was sent ends the stream', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn(withManagement);
      await peer.enableManagement();
      await peer.acknowledge(7);
    });
    await using session = await connectTo(server);
    await session.send(message('one'));
    await expect(session.flush()).rejects.toMatchObject({ name: 'ProtocolError' });
    expect(session.unacknowledged()).toHaveLength(1);
  });
});

describe('the end of a session', () => {
  test('is polite, tells everybody once, and can be repeated', async () => {
    await using server = await startScriptedServer((peer) => peer.logIn());
    const session = await connectTo(server);
    const ends: unknown[] = [];
    session.on('closed', (detail) => ends.push(detail));
    const rest = session.stanzas();
    const asked = session.request({ type: 'get', payload: ping() }).catch((error: unknown) => error);
    await Promise.all([session.close(), session.close()]);
    await session.close();
    expect(ends).toEqual([{ error: undefined }]);
    expect(await asked).toBeInstanceOf(ConnectionLostError);
    expect(await rest.next()).toMatchObject({ done: true });
    expect(session.state).toBe('closed');
  });

  test('leaves no timer behind that would keep the process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn(withManagement);
      await peer.enableManagement("id='s' resume='true'");
      await peer.until(/<message/);
      await peer.acknowledge(1);
    });
    const before = timers();
    const session = await connectTo(server, { resume: true });
    await session.send(message('one'));
    expect(timers()).toBeGreaterThan(before);
    await session.flush();
    await session.close();
    expect(timers()).toBeLessThanOrEqual(before);
  });

  test('tells the server what was received, once', async () => {
    let goodbye = '';
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn(withManagement);
      await peer.enableManagement("id='s' resume='true'");
      peer.send('<message/><message/>');
      [goodbye] = await peer.until(/<a .*<\/stream:stream>/);
      peer.socket.end('</stream:stream>');
    });
    const session = await connectTo(server, { resume: true });
    const stanzas = session.stanzas();
    await stanzas.next();
    await stanzas.next();
    await session.close();
    expect(goodbye).toBe(`<a xmlns="${NS_SM}" h="2"/></stream:stream>`);
  });

  test('does not wait for a server that does not answer the goodbye', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      await peer.closed();
    });
    const session = await connectTo(server);
    await session.close();
    expect(session.state).toBe('closed');
  });

  test.each([
    ['ends the stream', '</stream:stream>', 'ConnectionLostError'],
    ['sends a stray end tag', '</message>', 'ProtocolError'],
    ['sends broken XML', '<message <<< >', 'ProtocolError'],
    ['sends an undefined entity', '<message>&foo;</message>', 'ProtocolError'],
    [
      'sends a stream error',
      "<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
      'StreamError',
    ],
    ['sends an empty stream error', '<stream:error/>', 'StreamError'],
  ])('comes as an error when the server %s', async (_what, text, name) => {
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      await peer.until(/<iq /);
      peer.send(text);
    });
    await using session = await connectTo(server);
    const stanzas = session.stanzas();
    await expect(session.request({ type: 'get', payload: ping() })).rejects.toMatchObject({ name });
    await expect(stanzas.next()).rejects.toMatchObject({ name });
    expect(session.state).toBe('closed');
  });

  test('by a signal ends every wait but still says goodbye', async () => {
    let goodbye = '';
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      await peer.until(/<iq /);
      [goodbye] = await peer.until(/<presence type="unavailable"\/><\/stream:stream>/);
      peer.socket.end('</stream:stream>');
    });
    const abort = new AbortController();
    const session = await connectTo(server, { signal: abort.signal });
    const asked = session.request({ type: 'get', payload: ping() });
    const next = session.stanzas().next();
    abort.abort(new InterruptedError('interrupted'));
    await expect(asked).rejects.toThrow(InterruptedError);
    await expect(next).rejects.toThrow(InterruptedError);
    await session.send(xml('presence', { type: 'unavailable' }));
    await session.close();
    expect(goodbye).not.toBe('');
  });
});

test('answers what it is asked, and says no to the rest', async () => {
  const replies: string[] = [];
  await using server = await startScriptedServer(async (peer) => {
    await peer.logIn();
    for (const payload of ["<ping xmlns='urn:xmpp:ping'/>", "<other xmlns='urn:x'/>"]) {
      peer.send(`<iq type='get' id='q' from='bob@example.test/b'>${payload}</iq>`);
      const [reply] = await peer.until(/<iq [^>]*?(\/>|[^/]>.*?<\/iq>)/);
      replies.push(reply);
    }
    peer.send('<message/>');
  });
  await using session = await connectTo(server);
  await session.stanzas({ name: 'message' }).next();
  expect(replies[0]).toBe('<iq type="result" id="q" to="bob@example.test/b"/>');
  expect(replies[1]).toContain('service-unavailable');
});
