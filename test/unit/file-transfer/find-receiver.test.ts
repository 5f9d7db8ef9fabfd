/** Which resource is chosen, by what is known of them. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { NegativeError } from '../../../src/lib/errors.js';
import {
  findReceiver,
  type FindReceiverOptions,
} from '../../../src/lib/file-transfer/sending/find-receiver.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { PresenceWatch } from '../../../src/lib/roster/presence-watch.js';
import { MessageStream } from '../../support/message-stream.js';

const FILES = 'urn:xmpp:jingle:apps:file-transfer:5';
const MESSAGES = 'urn:xmpp:jingle-message:0';
const TRANSPORT = 'urn:example:transport';
const bob = JID.parse('bob@example.org');

interface Setting {
  stream: MessageStream;
  presence: PresenceWatch;
  notes: string[];
  find: (to?: JID, more?: Partial<FindReceiverOptions>) => ReturnType<typeof findReceiver>;
  come: (resource: string, features: readonly string[] | 'silent', priority?: number) => void;
}

function setUp({ isContact = true } = {}): Setting {
  const stream = new MessageStream('alice@example.org/me');
  const presence = new PresenceWatch(stream);
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const notes: string[] = [];
  const roster = new Map(isContact ? [['bob@example.org', { jid: bob, isSeen: true, seesUs: true }]] : []);
  return {
    stream,
    presence,
    notes,
    find: (to = bob, more = {}) =>
      findReceiver(to, {
        session: stream.session,
        presence,
        roster,
        transports: [TRANSPORT],
        isWaiting: false,
        timeoutMs: 50,
        acceptTimeoutMs: 200,
        signal: abort.signal,
        note: (fact) => notes.push(fact),
        ...more,
      }),
    come: (resource, features, priority = 0) => {
      const jid = `bob@example.org/${resource}`;
      stream.features.set(jid, features);
      stream.deliver(`<presence from="${jid}"><priority>${priority}</priority></presence>`);
    },
  };
}

const answer = (stream: MessageStream, kind: string, resource = 'phone'): void =>
  stream.whenSent((stanza) => {
    const id: unknown = stanza.getChild('propose', MESSAGES)?.attrs['id'];
    if (typeof id !== 'string') return;
    stream.deliver(
      `<message type="chat" from="bob@example.org/${resource}"><${kind} xmlns="${MESSAGES}" id="${id}"/></message>`,
    );
  });

describe('of a contact', () => {
  it('the one with the highest priority that takes files is found', async () => {
    const { find, come } = setUp();
    come('chat-only', ['urn:example:chat'], 10);
    come('other-transport', [FILES, 'urn:example:else'], 9);
    come('low', [FILES, TRANSPORT], 1);
    come('high', [FILES, TRANSPORT], 5);
    expect(await find()).toMatchObject({ kind: 'found' });
    expect(String(((await find()) as { jid: JID }).jid)).toBe('bob@example.org/high');
  });

  it('one that has left is not chosen', async () => {
    const { find, come, stream } = setUp();
    come('low', [FILES, TRANSPORT], 1);
    come('high', [FILES, TRANSPORT], 5);
    stream.deliver('<presence type="unavailable" from="bob@example.org/high"/>');
    expect(String(((await find()) as { jid: JID }).jid)).toBe('bob@example.org/low');
  });

  it('one that was killed, and looks present but does not answer, is passed over', async () => {
    const { find, come } = setUp();
    come('ghost', 'silent', 10);
    come('desk', [FILES, TRANSPORT], 1);
    const found = await find(bob, { timeoutMs: 60_000 });
    expect(String((found as { jid: JID }).jid)).toBe('bob@example.org/desk');
  });

  it('equals are asked, and who answers has it', async () => {
    const { find, come, stream } = setUp();
    come('desk', [FILES, TRANSPORT, MESSAGES]);
    come('phone', [FILES, TRANSPORT, MESSAGES]);
    answer(stream, 'proceed');
    const found = await find();
    expect(found).toMatchObject({ kind: 'found', proposal: { id: expect.any(String) as string } });
    expect(String((found as { jid: JID }).jid)).toBe('bob@example.org/phone');
  });

  it('nobody is found who takes files, or who is there', async () => {
    const online = setUp();
    online.come('chat-only', ['urn:example:chat']);
    expect(await online.find()).toEqual({
      kind: 'nobody',
      reason: 'has no client that takes files by Jingle',
    });
    expect(await setUp().find()).toEqual({ kind: 'nobody', reason: 'is offline' });
  });

  it('one that comes later is waited for', async () => {
    const { find, come, notes } = setUp();
    const finding = find(bob, { isWaiting: true });
    come('chat-only', ['urn:example:chat']);
    await expect.poll(() => notes.some((note) => note.endsWith('; waiting'))).toBe(true);
    come('desk', [FILES, TRANSPORT]);
    expect(String(((await finding) as { jid: JID }).jid)).toBe('bob@example.org/desk');
  });

  it('waiting ends when it is interrupted', async () => {
    const { find } = setUp();
    const abort = new AbortController();
    const finding = find(bob, { isWaiting: true, signal: abort.signal });
    abort.abort();
    await expect(finding).rejects.toThrow('interrupted');
  });
});

describe('of a stranger', () => {
  it('whoever answers the announcement is found, and gets to see that we are there', async () => {
    const { find, stream } = setUp({ isContact: false });
    answer(stream, 'proceed', 'laptop');
    expect(String(((await find()) as { jid: JID }).jid)).toBe('bob@example.org/laptop');
    expect(stream.sent[0]?.getName()).toBe('presence');
    expect(stream.sent[0]?.attrs['to']).toBe('bob@example.org');
  });

  it('a no is an answer', async () => {
    const { find, stream } = setUp({ isContact: false });
    answer(stream, 'reject');
    await expect(find()).rejects.toBeInstanceOf(NegativeError);
  });

  it('silence is nobody, and the announcement is taken back', async () => {
    const { find, stream } = setUp({ isContact: false });
    expect(await find()).toEqual({ kind: 'nobody', reason: 'is offline, or takes no files by Jingle' });
    expect(stream.sent.at(-1)?.getChild('retract', MESSAGES)).toBeDefined();
  });

  it('one who rings is given time', async () => {
    const { find, stream } = setUp({ isContact: false });
    stream.whenSent((stanza) => {
      const id: unknown = stanza.getChild('propose', MESSAGES)?.attrs['id'];
      if (typeof id !== 'string') return;
      const say = (kind: string): void =>
        stream.deliver(
          `<message type="chat" from="bob@example.org/x"><${kind} xmlns="${MESSAGES}" id="${id}"/></message>`,
        );
      say('ringing');
      setTimeout(() => say('proceed'), 100);
    });
    expect(await find()).toMatchObject({ kind: 'found' });
  });
});

it('a full address is taken as it is', async () => {
  const full = JID.parse('bob@example.org/desk');
  expect(await setUp().find(full)).toEqual({ kind: 'found', jid: full });
});
