import { describe, expect, test } from 'vitest';
import { ConnectionLostError, InterruptedError } from '../../../src/lib/errors.js';
import type { Session, SessionEvents } from '../../../src/lib/session/session.js';
import type { SessionTuning } from '../../../src/lib/session/tuning.js';
import { xml } from '../../../src/lib/xml/element.js';
import {
  bindFeature,
  connectTo,
  NS_SM,
  smFeature,
  startScriptedServer,
  type Peer,
} from '../../support/scripted-server.js';

const message = (body: string) => xml('message', { to: 'bob@example.test' }, xml('body', {}, body));
const withManagement = bindFeature + smFeature;
const resumable = "id='s-1' resume='true'";

/** No waiting between the attempts. */
function tuning(overrides: Partial<SessionTuning> = {}) {
  const delays: number[] = [];
  const quick: Partial<SessionTuning> = {
    random: () => 0,
    sleep: (ms) => {
      delays.push(ms);
      return Promise.resolve();
    },
    ...overrides,
  };
  return { quick, delays };
}

function once<K extends keyof SessionEvents>(session: Session, event: K): Promise<SessionEvents[K]> {
  return new Promise((resolve) => session.on(event, resolve));
}

async function resumeWith(peer: Peer, h: number): Promise<string> {
  await peer.authenticate(withManagement);
  const [, inbound] = await peer.until(/<resume [^>]*previd="s-1" h="(\d+)"\/>/);
  peer.send(`<resumed xmlns='${NS_SM}' previd='s-1' h='${h}'/>`);
  return inbound ?? '';
}

async function failResumption(peer: Peer, attributes = ''): Promise<void> {
  await peer.authenticate(withManagement);
  await peer.until(/<resume [^>]*\/>/);
  peer.send(
    `<failed xmlns='${NS_SM}' ${attributes}><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`,
  );
}

