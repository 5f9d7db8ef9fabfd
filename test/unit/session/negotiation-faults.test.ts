import { describe, expect, test } from 'vitest';
import { InterruptedError, TimeoutError, TlsError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { connect } from '../../../src/lib/session/connect.js';
import { openUnauthenticated } from '../../../src/lib/session/open-unauthenticated.js';
import type { ConnectOptions } from '../../../src/lib/session/options.js';
import { xml } from '../../../src/lib/xml/element.js';
import { startFakeServer, type FakeServer } from '../../support/fake-server.js';
import {
  cutMidStanza,
  endStream,
  hangUp,
  reset,
  sendBrokenXml,
  sendDtd,
  sendStrayEndTag,
  sendText,
  staySilent,
  streamError,
} from '../../support/fake-server/misbehaviour.js';
import type { Hook, Step } from '../../support/fake-server/options.js';

const optionsFor = (server: FakeServer, overrides: Partial<ConnectOptions> = {}): ConnectOptions => ({
  jid: JID.parse(`alice@${server.domain}`),
  credentials: { password: () => Promise.resolve('wonderland') },
  service: server.service,
  tls: { ca: server.ca },
  timeoutMs: 5000,
  ...overrides,
});

/** Every step that the server answers with XML. */
const steps: readonly Step[] = [
  'open',
  'starttls',
  'secure-open',
  'auth',
  'response',
  'authenticated-open',
  'bind',
  'enable',
];
const resume = { resume: true };

/** Connects, and returns what it failed with. */
async function failureOf(
  step: Step,
  hook: Hook,
  overrides: Partial<ConnectOptions> = resume,
): Promise<unknown> {
  await using server = await startFakeServer({ at: { [step]: hook } });
  return await connect(optionsFor(server, overrides)).then(
    async (session) => {
      await session.close();
      return 'connected';
    },
    (error: unknown) => error,
  );
}

describe.each(steps)('at the step %s', (step) => {
  test.each<[string, Hook, string]>([
    ['a stream error', streamError('internal-server-error', 'out of cheese'), 'StreamError'],
    ['a stray end tag', sendStrayEndTag, 'ProtocolError'],
    ['a DTD', sendDtd, 'ProtocolError'],
    ['the end of the stream', endStream, 'ConnectionLostError'],
    ['a closed connection', hangUp, 'ConnectionLostError'],
    ['a reset connection', reset, 'ConnectionLostError'],
    ['half a stanza and a cut', cutMidStanza, 'ConnectionLostError'],
  ])('%s is an error, and nothing hangs', async (_what, hook, name) => {
    const error = await failureOf(step, hook);
    // Before the stream header what comes is no stanza, and so no XML stream at all.
    const names = step.endsWith('open') ? [name, 'ProtocolError'] : [name];
    expect(names).toContain((error as Error).name);
  });

  test('broken XML is an error', async () => {
    expect(await failureOf(step, sendBrokenXml)).toMatchObject({ name: 'ProtocolError' });
  });

  test('silence ends with the time-out', async () => {
    expect(await failureOf(step, staySilent, { ...resume, timeoutMs: 60 })).toBeInstanceOf(TimeoutError);
  });

  test('an interruption closes the connection', async () => {
    const abort = new AbortController();
    let left: Promise<unknown> = Promise.resolve();
    const hook: Hook = (peer) => {
      left = new Promise((resolve) => peer.socket.on('close', resolve));
      abort.abort(new InterruptedError('interrupted'));
    };
    expect(await failureOf(step, hook, { ...resume, signal: abort.signal })).toBeInstanceOf(InterruptedError);
    await left;
  });
});

describe('TLS', () => {
  test('that is not offered is missing: the password is not even asked for', async () => {
    const strip = (features: string): string => features.replace(/<starttls.*?<\/starttls>/, '');
    await using server = await startFakeServer({ changeFeatures: strip });
    let asked = 0;
    const password = () => Promise.resolve(`${(asked += 1)}`);
    await expect(connect(optionsFor(server, { credentials: { password } }))).rejects.toThrow(TlsError);
    expect(asked).toBe(0);
    expect(server.logins).toEqual([]);
  });

  test('that is stripped while mechanisms are offered in plain is missing all the same', async () => {
    const strip = (): string =>
      "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
    await using server = await startFakeServer({ changeFeatures: strip });
    await expect(connect(optionsFor(server))).rejects.toThrow(TlsError);
    expect(server.logins).toEqual([]);
  });

  test('that the server fails to start is refused', async () => {
    const failure = sendText("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
    expect(await failureOf('starttls', failure)).toBeInstanceOf(TlsError);
  });

  test('is used where it is offered, also when plain is allowed', async () => {
    await using server = await startFakeServer();
    await using session = await connect(optionsFor(server, { allowPlain: true }));
    expect(session.info.tls?.version).toMatch(/^TLSv1\.[23]$/);
  });
});

describe('a redirection', () => {
  test('is followed, under the same rules', async () => {
    await using target = await startFakeServer();
    await using server = await startFakeServer({
      at: { 'secure-open': streamErrorTo(`127.0.0.1:${target.port}`) },
    });
    // Another authority: the target is not who it should be.
    await expect(connect(optionsFor(server))).rejects.toThrow(TlsError);
    await using session = await connect(optionsFor(server, { tls: { ca: `${server.ca}\n${target.ca}` } }));
    expect(session.info.endpoint).toContain(String(target.port));
  });

  test('in a circle comes to an end', async () => {
    let port = 0;
    await using server = await startFakeServer({
      at: { 'secure-open': (peer) => streamErrorTo(`127.0.0.1:${port}`)(peer, undefined) },
    });
    ({ port } = server);
    await expect(connect(optionsFor(server))).rejects.toThrow('redirected us 3 times');
  });
});

function streamErrorTo(host: string): Hook {
  return sendText(
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='r'>" +
      `<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>${host}</see-other-host></stream:error></stream:stream>`,
  );
}

describe('binding', () => {
  test('that is refused says why', async () => {
    const refuse: Hook = async (peer, iq) => {
      await peer.write(
        `<iq type='error' id='${String(iq?.attrs['id'])}'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
      );
    };
    expect(await failureOf('bind', refuse)).toMatchObject({ name: 'StanzaError', condition: 'conflict' });
  });

  test.each(['', 'not@@an address', 'alice@fake.test'])('to %j is refused', async (jid) => {
    const lie: Hook = async (peer, iq) => {
      await peer.write(
        `<iq type='result' id='${String(iq?.attrs['id'])}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>${jid}</jid></bind></iq>`,
      );
    };
    expect(await failureOf('bind', lie)).toMatchObject({ name: 'ProtocolError' });
  });

  test('answered under another id is refused', async () => {
    const lie = sendText("<iq type='result' id='guess'/>");
    expect(await failureOf('bind', lie)).toMatchObject({ name: 'ProtocolError' });
  });

  test('asks for the resource of the address', async () => {
    await using server = await startFakeServer();
    await using session = await connect(
      optionsFor(server, { jid: JID.parse(`alice@${server.domain}/desk`) }),
    );
    expect(session.jid.resource).toBe('desk');
  });
});

describe('SASL2 with Bind 2', () => {
  test('binds and enables stream management on the way, and resumes in the login', async () => {
    await using server = await startFakeServer({ hasSasl2: true, hasSasl: false });
    await using session = await connect(optionsFor(server, resume), { sleep: () => Promise.resolve() });
    expect(session.jid.resource).toMatch(/^xmppctl\./);
    expect(session.info.isResumable).toBe(true);
    const resumed = new Promise((resolve) => session.on('resumed', resolve));
    server.connections.at(-1)?.peer.destroy();
    await resumed;
    await session.send(xml('message', { to: 'bob@fake.test' }));
    await session.flush();
    expect(server.stanzas).toHaveLength(1);
    expect(server.connections).toHaveLength(2);
  });

  test('binds the classical way where a resource is wanted by name', async () => {
    await using server = await startFakeServer({ hasSasl2: true, hasSasl: false });
    await using session = await connect(
      optionsFor(server, { jid: JID.parse(`alice@${server.domain}/desk`) }),
    );
    expect(session.jid.resource).toBe('desk');
  });
});

describe('a stream before authentication', () => {
  test('is secure, asks the server, and gives up when the connection is lost', async () => {
    await using server = await startFakeServer({
      at: {
        auth: async (peer, element) => {
          const id = String(element?.attrs['id']);
          await peer.write(`<iq type='result' id='${id}'><query xmlns='jabber:iq:register'/></iq>`);
          await peer.element();
          peer.destroy();
        },
      },
    });
    await using stream = await openUnauthenticated(optionsFor(server));
    expect(stream.info.tls).toBeDefined();
    expect(stream.features.getChild('mechanisms')).toBeDefined();
    const ask = () => stream.request({ type: 'get', payload: xml('query', { xmlns: 'jabber:iq:register' }) });
    expect((await ask()).getChild('query', 'jabber:iq:register')).toBeDefined();
    await expect(ask()).rejects.toMatchObject({ name: 'ConnectionLostError' });
  });
});
