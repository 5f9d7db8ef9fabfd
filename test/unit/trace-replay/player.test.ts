/** The engine of a replay against a scripted other side: what waits for what, and what is a departure. */
import { describe, expect, it } from 'vitest';
import { ConversationLoader, type Conversation } from '../../../src/lib/trace-replay/conversation.js';
import type { ReplayEvent, ReplaySummary } from '../../../src/lib/trace-replay/events.js';
import { Player, type PlayerOptions } from '../../../src/lib/trace-replay/player.js';
import { parseTraceElement, type TraceElement } from '../../../src/lib/trace/trace-element.js';
import { login, recordTrace, type Line } from '../../support/recorded-trace.js';

function load(...lines: readonly Line[]): Conversation {
  const loader = new ConversationLoader();
  loader.push(recordTrace([...login, ...lines]));
  const [conversation] = loader.end();
  if (!conversation) throw new Error('nothing was recorded');
  return conversation;
}

function element(text: string): TraceElement {
  const found = parseTraceElement(text);
  if (!found) throw new Error(`no element: ${text}`);
  return found;
}

interface Played {
  sent: string[];
  events: ReplayEvent[];
  summary: ReplaySummary;
}

/** Plays without pauses; `answer` is what the other side says to each stanza. */
async function play(
  conversation: Conversation,
  answer: (sent: string) => readonly string[],
  options: Partial<PlayerOptions> & { opening?: readonly string[] } = {},
): Promise<Played> {
  const sent: string[] = [];
  const events: ReplayEvent[] = [];
  const player = new Player({
    conversation,
    role: 'client',
    party: { jid: 'carol@live.example/x', domain: 'live.example' },
    pairs: [],
    isMeant: () => true,
    obstacle: () => undefined,
    speed: undefined,
    replyTimeoutMs: 40,
    otherTimeoutMs: 20,
    namespace: 'jabber:client',
    send: (text) => {
      sent.push(text);
      for (const reply of answer(text)) setImmediate(() => player.receive(element(reply)));
      return Promise.resolve();
    },
    report: (event) => events.push(event),
    now: () => performance.now(),
    signal: new AbortController().signal,
    ...options,
  });
  for (const text of options.opening ?? []) setImmediate(() => player.receive(element(text)));
  await player.run();
  // What was asked last may still be answered.
  await new Promise((resolve) => setImmediate(resolve));
  return { sent, events, summary: player.summary() };
}

const idOf = (text: string): string => /id="([^"]*)"/.exec(text)?.[1] ?? '';

const twoRequests: readonly Line[] = [
  "→<iq type='get' id='1' to='example.org'><query xmlns='jabber:iq:version'/></iq>",
  "←<iq type='result' id='1' from='example.org' to='alice@example.org/desk'><query xmlns='jabber:iq:version'><name>P</name></query></iq>",
  "→<message to='bob@example.org'><body>write to alice@example.org</body></message>",
];

