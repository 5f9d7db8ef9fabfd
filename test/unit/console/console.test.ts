/** What a console is made of: input cut into stanzas, their checks, snippets, completion, history, and answers. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Answering } from '../../../src/lib/console/answering.js';
import { complete, type CompletionWords } from '../../../src/lib/console/completion.js';
import { Conversation, type Received } from '../../../src/lib/console/conversation.js';
import { History, isSecretLine } from '../../../src/lib/console/history.js';
import { runSlashCommand, type ConsoleActions } from '../../../src/lib/console/slash-commands.js';
import {
  builtInSnippets,
  fillSnippet,
  findSnippet,
  readOwnSnippets,
} from '../../../src/lib/console/snippets.js';
import { StanzaInput } from '../../../src/lib/console/stanza-input.js';
import { checkTypedElement } from '../../../src/lib/console/typed-stanza.js';
import { UsageError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import type { OpenStream, OpenStreamListener } from '../../../src/lib/session/open-stream.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { serialize } from '../../../src/lib/xml/serialize.js';

const values = { me: 'a@b/c', bare: 'a@b', domain: 'b' };

describe('input', () => {
  it('is cut into stanzas wherever it is split, with the line each begins in', () => {
    const text = "<presence/>\n\n <iq type='get'>\n<a b='>'/></iq><message><!-- </message> --></message>\n";
    for (let size = 1; size < text.length; size += 1) {
      const input = new StanzaInput();
      const found = [];
      for (let at = 0; at < text.length; at += size) found.push(...input.push(text.slice(at, at + size)));
      input.end();
      expect(found).toEqual([
        { text: '<presence/>', line: 1 },
        { text: "<iq type='get'>\n<a b='>'/></iq>", line: 3 },
        { text: '<message><!-- </message> --></message>', line: 4 },
      ]);
    }
  });

  it.each([
    ['\nhello', /^line 2: text outside of a stanza: hello$/],
    ['<a>\n', /^line 1: the stanza that begins here is never closed: <a>$/],
    ["<stream:stream xmlns='x'>", /^line 1: the stream is open already/],
    ['</stream:stream>', /^line 1: the stream is open already/],
  ])('%j is refused', (text, message) => {
    const read = (): void => {
      const input = new StanzaInput();
      input.push(text);
      input.end();
    };
    expect(read).toThrow(UsageError);
    expect(read).toThrow(message);
  });
});

describe('a typed stanza', () => {
  it('is sent as it was typed, with an id where an iq has none', () => {
    expect(checkTypedElement("<message to='a@b'><body>x</body></message>").text).toBe(
      "<message to='a@b'><body>x</body></message>",
    );
    expect(checkTypedElement("<iq type='get'><a xmlns='b'/></iq>").text).toMatch(
      /^<iq id="[-\da-f]{36}" type='get'><a xmlns='b'\/><\/iq>$/,
    );
    expect(checkTypedElement("<r xmlns='urn:xmpp:sm:3'/>").text).toBe("<r xmlns='urn:xmpp:sm:3'/>");
  });

  it.each([
    ['<iq/>', 'an iq needs a type'],
    ["<iq type='get'/>", 'exactly one child'],
    ["<iq type='set'><a xmlns='a'/><b xmlns='b'/></iq>", 'exactly one child'],
    ["<presence to='@'/>", 'is not an XMPP address'],
    ['<foo/>', 'is no stanza'],
    ['<message><body>&nbsp;</body></message>', 'not well-formed'],
    ['<message></presence>', 'not well-formed'],
    [`${'<a>'.repeat(300)}${'</a>'.repeat(300)}`, 'nested deeper'],
  ])('%s is not', (text, message) => {
    expect(() => checkTypedElement(text)).toThrow(UsageError);
    expect(() => checkTypedElement(text)).toThrow(message);
  });
});

describe('snippets', () => {
  it('are all stanzas that can be sent, except those for streams typed by hand', () => {
    for (const snippet of builtInSnippets.filter(({ name }) => name !== 'stream')) {
      const { text } = checkTypedElement(fillSnippet(snippet, ['x@y', 'word', 'word'], values));
      expect(text).not.toMatch(/[{}]/);
    }
  });

  it('take what is typed behind their name', () => {
    const fill = (name: string, ...words: string[]): string =>
      fillSnippet(findSnippet(builtInSnippets, name), words, values).replace(/ id="[^"]*"/, '');
    expect(fill('message', 'x@y', 'a', '<', 'b')).toBe(
      '<message type="chat" to="x@y"><body>a &lt; b</body></message>',
    );
    expect(fill('ping')).toBe('<iq type="get" to="b"><ping xmlns="urn:xmpp:ping"/></iq>');
    expect(fill('muc-join', 'room@muc', 'me')).toContain('to="room@muc/me"');
    expect(() => findSnippet(builtInSnippets, 'nothing')).toThrow(UsageError);
  });
});

describe('completion', () => {
  const words: CompletionWords = {
    commands: ['/ping', '/presence'],
    snippets: ['ping', 'mine'],
    addresses: ['bob@example.org', 'example.org'],
  };
  it.each([
    ['/p', ['/ping', '/presence'], '/p'],
    ['/snippet m', ['mine'], 'm'],
    ['/ping b', ['bob@example.org'], 'b'],
    ['<pres', ['presence'], 'pres'],
    ['<iq type="g', ['get'], 'g'],
    ["<message type='gr", ['groupchat'], 'gr'],
    ['<iq to="exa', ['example.org'], 'exa'],
    ['<iq type="get"><query xmlns="jabber:iq:v', ['jabber:iq:version'], 'jabber:iq:v'],
    ['<iq type="get" xm', ['xmlns="', 'xml:lang="'], 'xm'],
    ['<iq type="get"><query/></', ['iq>'], ''],
    ['<message><body>hel', [], ''],
    ['</', [], ''],
  ])('of %s', (before, hits, part) => {
    expect(complete(before, words)).toEqual([hits, part]);
  });
});

describe('the history', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-history-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is on one line each, newest first, and only for its owner', async () => {
    const file = path.join(folder, 'state/history');
    const history = await History.open(file);
    await history.add('<iq>\n  <a/>\n</iq>\n');
    await history.add('/ping');
    await history.add('/ping');
    expect(await readFile(file, 'utf8')).toBe('<iq> <a/> </iq>\n/ping\n');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await History.open(file)).entries).toEqual(['/ping', '<iq> <a/> </iq>']);
  });

  it('has no secrets, and drops those that somebody else put there', async () => {
    const file = path.join(folder, 'history');
    await writeFile(file, "<auth mechanism='PLAIN'>x</auth>\n/ping\n");
    const history = await History.open(file);
    expect(history.entries).toEqual(['/ping']);
    for (const line of [
      "<auth xmlns='x'>AGE=</auth>",
      '<response>x</response>',
      '<sasl:response/>',
      '<handshake>x</handshake>',
      '<x><PASSWORD>x</PASSWORD></x>',
      "<field var='muc#roomconfig_roomsecret'/> passwd",
    ])
      await history.add(line);
    // Typed by hand, the rest of an element may be the secret.
    await history.add('AGFsaWNlAHg=', true);
    expect(history.entries).toEqual(['/ping']);
    expect(isSecretLine('<presence/>', true)).toBe(false);
  });

  it('goes on without a file, and says so once', async () => {
    await writeFile(path.join(folder, 'file'), '');
    const history = await History.open(path.join(folder, 'file/history'));
    expect(await history.add('one')).toMatch(/not remembered/);
    expect(await history.add('two')).toBeUndefined();
    expect(history.entries).toEqual(['two', 'one']);
  });

  it('stands beside snippets of the own', async () => {
    await writeFile(path.join(folder, 'mine.xml'), "<message to='{to}'>\n  <body/>\n</message>\n");
    await writeFile(path.join(folder, 'empty.xml'), '');
    await writeFile(path.join(folder, 'notes.txt'), 'x');
    expect(await readOwnSnippets(folder)).toEqual([
      { name: 'mine', does: 'of your own', template: "<message to='{to}'> <body/> </message>" },
    ]);
    expect(await readOwnSnippets(path.join(folder, 'none'))).toEqual([]);
  });
});

/** A stream whose other side is the test. */
function fakeStream(): { stream: OpenStream; sent: string[]; listener: () => OpenStreamListener } {
  const sent: string[] = [];
  let listening: OpenStreamListener | undefined;
  const stream = {
    jid: JID.parse('a@b/c'),
    kind: 'client' as const,
    listen: (listener: OpenStreamListener) => (listening = listener),
    send: (text: string) => {
      sent.push(text);
      return Promise.resolve();
    },
  } as unknown as OpenStream;
  return {
    stream,
    sent,
    listener: () => {
      if (!listening) throw new Error('nobody listens');
      return listening;
    },
  };
}