describe('a resumable session whose connection is cut', () => {
  test('goes on: what was not acknowledged is sent again, once, in order, and as it was', async () => {
    let inbound = '';
    let again = '';
    await using server = await startScriptedServer(async (peer, number) => {
      if (number === 1) {
        await peer.logIn(withManagement);
        await peer.enableManagement(resumable);
        peer.send('<message id="in-1"/><message id="in-2"/>');
        await peer.until(/three<\/body>/);
        peer.socket.destroy();
        return;
      }
      inbound = await resumeWith(peer, 1);
      peer.send('<message id="in-3"/>');
      [again] = await peer.until(/<message.*three<\/body><\/message><r [^>]*\/>/);
      peer.send(`<a xmlns='${NS_SM}' h='3'/>`);
    });
    await using session = await connectTo(server, { resume: true }, tuning().quick);
    const events: string[] = [];
    session.on('disconnected', ({ willRetry }) => events.push(`disconnected ${willRetry}`));
    session.on('resumed', () => events.push('resumed'));
    session.on('reconnected', () => events.push('reconnected'));
    const incoming = session.stanzas();
    const { jid } = session;
    await incoming.next();
    await incoming.next();
    for (const body of ['one', 'two', 'three']) await session.send(message(body));
    await session.flush();
    expect(inbound).toBe('2');
    expect(again.match(/<body>\w+/g)).toEqual(['<body>two', '<body>three']);
    expect(again).not.toContain('urn:xmpp:delay');
    expect(await incoming.next()).toMatchObject({ value: { attrs: { id: 'in-3' } } });
    expect(events).toEqual(['disconnected true', 'resumed']);
    expect(session.jid).toBe(jid);
    expect(session.state).toBe('online');
    expect(session.info.isResumable).toBe(true);
  });

  test('keeps a request waiting over the gap', async () => {
    await using server = await startScriptedServer(async (peer, number) => {
      if (number === 1) {
        await peer.logIn(withManagement);
        await peer.enableManagement(resumable);
        await peer.until(/<iq .*<\/iq>/);
        peer.socket.destroy();
        return;
      }
      await resumeWith(peer, 0);
      const [, id] = await peer.until(/<iq [^>]*id="([^"]+)".*<\/iq>/);
      peer.send(`<iq type='result' id='${id ?? ''}'/>`);
    });
    await using session = await connectTo(server, { resume: true }, tuning().quick);
    await expect(
      session.request({ type: 'get', payload: xml('ping', { xmlns: 'urn:xmpp:ping' }) }),
    ).resolves.toBeDefined();
  });

  test('sends what was given to it while it was offline, after what came before', async () => {
    let all = '';
    await using server = await startScriptedServer(async (peer, number) => {
      if (number === 1) {
        await peer.logIn(withManagement);
        await peer.enableManagement(resumable);
        await peer.until(/one<\/body>/);
        peer.socket.destroy();
        return;
      }
      await resumeWith(peer, 0);
      [all] = await peer.until(/<message.*three<\/body><\/message>/);
      await peer.acknowledge(3);
    });
    await using session = await connectTo(server, { resume: true }, tuning().quick);
    const gone = once(session, 'disconnected');
    await session.send(message('one'));
    await gone;
    expect(session.state).toBe('reconnecting');
    const sent = [session.send(message('two')), session.send(message('three'))];
    await Promise.all(sent);
    await session.flush();
    expect(all.match(/<body>\w+/g)).toEqual(['<body>one', '<body>two', '<body>three']);
  });

  test('that cannot be resumed sends messages again with a delay, after the listeners; presence not', async () => {
    let again = '';
    await using server = await startScriptedServer(async (peer, number) => {
      if (number === 1) {
        await peer.logIn(withManagement);
        await peer.enableManagement(resumable);
        await peer.until(/three<\/body>/);
        peer.socket.destroy();
        return;
      }
      // One of the four has arrived after all, says the server.
      await failResumption(peer, "h='1'");
      await peer.bind('anon@example.test/r2');
      await peer.enableManagement("id='s-2' resume='true'");
      [again] = await peer.until(/<presence.*three.*?<\/message>/);
      peer.send(`<a xmlns='${NS_SM}' h='3'/>`);
    });
    await using session = await connectTo(
      server,
      { resume: true },
      tuning({ now: () => 1_700_000_000_000 }).quick,
    );
    session.on('reconnected', ({ jid }) => {
      void session.send(xml('presence', { to: `room@example.test/${String(jid.resource)}` }));
    });
    await session.send(message('one'));
    await session.send(xml('presence'));
    await session.send(message('two'));
    await session.send(message('three'));
    await session.flush();
    expect(again).toMatch(/^<presence to="room@example.test\/r2"\/><message/);
    expect(again.match(/<body>\w+/g)).toEqual(['<body>two', '<body>three']);
    expect(again).toContain(
      '<delay xmlns="urn:xmpp:delay" from="anon@example.test/r2" stamp="2023-11-14T22:13:20.000Z"/>',
    );
    expect(session.jid.resource).toBe('r2');
    expect(session.unacknowledged()).toEqual([]);
  });

  test('fails a request that was asked for while it was offline, and does not send it', async () => {
    let again = '';
    await using server = await startScriptedServer(async (peer, number) => {
      if (number === 1) {
        await peer.logIn(withManagement);
        await peer.enableManagement(resumable);
        await peer.until(/one<\/body>/);
        peer.socket.destroy();
        return;
      }
      await failResumption(peer, "h='1'");
      await peer.bind('anon@example.test/r2');
      await peer.enableManagement("id='s-2' resume='true'");
      [again] = await peer.until(/.*two<\/body><\/message>/);
      peer.send(`<a xmlns='${NS_SM}' h='1'/>`);
    });
    await using session = await connectTo(server, { resume: true }, tuning().quick);
    const gone = once(session, 'disconnected');
    await session.send(message('one'));
    await gone;
    const request = session.request({ type: 'set', payload: xml('publish', { xmlns: 'urn:example' }) });
    const sent = session.send(message('two'));
    await expect(request).rejects.toBeInstanceOf(ConnectionLostError);
    await sent;
    await session.flush();
    expect(again).not.toContain('urn:example');
  });

  test('fails requests that no new stream can answer', async () => {
    await using server = await startScriptedServer(async (peer, number) => {
      if (number === 1) {
        await peer.logIn(withManagement);
        await peer.enableManagement(resumable);
        await peer.until(/<iq .*<\/iq>/);
        peer.socket.destroy();
        return;
      }
      await failResumption(peer);
      await peer.bind();
      await peer.enableManagement(resumable);
    });
    await using session = await connectTo(server, { resume: true }, tuning().quick);
    const payload = xml('ping', { xmlns: 'urn:xmpp:ping' });
    await expect(session.request({ type: 'get', payload })).rejects.toThrow(ConnectionLostError);
    expect(session.state).toBe('online');
  });

  test('on a server without stream management comes back on a new stream, and sends again', async () => {
    await using server = await startScriptedServer(async (peer, number) => {
      await peer.logIn();
      await peer.until(/one<\/body>/);
      if (number === 1) {
        peer.socket.destroy();
        return;
      }
      const [, id] = await peer.until(/<iq [^>]*id="([^"]+)".*<ping/);
      peer.send(`<iq type='result' id='${id ?? ''}' from='example.test'/>`);
    });
    await using session = await connectTo(server, { resume: true }, tuning().quick);
    await session.send(message('one'));
    await session.flush();
    expect(server.count).toBe(2);
  });

  test('tries again and again, more and more slowly, and stops when it is closed', async () => {
    await using server = await startScriptedServer(async (peer, number) => {
      if (number > 1) {
        peer.socket.destroy();
        return;
      }
      await peer.logIn();
      await peer.until(/<message/);
      peer.socket.destroy();
    });
    const { quick, delays } = tuning();
    const sleep: SessionTuning['sleep'] = async (ms, signal) => {
      delays.push(ms);
      if (delays.length === 9) void session.close();
      await Promise.resolve();
      signal.throwIfAborted();
    };
    const session = await connectTo(server, { resume: true }, { ...quick, sleep });
    const closed = once(session, 'closed');
    await session.send(message('one'));
    expect(await closed).toEqual({ error: undefined });
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(session.unacknowledged()).toHaveLength(1);
  });

  test('is over when somebody else took the resource, or the login is refused', async () => {
    for (const second of [
      "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
      "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
    ]) {
      await using server = await startScriptedServer(async (peer, number) => {
        if (number === 1) {
          await peer.logIn();
          await peer.until(/<message/);
          peer.socket.destroy();
          return;
        }
        await peer.open(
          "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms>",
        );
        await peer.until(/<auth /);
        peer.send(second);
      });
      const session = await connectTo(server, { resume: true }, tuning().quick);
      const closed = once(session, 'closed');
      await session.send(message('one'));
      const { error } = await closed;
      expect(['StreamError', 'AuthError']).toContain(error?.name);
      expect(server.count).toBe(2);
      await session.close();
    }
  });

  test('stops waiting when it is interrupted', async () => {
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn();
      await peer.until(/<message/);
      peer.socket.destroy();
    });
    const abort = new AbortController();
    const sleep: SessionTuning['sleep'] = () => {
      abort.abort(new InterruptedError('interrupted'));
      return Promise.resolve();
    };
    await using session = await connectTo(
      server,
      { resume: true, signal: abort.signal },
      tuning({ sleep }).quick,
    );
    const next = session.stanzas().next();
    await session.send(message('one'));
    await expect(next).rejects.toThrow(InterruptedError);
    expect(session.state).toBe('closed');
  });
});