describe('a client that is played', () => {
  it('bears attributes whose names every object has something under', async () => {
    const recorded = load("←<message from='a@b'><x constructor='12345678' toString='1'/></message>");
    const { events } = await play(recorded, () => [], { opening: ["<message from='a@b'><x/></message>"] });
    expect(events).toMatchObject([{ kind: 'different', changes: [{ a: '12345678' }, { a: '1' }] }]);
  });

  it('says the next line when the answer to the one before has come, with the addresses of here', async () => {
    const { sent, events, summary } = await play(load(...twoRequests), (text) =>
      text.startsWith('<iq')
        ? [
            `<iq type='result' id='${idOf(text)}' from='live.example' to='carol@live.example/x'><query xmlns='jabber:iq:version'><name>P</name></query></iq>`,
          ]
        : [],
    );
    expect(sent).toEqual([
      '<iq type="get" id="1" to="live.example"><query xmlns="jabber:iq:version"/></iq>',
      '<message to="bob@live.example"><body>write to alice@example.org</body></message>',
    ]);
    expect(events.map(({ event }) => event)).toEqual(['sent', 'received', 'sent']);
    expect(summary).toEqual({ sent: 2, received: 1, skipped: 0, departures: 0, first: undefined });
  });

  it('says what does not come, and goes on', async () => {
    const { sent, events } = await play(load(...twoRequests), () => []);
    expect(sent).toHaveLength(2);
    expect(events[1]).toMatchObject({
      event: 'departure',
      kind: 'missing',
      n: 11,
      what: 'iq result {jabber:iq:version}query',
    });
  });

  it('says what comes otherwise, and what nobody expected', async () => {
    const { events, summary } = await play(load(...twoRequests), (text) =>
      text.startsWith('<iq')
        ? [
            "<presence from='dave@live.example/a'/>",
            `<iq type='error' id='${idOf(text)}' from='live.example'><error type='cancel'/></iq>`,
          ]
        : [],
    );
    expect(events.slice(1, 3)).toMatchObject([
      { kind: 'additional', what: 'presence' },
      {
        kind: 'different',
        n: 11,
        changes: expect.arrayContaining([{ path: 'iq@type', a: 'result', b: 'error' }]) as unknown,
      },
    ]);
    expect(summary).toMatchObject({ departures: 2, first: { kind: 'additional' } });
  });

  it('answers the requests of the other side under their live ids, and refuses others', async () => {
    const { sent, summary } = await play(
      load(
        "←<iq type='get' id='s1' from='example.org' to='alice@example.org/desk'><ping xmlns='urn:xmpp:ping'/></iq>",
        "→<iq type='result' id='s1' to='example.org'/>",
      ),
      () => [],
      {
        opening: [
          "<iq type='get' id='other' from='live.example' to='carol@live.example/x'><query xmlns='jabber:iq:last'/></iq>",
          "<iq type='get' id='live' from='live.example' to='carol@live.example/x'><ping xmlns='urn:xmpp:ping'/></iq>",
        ],
      },
    );
    expect(sent[0]).toMatch(/^<iq type="error" id="other" to="live.example"><error type="cancel">/);
    expect(sent[1]).toBe('<iq type="result" id="live" to="live.example"/>');
    expect(summary).toMatchObject({ departures: 1, received: 1 });
  });

  it('names what the server has named, as it is named here', async () => {
    const { sent, summary } = await play(
      load(
        "→<iq type='set' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item/></publish></pubsub></iq>",
        "←<iq type='result' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item id='abc-recorded-1'/></publish></pubsub></iq>",
        "→<iq type='set' id='2'><pubsub xmlns='http://jabber.org/protocol/pubsub'><retract node='n'><item id='abc-recorded-1'/></retract></pubsub></iq>",
        "←<iq type='result' id='2'/>",
      ),
      (text) =>
        text.includes('publish')
          ? [
              "<iq type='result' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item id='live-77'/></publish></pubsub></iq>",
            ]
          : ["<iq type='result' id='2'/>"],
    );
    expect(sent[1]).toContain('<retract node="n"><item id="live-77"/></retract>');
    expect(summary.departures).toBe(0);
  });

  it('leaves out what cannot be said, and does not wait for its answer', async () => {
    const { sent, events, summary } = await play(load(...twoRequests), () => [], {
      obstacle: ({ element: { name } }) =>
        name === 'iq' ? { reason: 'not here', isDeparture: true } : undefined,
    });
    expect(sent).toHaveLength(1);
    expect(events[0]).toMatchObject({ event: 'departure', kind: 'unsupported', reason: 'not here' });
    expect(summary.departures).toBe(1);
  });

  it('ends when the other side does, and says how much was left', async () => {
    let end = (): void => undefined;
    const conversation = load(...twoRequests);
    const events: ReplayEvent[] = [];
    const player = new Player({
      conversation,
      role: 'client',
      party: { jid: 'carol@live.example/x', domain: 'live.example' },
      pairs: [],
      isMeant: () => true,
      obstacle: () => undefined,
      speed: 1,
      replyTimeoutMs: 10_000,
      otherTimeoutMs: 10_000,
      namespace: 'jabber:client',
      send: () => {
        setImmediate(() => end());
        return Promise.resolve();
      },
      report: (event) => events.push(event),
      now: () => performance.now(),
      signal: new AbortController().signal,
    });
    end = () => player.end('the server closed the stream: policy-violation');
    await player.run();
    expect(player.summary().first).toEqual({
      event: 'departure',
      kind: 'ended',
      reason: 'the server closed the stream: policy-violation',
      left: 2,
    });
  });

  it('does not wait without end for one who says something else all the time', async () => {
    const { events } = await play(load(...twoRequests), (text) =>
      text.startsWith('<iq') ? Array.from({ length: 50 }, () => '<presence/>') : [],
    );
    expect(events.filter((event) => event.event === 'departure' && event.kind === 'missing')).toHaveLength(1);
    const flooded = await play(
      load(...twoRequests),
      (text) => (text.startsWith('<iq') ? Array.from({ length: 10_001 }, () => '<presence/>') : []),
      { replyTimeoutMs: 60_000 },
    );
    expect(flooded.summary.departures).toBeLessThan(10_100);
    expect(flooded.events.at(-1)).toMatchObject({
      kind: 'ended',
      reason: 'there are more than 10000 departures',
    });
  });

  it('takes answers that the recording ends before for what they are', async () => {
    const ping = (id: string): Line => `→<iq type='get' id='${id}'><ping xmlns='urn:xmpp:ping'/></iq>`;
    const answered = (text: string): readonly string[] => [`<iq type='result' id='${idOf(text)}'/>`];
    const unanswered = await play(load(ping('1'), "←<iq type='result' id='1'/>", ping('2')), answered);
    expect(unanswered.summary.departures).toBe(0);
    expect(unanswered.events.at(-1)).toEqual({ event: 'beyond', dir: 'in', what: 'iq result' });
    // Here the server had gone on, and never answered.
    const ignored = await play(load(ping('1'), ping('2'), "←<iq type='result' id='2'/>"), answered);
    expect(ignored.events).toContainEqual(expect.objectContaining({ kind: 'additional' }));
  });

  it('stops when it is told to', async () => {
    const abort = new AbortController();
    abort.abort();
    await expect(play(load(...twoRequests), () => [], { signal: abort.signal })).rejects.toThrow(
      'interrupted',
    );
  });

  it('says only what is selected, and expects only answers to it', async () => {
    const { sent, summary } = await play(
      load(...twoRequests, "←<presence from='bob@example.org/x'/>"),
      () => [],
      { isSelected: ({ name }) => name === 'message' },
    );
    expect(sent).toHaveLength(1);
    expect(summary).toMatchObject({ sent: 1, skipped: 1, departures: 0 });
  });
});