describe('a conversation', () => {
  it('ties answers to requests, and takes them only from whom was asked', async () => {
    const { stream, sent, listener } = fakeStream();
    const received: Received[] = [];
    let now = 0;
    const conversation = new Conversation(stream, {
      isAnswering: true,
      now: () => now,
      onReceived: (one) => received.push(one),
      onAnswered: () => undefined,
      onEnd: () => undefined,
    });
    const { text, element } = checkTypedElement("<iq type='get' id='1' to='x@y'><q xmlns='q'/></iq>");
    await conversation.send(text, element);
    expect(conversation.outstanding).toBe(1);
    now = 5;
    listener().onElement(parseXml("<iq xmlns='jabber:client' type='result' id='1' from='mallory@y'/>"));
    expect(conversation.outstanding).toBe(1);
    listener().onElement(parseXml("<iq xmlns='jabber:client' type='result' id='1' from='x@y'/>"));
    await conversation.settled();
    expect(received.map(({ rttMs }) => rttMs)).toEqual([undefined, 5]);
    expect(sent).toEqual([text]);
  });

  it('tells whoever waits that the stream is gone', async () => {
    const { stream, listener } = fakeStream();
    const conversation = new Conversation(stream, {
      isAnswering: true,
      now: () => 0,
      onReceived: () => undefined,
      onAnswered: () => undefined,
      onEnd: () => undefined,
    });
    const { text, element } = checkTypedElement("<iq type='get' id='1'><q xmlns='q'/></iq>");
    await conversation.send(text, element);
    const settled = conversation.settled();
    listener().onEnd(new Error('gone'));
    await expect(settled).rejects.toThrow('gone');
    await expect(conversation.settled()).rejects.toThrow('gone');
  });

  it('answers pings, refuses other requests, and counts stanzas for acknowledgements', () => {
    const answering = new Answering(fakeStream().stream);
    const answer = (text: string): string | undefined => {
      const found = answering.answerTo(parseXml(text));
      return found && serialize(found);
    };
    const iq = (payload: string): string =>
      `<iq xmlns='jabber:client' type='get' id='1' from='x@y'>${payload}</iq>`;
    expect(answer(iq("<ping xmlns='urn:xmpp:ping'/>"))).toBe('<iq type="result" id="1" to="x@y"/>');
    expect(answer(iq("<q xmlns='q'/>"))).toContain('service-unavailable');
    expect(answer("<iq xmlns='jabber:client' type='result' id='1'/>")).toBeUndefined();
    expect(answer("<r xmlns='urn:xmpp:sm:3'/>")).toBeUndefined();
    answer("<enabled xmlns='urn:xmpp:sm:3'/>");
    answer("<message xmlns='jabber:client'/>");
    expect(answer("<r xmlns='urn:xmpp:sm:3'/>")).toBe('<a xmlns="urn:xmpp:sm:3" h="1"/>');
  });
});

