/** The whiteboard, as people use it: in a browser, with others, on both servers. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, BrowserContextOptions, Page as BrowserPage } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { environmentOf } from '../support/as-account.js';
import { openAt, startBrowser, type Watched } from '../support/chromium.js';
import { runXmppctl, startXmppctl, type Running } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';

type Page = BrowserPage & { watched: Watched };
type Place = [x: number, y: number];
interface Board {
  running: Running;
  page: Page;
  url: string;
}

const clean: Watched = { complaints: [], requests: [] };
const tool = (page: Page, name: string): Promise<void> => page.click(`[data-tool="${name}"]`);
/** Waits for nothing but what it has done. */
async function drag(page: Page, ...[first, ...others]: [Place, ...Place[]]): Promise<void> {
  await page.mouse.move(...first);
  await page.mouse.down();
  for (const place of others) await page.mouse.move(...place, { steps: 5 });
  await page.mouse.up();
}
const drawn = (page: Page): Promise<string> => page.locator('#drawing').innerHTML();

/** Until it holds. */
async function until<T>(look: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (const began = Date.now(); ;) {
    const value = await look();
    if (holds(value)) return value;
    if (Date.now() - began > 50_000) throw new Error(`it stays ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Until all pages show the same, with all of these in it. */
async function converged(pages: readonly Page[], ...patterns: readonly (string | RegExp)[]): Promise<string> {
  const [first = ''] = await until(
    () => Promise.all(pages.map(drawn)),
    (all) =>
      all.every((each) => each === all[0]) &&
      patterns.every((each) => (typeof each === 'string' ? all[0]?.includes(each) : each.test(all[0] ?? ''))),
  );
  return first;
}

describeOnEachServer('xmppctl sxe board', (server) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
  });
  const home = useTemporaryHome();
  const environment = (as: string): Record<string, string | undefined> => environmentOf(server.sandbox, as);
  const run = (args: readonly string[], as = 'alice') =>
    runXmppctl(['sxe', ...args], { env: environment(as), input: '' });
  const start = (args: readonly string[], as = 'alice') =>
    startXmppctl(['sxe', ...args], { env: environment(as), input: '' });
  const room = (name: string): string => `${name}@${server.sandbox.addresses.muc}`;
  const exported = async (name: string): Promise<string> =>
    (await run(['export', room(name), '--nick', 'reader'], 'bob')).stdout;
  const open = async (
    args: readonly string[],
    as: string,
    options?: BrowserContextOptions,
  ): Promise<Board> => {
    const running = start(['board', ...args], as);
    const [url] = await running.waitFor('stdout', /http:\S+/);
    const page = await openAt(browser, url, options);
    await page.locator('#drawing > g').waitFor({ state: 'attached' });
    return { running, page, url };
  };
  const end = async (...processes: Running[]): Promise<void> => {
    for (const one of processes) {
      one.child.kill('SIGINT');
      expect(await one.finished).toMatchObject({
        code: 130,
        stderr: expect.not.stringContaining('Error') as string,
      });
    }
  };

  it('lets two draw, move, erase and take back in one room', async () => {
    const file = await home.write(
      'plan.svg',
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 800"/>',
    );
    const copy = path.join(path.dirname(file), 'copy.svg');
    const a = await open([file, '--room', room('board')], 'alice');
    const b = await open(['--join', room('board'), '--save', copy], 'bob', { colorScheme: 'dark' });
    const pages = [a.page, b.page];
    await a.page.locator('#people li', { hasText: 'bob' }).waitFor();
    await b.page.locator('#people li', { hasText: 'alice' }).waitFor();

    await Promise.all([
      drag(a.page, [200, 200], [300, 260], [400, 200], [500, 260]),
      tool(b.page, 'rect').then(() => drag(b.page, [600, 200], [700, 300])),
    ]);
    await converged(pages, /<path d="M[^"]{40,}"/, '<rect');
    await b.page.locator('#tags span', { hasText: 'alice' }).waitFor();
    await tool(a.page, 'ellipse');
    await a.page.click('[aria-label="red"]');
    await drag(a.page, [200, 400], [320, 480]);
    await tool(b.page, 'line');
    await drag(b.page, [400, 400], [500, 500]);
    await tool(b.page, 'text');
    await b.page.mouse.click(600, 450);
    await b.page.locator('#text-input').fill('tomatoes & <beans>');
    await b.page.keyboard.press('Enter');
    await converged(pages, /<ellipse[^>]* stroke="#dc2626"/, '<line', '>tomatoes &amp; &lt;beans&gt;</text>');

    // Both move the same one at the same time: it goes to one of both places.
    const before = await drawn(a.page);
    await Promise.all([
      tool(a.page, 'select').then(() => drag(a.page, [600, 250], [640, 330])),
      tool(b.page, 'select').then(() => drag(b.page, [600, 250], [560, 330])),
    ]);
    const moved = await converged(pages, /<rect /);
    const xOf = (text: string): string => /<rect x="([^"]*)"/.exec(text)?.[1] ?? '';
    expect(xOf(moved)).not.toBe(xOf(before));

    // One erases what the other has drawn; and takes back its own only.
    await tool(a.page, 'erase');
    await drag(a.page, [440, 460], [470, 440]);
    await converged(pages, /^(?![^]*<line)/);
    await a.page.keyboard.press('Control+z');
    await converged(pages, '<line');
    await b.page.keyboard.press('v');
    await b.page.mouse.click(260, 400);
    await b.page.keyboard.press('Delete');
    await converged(pages, /^(?![^]*<ellipse)/);
    await b.page.click('#undo');
    await converged(pages, '<ellipse');
    await b.page.click('#redo');
    await converged(pages, /^(?![^]*<ellipse)/);

    // Everybody has the same document: the pages, both files, and who only looks.
    const text = await until(
      () => Promise.all([readFile(file, 'utf8'), readFile(copy, 'utf8'), exported('board')]),
      ([first, second, third]) => first === second && second === third && !first.includes('<ellipse'),
    );
    expect(text[0]).toContain('tomatoes &amp; &lt;beans&gt;');
    expect([a.page.watched, b.page.watched]).toEqual([clean, clean]);
    await end(a.running);
    await a.page
      .locator('#status', { hasText: 'The program has ended. The drawing is in plan.svg.' })
      .waitFor();
    await end(b.running);
    expect(a.running.stdout()).toBe(`${a.url}\n`);
    expect(await readFile(file, 'utf8')).toBe(text[0]);
  }, 120_000);

  it('runs nothing of what comes from others, and loses nothing of it', async () => {
    const take = 'window.isTaken=true;document.title=1';
    const hostile = [
      `<script>${take}</script>`,
      `<script href="data:text/javascript,${take}"/>`,
      `<foreignObject width="9" height="9"><body xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="${take}"/><iframe src="javascript:parent.isTaken=true"/></body></foreignObject>`,
      `<a xlink:href="javascript:${take}"><text y="300">link</text></a>`,
      `<image xlink:href="http://127.0.0.1:1/a.png" width="9" height="9"/>`,
      `<use xlink:href="data:image/svg+xml,%3Csvg%3E#a"/>`,
      `<animate attributeName="onclick" to="${take}" begin="0s"/>`,
      `<style>@import url(http://127.0.0.1:1/a.css); #tools { display: none }</style>`,
      `<rect id="status" class="panel" x="100" y="100" width="200" height="200" onclick="${take}" onload="${take}" style="fill:url(http://127.0.0.1:1/b)" fill="url(http://127.0.0.1:1/c)"/>`,
      `<x:rect xmlns:x="http://www.w3.org/1999/xhtml" onfocus="${take}" autofocus="" tabindex="0"/>`,
    ].join('');
    const text = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="${take}" viewBox="0 0 1280 800">${hostile}</svg>\n`;
    const file = await home.write('hostile.svg', text);
    const sharing = start(['share', file, room('hostile'), '--live']);
    await sharing.waitFor('stdout', /shared\t/);
    const { running, page } = await open(['--join', room('hostile')], 'bob');
    expect(await converged([page], '<rect')).toBe(
      '<g><rect x="100" y="100" width="200" height="200"></rect></g>',
    );
    // And what comes later.
    const live = `<g onclick="${take}"><circle r="20" cx="50" cy="50" onpointerdown="${take}"/><script>${take}</script><set attributeName="href" to="javascript:${take}"/></g>`;
    await writeFile(file, text.replace('</svg>', `${live}</svg>`));
    await converged([page], '<g><circle r="20" cx="50" cy="50"></circle></g>');
    await tool(page, 'select');
    await page.mouse.click(50, 50);
    await page.mouse.click(200, 200);
    await tool(page, 'line');
    await drag(page, [500, 300], [600, 400]);
    await converged([page], '<line');
    expect(
      await page.evaluate(
        '[window.isTaken, document.querySelectorAll("script, foreignObject, iframe, image").length]',
      ),
    ).toEqual([undefined, 1]);
    expect(page.watched).toEqual(clean);
    const after = await until(
      () => exported('hostile'),
      (each) => each.includes('<line'),
    );
    expect(after.replace(/<line[^>]*\/>/, '')).toBe(text.replace('</svg>', `${live}</svg>`));
    await end(running, sharing);
  }, 120_000);

  it('loses nothing when the page is closed and opened again, and follows other programs', async () => {
    const a = await open(['--room', room('again'), '--name', 'again'], 'alice');
    await tool(a.page, 'rect');
    await drag(a.page, [300, 300], [400, 400]);
    await converged([a.page], '<rect');
    await a.page.close();
    const page = await openAt(browser, a.url, { hasTouch: true });
    const other = await openAt(browser, a.url);
    await converged([page, other], '<rect');
    // What was drawn before can still be taken back, and by the other page, too.
    await other.keyboard.press('Control+z');
    await converged([page, other], /^<g><\/g>$/);
    await page.reload();
    await page.keyboard.press('Control+Shift+z');
    await converged([page, other], '<rect');
    const file = path.join(path.dirname(await home.write('x', '')), 'live.svg');
    const live = start(['join', room('again'), '--live', file], 'bob');
    const text = await until(
      () => readFile(file, 'utf8').catch(() => ''),
      (each) => each.includes('<rect'),
    );
    await writeFile(file, text.replace('fill="none"', 'fill="#123456"'));
    await converged([page, other], 'fill="#123456"');
    await tool(page, 'pen');
    await page.touchscreen.tap(500, 500);
    await until(
      () => readFile(file, 'utf8'),
      (each) => each.includes('<path'),
    );
    expect([page.watched, other.watched]).toEqual([clean, clean]);
    await end(live, a.running);
  }, 120_000);

  it('begins with one other account, and opens the browser without telling it the secret in words', async () => {
    const [alice, bob] = ['alice', 'bob'].map((name) => server.sandbox.accounts[name]?.jid ?? '');
    const opener = await home.write(
      'xdg-open',
      '#!/bin/sh\necho "$#" "$1" >"$OPENED"\ncat "$1" >>"$OPENED"\n',
    );
    await chmod(opener, 0o755);
    const opened = path.join(path.dirname(opener), 'opened');
    const joining = start(['board', '--join', alice ?? ''], 'bob');
    await joining.waitFor('stderr', /waiting for a session/);
    const running = startXmppctl(['sxe', 'board', '--with', bob ?? '', '--open', '--json'], {
      env: {
        ...environment('alice'),
        PATH: `${path.dirname(opener)}:${process.env['PATH'] ?? ''}`,
        OPENED: opened,
      },
      input: '',
    });
    const [line] = await running.waitFor('stdout', /\{.*\}/);
    const { url, session } = JSON.parse(line) as { url: string; session: string };
    expect(session).toMatch(/./);
    const shown = await until(
      () => readFile(opened, 'utf8').catch(() => ''),
      (each) => each.includes('</') || each.includes('url='),
    );
    expect(shown).toMatch(/^1 \S+\.html\n/);
    expect(shown.split('\n')[0]).not.toContain(url.slice(-30));
    expect(shown).toContain(`content="0;url=${url}"`);
    const [theirs = ''] = await joining.waitFor('stdout', /http:\S+/);
    const pages = [await openAt(browser, url), await openAt(browser, theirs)] as const;
    await drag(pages[0], [300, 300], [350, 350], [400, 300]);
    await drag(pages[1], [300, 400], [350, 450], [400, 400]);
    await converged(pages, /<path[^]*<path/);
    await end(running);
    // The session is over with who has begun it.
    await pages[1].locator('#status', { hasText: 'The session is over.' }).waitFor();
    expect((await joining.finished).code).toBe(0);
  }, 120_000);

  it.each([
    ['ends and comes back', async () => server.sandbox.shutDown()],
    [
      'is killed and comes back',
      async () => {
        server.sandbox.signal('SIGKILL');
        return Promise.resolve();
      },
    ],
  ])(
    'lets two draw on while the server %s, and both see all of it afterwards',
    async (how, stop) => {
      const where = room(how.replaceAll(' ', '-'));
      const a = await open(['--room', where], 'alice');
      const b = await open(['--join', where], 'bob');
      const pages = [a.page, b.page];
      await drag(a.page, [200, 200], [300, 260], [400, 200]);
      const shape = 'path[d^="M"]';
      await b.page.locator(`#drawing ${shape}`).waitFor();
      await stop();
      await tool(a.page, 'rect');
      await drag(a.page, [600, 200], [700, 300]);
      await tool(b.page, 'ellipse');
      await drag(b.page, [200, 400], [320, 480]);
      await a.page.locator('#drawing rect').waitFor({ state: 'attached' });
      await b.page.locator('#drawing ellipse').waitFor({ state: 'attached' });
      await server.sandbox.restart();
      await converged(pages, '<path', '<rect', '<ellipse');
      await tool(b.page, 'line');
      await drag(b.page, [300, 500], [400, 520]);
      await converged(pages, '<path', '<rect', '<ellipse', '<line');
      await end(a.running, b.running);
    },
    120_000,
  );

  it('refuses what is no drawing, and what it is not told', async () => {
    const file = await home.write('a.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>');
    const page = await home.write('a.xhtml', '<html xmlns="http://www.w3.org/1999/xhtml"/>');
    const bad = await home.write('bad.svg', '<svg xmlns="http://www.w3.org/2000/svg">');
    for (const [args, message] of [
      [[file], /one of --room, --with and --join is needed/],
      [['--room', room('x'), '--join', room('x')], /one of --room, --with and --join/],
      [[file, '--join', room('x')], /has a drawing already/],
      [['--room', room('x'), '--session', 'a'], /--session is for --join/],
      [[page, '--room', room('x')], /a\.xhtml is no SVG document/],
      [[bad, '--room', room('x')], /bad\.svg: not well-formed XML/],
    ] as const) {
      const { code, stdout, stderr } = await run(['board', ...args]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(message);
    }
    const sharing = start(['share', page, room('words')]);
    await sharing.waitFor('stdout', /shared\t/);
    expect(await run(['board', '--join', room('words')], 'bob')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('the document of this session is no drawing') as string,
    });
    expect(await run(['board', '--join', room('words'), '--save', file], 'bob')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('is there and says something else') as string,
    });
    await end(sharing);
  }, 120_000);
});
