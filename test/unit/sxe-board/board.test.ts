/** The server of a board and what it says, spoken to without a browser. */
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Participant } from '../../../src/lib/sxe/participant.js';
import { writeWorkingCopy } from '../../../src/lib/sxe/working-copy.js';
import { Board } from '../../../src/lib/sxe-board/board.js';
import type { ToPage } from '../../../src/lib/sxe-board/messages.js';
import { participantWith } from '../sxe/document-text.js';

const files = { html: '<p>page</p>', css: 'p {}', script: '1;', icon: '<svg/>' };
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Opened {
  board: Board;
  participant: Participant;
  edits: number[];
}

async function openBoard(text = '<svg xmlns="http://www.w3.org/2000/svg"/>'): Promise<Opened> {
  const participant = participantWith(text, 'alice');
  const edits: number[] = [];
  const editor = {
    participant,
    edit: (changes: Parameters<Participant['edit']>[0]) => participant.edit(changes).outcomes,
  };
  const board = await Board.open(editor, {
    title: 'plan\u202e',
    name: 'alice',
    files,
    onEdited: () => edits.push(edits.length),
  });
  closers.push(() => board.close('over'));
  return { board, participant, edits };
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

function ask(url: URL, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port, pathname } = url;
    request({ hostname, port, path: pathname, method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    })
      .on('error', reject)
      .end();
  });
}

/** A page that keeps what it is told. */
class TestPage {
  readonly messages: ToPage[] = [];
  readonly closed: Promise<number>;
  #look = (): void => undefined;