describe('commands with a slash', () => {
  const done: string[] = [];
  const actions: ConsoleActions = {
    snippets: builtInSnippets,
    values,
    print: (text) => void done.push(text),
    send: (text) => {
      done.push(text);
      return Promise.resolve();
    },
    insert: (text) => void done.push(`insert ${text}`),
    setting: (_name, value) => value ?? true,
    trace: (file) => Promise.resolve(file ?? 'off'),
    describe: () => 'facts',
    startTls: () => Promise.resolve(void done.push('tls')),
    quit: () => void done.push('quit'),
  };
  const run = async (line: string, isRaw = false): Promise<string[]> => {
    done.length = 0;
    await runSlashCommand(line, actions, isRaw);
    return done;
  };

  it('do what they say', async () => {
    expect(await run('/presence away at lunch')).toEqual([
      '<presence><show>away</show><status>at lunch</status></presence>',
    ]);
    expect((await run('/disco x@y')).map((text) => /disco#\w+/.exec(text)?.[0])).toEqual([
      'disco#info',
      'disco#items',
    ]);
    expect(await run('/message x@y a b')).toEqual([
      expect.stringMatching(/^<message type="chat" to="x@y" id=".*"><body>a b<\/body><\/message>$/),
    ]);
    expect(await run('/snippet presence')).toEqual(['insert <presence/>']);
    expect(await run('/answer off')).toEqual(['answer is off']);
    expect(await run('/trace off')).toEqual(['off']);
    expect(await run('/starttls', true)).toEqual(['tls']);
    expect((await run('/help')).join('\n')).toMatch(/^\/snippet \[NAME/m);
  });

  it.each([
    ['/nothing', false],
    ['/constructor', false],
    ['/presence asleep', false],
    ['/answer maybe', false],
    ['/message x@y', false],
    ['/ping', true],
    ['/starttls', false],
    ['/trace', false],
  ])('%s is refused', async (line, isRaw) => {
    await expect(run(line, isRaw)).rejects.toThrow(UsageError);
  });
});