describe('a server that resumes a stream and hears nothing on it', () => {
  const deaf = async (peer: Peer, number: number, says: (peer: Peer) => void = () => undefined) => {
    if (number === 1) {
      await peer.logIn(withManagement);
      await peer.enableManagement(resumable);
      await peer.until(/hello<\/body>/);
      peer.socket.destroy();
      return;
    }
    if (number === 2) {
      await resumeWith(peer, 0);
      says(peer);
      await peer.closed();
      return;
    }
    await peer.logIn(withManagement);
    await peer.enableManagement("id='s-2' resume='true'");
    await peer.until(/hello<\/body>/);
    await peer.acknowledge(1);
  };

  test('is left for a new stream, on which the message is sent again', async () => {
    await using server = await startScriptedServer((peer, number) => deaf(peer, number));
    await using session = await connectTo(server, { resume: true }, tuning({ resumedQuietMs: 30 }).quick);
    const events: string[] = [];
    session.on('disconnected', ({ error }) => events.push(error.message));
    session.on('resumed', () => events.push('resumed'));
    session.on('reconnected', () => events.push('reconnected'));
    await session.send(message('hello'));
    await session.flush();
    expect(events.slice(1)).toEqual([
      'resumed',
      'the server resumed the stream, but does not answer on it',
      'reconnected',
    ]);
  });

  test.each(['policy-violation', 'not-well-formed'])(
    'is left for a new stream also when it ends with %s',
    async (condition) => {
      await using server = await startScriptedServer((peer, number) =>
        deaf(peer, number, () =>
          peer.send(
            // What the server owes from before the cut acknowledges nothing of what was sent since.
            `<a xmlns='${NS_SM}' h='0'/><stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`,
          ),
        ),
      );
      await using session = await connectTo(server, { resume: true }, tuning().quick);
      const reconnected = once(session, 'reconnected');
      await session.send(message('hello'));
      await reconnected;
      await session.flush();
      expect(server.count).toBe(3);
    },
  );

  test('is not given time for ever because others go on talking', async () => {
    let timer: ReturnType<typeof setInterval> | undefined;
    await using server = await startScriptedServer((peer, number) =>
      deaf(peer, number, () => {
        timer = setInterval(() => peer.send('<message/>'), 5);
        peer.socket.once('close', () => clearInterval(timer));
      }),
    );
    await using session = await connectTo(
      server,
      { resume: true, timeoutMs: 400 },
      tuning({ resumedQuietMs: 100 }).quick,
    );
    const reconnected = once(session, 'reconnected');
    await session.send(message('hello'));
    await reconnected;
    await session.flush({ timeoutMs: 10_000 });
    expect(server.count).toBe(3);
  });
});