  private constructor(readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => socket.once('close', (code) => resolve(code)));
    socket.on('message', (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString('utf8')) as ToPage);
      this.#look();
    });
  }

  static async open(board: Board, name: string | undefined, origin?: string): Promise<TestPage> {
    const url = new URL('socket', board.url);
    const socket = new WebSocket(String(url).replace('http:', 'ws:'), { origin: origin ?? url.origin });
    closers.push(() => socket.terminate());
    const page = new TestPage(socket);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    if (name !== undefined) {
      page.say({ kind: 'hello', page: name });
      await page.heard(({ kind }) => kind === 'done');
    }
    return page;
  }

  say(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Waits for a message, and forgets those before it. */
  async heard<T extends ToPage>(is: (message: ToPage) => message is T): Promise<T>;
  async heard(is: (message: ToPage) => boolean): Promise<ToPage>;
  async heard(is: (message: ToPage) => boolean): Promise<ToPage> {
    for (;;) {
      const at = this.messages.findIndex(is);
      const found = this.messages[at];
      if (found) {
        this.messages.splice(0, at + 1);
        return found;
      }
      await new Promise<void>((resolve) => (this.#look = resolve));
    }
  }

  done(seq: number): Promise<ToPage & { kind: 'done' }> {
    return this.heard((each): each is ToPage & { kind: 'done' } => each.kind === 'done' && each.seq === seq);
  }
}

const draw = (seq: number, x = '1'): unknown => ({
  kind: 'draw',
  seq,
  gesture: `g${seq}`,
  shape: { name: 'rect', attributes: { x } },
});
const is =
  <K extends ToPage['kind']>(kind: K) =>
  (message: ToPage): message is ToPage & { kind: K } =>
    message.kind === kind;

describe('the server of a board', () => {
  it('serves the page, with headers that let nothing else in', async () => {
    const { board } = await openBoard();
    const url = new URL(board.url);
    expect(url.hostname).toBe('127.0.0.1');
    expect(url.pathname).toMatch(/^\/[\w-]{43}\/$/);
    for (const [name, type, body] of [
      ['', 'text/html', files.html],
      ['page.css', 'text/css', files.css],
      ['page.js', 'text/javascript', files.script],
      ['icon.svg', 'image/svg+xml', files.icon],
    ] as const) {
      const answer = await ask(new URL(name, url));
      expect(answer).toMatchObject({ status: 200, body });
      expect(answer.headers).toMatchObject({
        'content-type': `${type}; charset=utf-8`,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
        'x-frame-options': 'DENY',
      });
      const policy = answer.headers['content-security-policy'] ?? '';
      expect(policy).toContain("default-src 'none'; script-src 'self';");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
    }
    expect(await ask(url, {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
  });

  it('knows only who has the secret, by the right name, from its own page', async () => {
    const { board } = await openBoard();
    const url = new URL(board.url);
    const other = new URL(`/${'a'.repeat(43)}/`, url);
    for (const place of [
      '/',
      '/page.js',
      '/favicon.ico',
      other.pathname,
      `${url.pathname}none`,
      `${url.pathname}../page.js`,
    ])
      expect((await ask(new URL(place, url))).status, place).toBe(404);
    const { host } = url;
    for (const headers of [
      { host: 'evil.example' },
      { host: `evil.example:${url.port}` },
      { host: `localhost:${url.port}` },
      { host, origin: 'http://evil.example' },
      { host, origin: 'null' },
    ]) {
      const answer = await ask(url, headers);
      expect(answer).toMatchObject({ status: 403, body: '' });
    }
    expect((await ask(url, { host, origin: url.origin })).status).toBe(200);
    expect((await ask(url, {}, 'POST')).status).toBe(405);
  });

  it('opens no WebSocket for others', async () => {
    const { board } = await openBoard();
    for (const origin of ['http://evil.example', 'null', 'https://127.0.0.1'])
      await expect(TestPage.open(board, 'one', origin)).rejects.toThrow('403');
    const withoutOrigin = new WebSocket(board.url.replace('http:', 'ws:') + 'socket');
    await expect(new Promise((_, reject) => withoutOrigin.once('error', reject))).rejects.toThrow('403');
    const elsewhere = new WebSocket(board.url.replace('http:', 'ws:'), { origin: new URL(board.url).origin });
    await expect(new Promise((_, reject) => elsewhere.once('error', reject))).rejects.toThrow('403');
  });

  it('takes as many pages as a person has, and no more', async () => {
    const { board } = await openBoard();
    for (let count = 0; count < 8; count++) await TestPage.open(board, `page${count}`);
    await expect(TestPage.open(board, 'more')).rejects.toThrow('403');
  });

  it.each([
    ['no JSON', '{'],
    ['no message', '{"kind":"run"}'],
    ['two greetings', '{"kind":"hello","page":"again"}'],
    ['a script', '{"kind":"draw","seq":1,"gesture":"a","shape":{"name":"script","attributes":{}}}'],
  ])('hangs up on %s', async (_, text) => {
    const { board, participant } = await openBoard();
    const page = await TestPage.open(board, 'one');
    page.say(text);
    expect(await page.closed).toBe(1008);
    expect(participant.document.records.size).toBe(2);
  });

  it('hangs up on actions before a greeting, on bytes and on what is too long', async () => {
    const { board } = await openBoard();
    const early = await TestPage.open(board, undefined);
    early.say(draw(1));
    expect(await early.closed).toBe(1008);
    const bytes = await TestPage.open(board, 'one');
    bytes.socket.send(Buffer.from('{"kind":"undo","seq":1}'));
    expect(await bytes.closed).toBe(1008);
    const long = await TestPage.open(board, 'two');
    long.say(`"${'a'.repeat(1024 * 1024)}"`);
    expect(await long.closed).toBe(1009);
  });

  it('lives on when somebody speaks no HTTP', async () => {
    const { board } = await openBoard();
    const socket = connect(Number(new URL(board.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('\x16\x03\x01 no HTTP\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect((await ask(new URL(board.url))).status).toBe(200);
  });
});

describe('a board', () => {
  it('tells a page everything, and then what becomes different', async () => {
    const { board, participant, edits } = await openBoard(
      '<svg xmlns="http://www.w3.org/2000/svg"><g/><script/></svg>',
    );
    board.joined('bob');
    const one = await TestPage.open(board, undefined);
    one.say({ kind: 'hello', page: 'one' });
    expect(await one.heard(is('people'))).toMatchObject({
      own: 'alice',
      others: ['bob'],
      title: 'plan\\u{202e}',
    });
    expect((await one.heard(is('document'))).nodes).toMatchObject([{ name: 'svg' }, { name: 'g' }]);
    expect(await one.heard(is('history'))).toMatchObject({ canUndo: false, canRedo: false });
    await one.done(0);
    const two = await TestPage.open(board, 'two');
    one.say(draw(1, '5'));
    const { made } = await one.done(1);
    for (const page of [one, two]) {
      const { put } = await page.heard(is('patch'));
      expect(put).toMatchObject([{ id: made, name: 'rect', attributes: [['x', '5']] }]);
    }
    expect(await two.heard(is('history'))).toMatchObject({ canUndo: true });
    two.say({ kind: 'change', seq: 1, gesture: 'm', changes: [{ id: made, attributes: { x: '6' } }] });
    expect((await one.heard(is('patch'))).changed).toMatchObject([{ id: made, attributes: [['x', '6']] }]);
    two.say({ kind: 'text', seq: 2, gesture: 't', id: made, text: 'a' });
    await two.done(2);
    two.say({ kind: 'undo', seq: 3 });
    two.say({ kind: 'redo', seq: 4 });
    await two.done(4);
    two.say({ kind: 'erase', seq: 5, gesture: 'e', ids: [made] });
    expect((await one.heard((each) => each.kind === 'patch' && each.gone.includes(made ?? ''))).kind).toBe(
      'patch',
    );
    await two.done(5);
    expect(writeWorkingCopy(participant)).toContain('<g/><script/></svg>');
    expect(edits).toHaveLength(6);
  });

  it('does nothing twice, when a page comes again and says it again', async () => {
    const { board, participant } = await openBoard();
    const before = await TestPage.open(board, 'same');
    before.say(draw(1));
    const { made } = await before.done(1);
    before.socket.terminate();
    await before.closed;
    const again = await TestPage.open(board, undefined);
    again.say({ kind: 'hello', page: 'same' });
    expect((await again.heard(is('document'))).nodes).toHaveLength(2);
    expect(await again.done(1)).toMatchObject({ made });
    again.say(draw(1));
    again.say(draw(2));
    await again.done(2);
    expect(writeWorkingCopy(participant).match(/<rect/g)).toHaveLength(2);
  });

  it('shows what others do, and who it was', async () => {
    const { board, participant } = await openBoard();
    const page = await TestPage.open(board, 'one');
    const { rid = '' } = participant.document.root ?? {};
    const received = participant.receive({
      sender: 'bob',
      id: 'any',
      edits: [
        { kind: 'new', rid: 'x', type: 'element', name: 'rect', parent: rid, weight: 1 },
        { kind: 'new', rid: 'y', type: 'attr', name: 'x', chdata: '1', parent: 'x' },
      ],
    });
    board.changed(received);
    expect(await page.heard(is('touched'))).toEqual({ kind: 'touched', id: 'x', name: 'bob' });
    expect((await page.heard(is('patch'))).put).toMatchObject([{ id: 'x', attributes: [['x', '1']] }]);
    board.changed(
      participant.receive({ sender: 'bob', id: 'more', edits: [{ kind: 'remove', target: rid }] }),
    );
    expect(await page.heard(is('document'))).toMatchObject({ nodes: [], isDrawing: false });
    board.left('bob');
    expect(await page.heard(is('people'))).toMatchObject({ others: [] });
  });

  it('says that it is over, and why', async () => {
    const { board } = await openBoard();
    const page = await TestPage.open(board, 'one');
    board.notice('a\u0007b');
    expect(await page.heard(is('notice'))).toMatchObject({ text: 'a␇b' });
    await board.close('The program has ended.');
    expect(await page.heard(is('end'))).toMatchObject({ text: 'The program has ended.' });
    expect(await page.closed).toBe(1000);
    await expect(ask(new URL(board.url))).rejects.toThrow('ECONNREFUSED');
  });
});
