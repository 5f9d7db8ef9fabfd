/** A server that fails at every step there is: each ends in one clear error of the right kind, and nothing hangs. */
import { describe, expect, test } from 'vitest';
import { exitCodeOf, XmppctlError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { connect } from '../../../src/lib/session/connect.js';
import type { Session } from '../../../src/lib/session/session.js';
import { xml } from '../../../src/lib/xml/element.js';
import { startFakeServer, type FakeServer } from '../../support/fake-server.js';
import * as sins from '../../support/fake-server/misbehaviour.js';
import type { FakeServerOptions, Hook, Step } from '../../support/fake-server/options.js';

/** Enough for an honest answer on a busy machine. */
const TIMEOUT_MS = 3000;

function logIn(server: FakeServer, timeoutMs: number): Promise<Session> {
  return connect({
    jid: JID.parse(`alice@${server.domain}`),
    credentials: { password: () => Promise.resolve('wonderland') },
    service: server.service,
    tls: { ca: server.ca },
    timeoutMs,
  });
}

function ping(session: Session): Promise<unknown> {
  return session.request({ type: 'get', payload: xml('ping', { xmlns: 'urn:xmpp:ping' }) });
}

/** Logs in and asks for something, against a server that will not let it. */
async function fail(options: FakeServerOptions, timeoutMs = 20_000): Promise<XmppctlError> {
  await using server = await startFakeServer(options);
  const work = async (): Promise<void> => {
    await using session = await logIn(server, timeoutMs);
    await ping(session);
  };
  const failure: unknown = await work().catch((error: unknown) => error);
  if (!(failure instanceof XmppctlError)) expect.unreachable(`no error of ours: ${String(failure)}`);
  expect(failure.message).not.toContain('\n');
  return failure;
}

const steps: Step[] = [
  'open',
  'starttls',
  'secure-open',
  'auth',
  'response',
  'authenticated-open',
  'bind',
  'stanza',
];

const faults: [string, Hook, number][] = [
  ['hangs up', sins.hangUp, 3],
  ['resets the connection', sins.reset, 3],
  ['ends the stream', sins.endStream, 3],
  ['breaks off in the middle of a stanza', sins.cutMidStanza, 3],
  ['sends a stream error', sins.streamError('policy-violation', 'Go away'), 5],
  ['sends broken XML', sins.sendBrokenXml, 5],
  ['sends a stray end tag', sins.sendStrayEndTag, 5],
  ['sends a DTD', sins.sendDtd, 5],
  ['sends bytes that are not UTF-8', sins.sendInvalidUtf8, 5],
];

describe.each(faults)('a server that %s', (_title, hook, exitCode) => {
  // Before a stream is open there is no stream to end, and no document to be broken in the middle of.
  const isAboutStream = hook === sins.endStream || hook === sins.cutMidStanza;
  const opens: Step[] = ['open', 'secure-open', 'authenticated-open'];
  test.each(steps.filter((step) => !isAboutStream || !opens.includes(step)))('at %s', async (step) => {
    const failure = await fail({ at: { [step]: hook } });
    expect([exitCodeOf(failure), failure.message]).toEqual([exitCode, expect.any(String)]);
  });
});

describe.concurrent('a server that says nothing', () => {
  test.each<Step>([...steps, 'tls'])('at %s', async (step) => {
    const failure = await fail({ at: { [step]: sins.staySilent } }, TIMEOUT_MS);
    expect([exitCodeOf(failure), failure.message]).toEqual([6, expect.stringContaining('3 s')]);
  });
});

describe('the TLS handshake', () => {
  test.each([
    ['is cut', sins.reset],
    ['is answered in clear', sins.sendText('<message/>')],
  ])('that %s', async (_title, hook) => {
    expect(exitCodeOf(await fail({ at: { tls: hook } }))).toBe(3);
  });
});

describe('too much', () => {
  test.each([
    ['a stanza of 10 MB before the login', { at: { auth: sins.sendHugeStanza(10_000_000) } }],
    ['a stanza of 10 MB', { at: { stanza: sins.sendHugeStanza(10_000_000) } }],
    ['a thousand elements inside each other', { at: { stanza: sins.sendDeepStanza(1000) } }],
  ] as [string, FakeServerOptions][])('%s', async (_title, options) => {
    expect(exitCodeOf(await fail(options))).toBe(5);
  });
});

test.each([1, 2, 7])('packets of %i bytes split nothing, characters included', async (splitBytes) => {
  const body = '\u00e9\u2603\u{1f600}'.repeat(20);
  await using server = await startFakeServer({
    splitBytes,
    onStanza: async (peer, stanza) => {
      if (stanza?.name === 'iq')
        await peer.write(`<message from='bob@fake.test'><body>${body}</body></message>`);
      return 'go on';
    },
  });
  await using session = await logIn(server, 20_000);
  const messages = session.stanzas({ name: 'message' });
  await ping(session);
  for await (const message of messages) {
    expect(message.getChildText('body')).toBe(body);
    return;
  }
  expect.unreachable('no message came');
});

test.each(['mallory@fake.test', 'mallory@fake.test/x', 'other.test', 'alice@fake.test.other'])(
  'a reply from %s is not the answer to a question to the server',
  async (from) => {
    await using server = await startFakeServer({
      onStanza: async (peer, stanza) => {
        if (stanza?.name === 'iq')
          await peer.write(`<iq type='result' from='${from}' id='${String(stanza.attrs['id'])}'/>`);
        return 'go on';
      },
    });
    await using session = await logIn(server, 20_000);
    // The honest answer is an error, so that the two can be told apart.
    const version = xml('query', { xmlns: 'jabber:iq:version' });
    await expect(session.request({ type: 'get', to: 'fake.test', payload: version })).rejects.toThrow(
      'service-unavailable',
    );
  },
);