describe('a server that is played', () => {
  const server: Partial<PlayerOptions> = {
    role: 'server',
    replyTimeoutMs: 1000,
    otherTimeoutMs: 1000,
  };
  const recorded = load(
    "→<iq type='get' id='a'><query xmlns='jabber:iq:roster'/></iq>",
    "←<iq type='result' id='a' to='alice@example.org/desk'><query xmlns='jabber:iq:roster'/></iq>",
    "→<iq type='get' id='b' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
    "←<iq type='result' id='b' from='example.org' to='alice@example.org/desk'/>",
  );

  it('answers in the order of the client, under its ids', async () => {
    const { sent, summary } = await play(
      recorded,
      (text) =>
        text.includes('id="L2"') ? ["<iq type='get' id='L1'><query xmlns='jabber:iq:roster'/></iq>"] : [],
      { ...server, opening: ["<iq type='get' id='L2' to='live.example'><ping xmlns='urn:xmpp:ping'/></iq>"] },
    );
    expect(sent).toEqual([
      '<iq type="result" id="L2" from="live.example" to="carol@live.example/x"/>',
      '<iq type="result" id="L1" to="carol@live.example/x"><query xmlns="jabber:iq:roster"/></iq>',
    ]);
    expect(summary.departures).toBe(0);
  });

  it('answers again what it has answered', async () => {
    const ping = (id: string): string =>
      `<iq type='get' id='${id}' to='live.example'><ping xmlns='urn:xmpp:ping'/></iq>`;
    const { sent, events } = await play(recorded, () => [], {
      ...server,
      opening: [ping('1'), ping('2'), "<iq type='get' id='3'><query xmlns='jabber:iq:roster'/></iq>"],
    });
    expect(sent.map(idOf).sort()).toEqual(['1', '2', '3']);
    expect(sent.every((text) => text.includes('type="result"'))).toBe(true);
    expect(events.filter(({ event }) => event === 'departure')).toMatchObject([{ kind: 'additional' }]);
  });

  it('refuses stream management that was not recorded', async () => {
    const { sent } = await play(recorded, () => [], {
      ...server,
      replyTimeoutMs: 20,
      otherTimeoutMs: 20,
      opening: ["<enable xmlns='urn:xmpp:sm:3'/>"],
    });
    expect(sent[0]).toMatch(/^<failed xmlns="urn:xmpp:sm:3"><feature-not-implemented /);
  });
});