describe('a resumable session on a silent network', () => {
  test('asks for a sign of life, and takes another connection when none comes', async () => {
    await using server = await startScriptedServer(async (peer, number) => {
      if (number === 1) {
        await peer.logIn(withManagement);
        await peer.enableManagement(resumable);
        await peer.until(/<r /);
        await peer.closed();
        return;
      }
      await resumeWith(peer, 0);
    });
    await using session = await connectTo(
      server,
      { resume: true, timeoutMs: 300 },
      tuning({ idleMs: 30 }).quick,
    );
    const lost = once(session, 'disconnected');
    const resumed = once(session, 'resumed');
    expect((await lost).error.message).toContain('has not answered');
    await resumed;
  });

  test('is content with any answer', async () => {
    let asked = 0;
    await using server = await startScriptedServer(async (peer) => {
      await peer.logIn(withManagement);
      await peer.enableManagement(resumable);
      for (; asked < 3; asked += 1) await peer.acknowledge(0);
      peer.send('<message/>');
    });
    await using session = await connectTo(server, { resume: true }, tuning({ idleMs: 20 }).quick);
    await session.stanzas({ name: 'message' }).next();
    expect(asked).toBe(3);
    expect(server.count).toBe(1);
  });
});

test('a session that does not resume is over when its connection is', async () => {
  await using server = await startScriptedServer(async (peer) => {
    await peer.logIn(withManagement);
    await peer.until(/<message/);
    peer.socket.destroy();
  });
  const session = await connectTo(server);
  const lost = once(session, 'disconnected');
  const closed = once(session, 'closed');
  await session.send(message('one'));
  expect(await lost).toMatchObject({ willRetry: false });
  expect((await closed).error).toBeInstanceOf(ConnectionLostError);
  await expect(session.flush()).rejects.toThrow(ConnectionLostError);
  expect(session.unacknowledged()).toHaveLength(1);
});
