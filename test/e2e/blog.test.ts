/** The commands of `blog`, and those by which people tell of themselves, as processes, on both servers. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { parseXml } from '../../src/lib/xml/parse.js';
import { environmentOf } from '../support/as-account.js';
import { runXmppctl, startXmppctl } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';

describeOnEachServer(
  'xmppctl blog',
  (server) => {
    const home = useTemporaryHome();
    const command = (
      args: readonly string[],
      { as = 'alice', input = '' }: { as?: string; input?: string } = {},
    ) => runXmppctl(args, { env: environmentOf(server.sandbox, as), input });
    const blog = (args: readonly string[], options?: { as?: string; input?: string }) =>
      command(['blog', ...args], options);
    const alice = () => server.sandbox.accounts['alice']?.jid ?? '';
    const uri = (id: string): string => `xmpp:${alice()}?;node=urn%3Axmpp%3Amicroblog%3A0;item=${id}`;

    it('publishes an article that another account reads, comments on and repeats', async () => {
      const article = await home.write(
        'article.md',
        '---\ntitle: At the Café\ntags: [verona]\nlanguage: en\n---\nSome **bold** <script>alert(1)</script> text.\n',
      );
      const picture = await home.write('balcony.png', 'not a picture');
      expect(await blog(['post', article, '--id', 'cafe', '--comments', '--attach', picture])).toMatchObject({
        code: 0,
        stdout: `${uri('cafe')}\n`,
        stderr: '',
      });
      const shown = await blog(['show', 'cafe', '--at', alice()], { as: 'bob' });
      expect(shown).toMatchObject({ code: 0, stderr: '' });
      expect(shown.stdout).toMatch(
        /^At the Café\nalice · \d{4}-\d\d-\d\d \d\d:\d\d · #verona\n\nSome bold <script>alert\(1\)<\/script> text\.\n\nattached: balcony\.png <https:/,
      );
      const json = JSON.parse((await blog(['show', uri('cafe'), '--json'], { as: 'bob' })).stdout) as {
        xhtml: string;
        comments: string;
        links: { rel: string; type?: string }[];
      };
      expect(json).toMatchObject({ id: 'cafe', title: 'At the Café', language: 'en', tags: ['verona'] });
      expect(json.xhtml).toContain('<strong>bold</strong> &lt;script&gt;');
      expect(json.links.find(({ rel }) => rel === 'enclosure')).toMatchObject({ type: 'image/png' });
      expect(json.comments).toContain(server.sandbox.addresses.pubsub);

      expect((await blog(['comments', 'cafe'])).stdout).toBe('');
      expect(
        (await blog(['comment', 'cafe', '--at', alice(), '-m', 'Cappuccino, *this* late?'], { as: 'bob' }))
          .code,
      ).toBe(0);
      expect((await blog(['comments', 'cafe'])).stdout).toMatch(/^Cappuccino, this late\?\nbob · |^bob · /);
      const comment = JSON.parse((await blog(['comments', 'cafe', '--json'])).stdout) as object;
      expect(comment).toMatchObject({ text: 'Cappuccino, *this* late?', inReplyTo: [{ href: uri('cafe') }] });

      expect((await blog(['repost', uri('cafe')], { as: 'bob' })).code).toBe(0);
      const repeated = (await blog(['list', '--json'], { as: 'bob' })).stdout;
      expect(JSON.parse(repeated)).toMatchObject({ title: 'At the Café', comments: json.comments });
      expect(repeated).toContain(`"rel":"via","href":"${uri('cafe')}"`);

      expect((await blog(['delete', 'cafe'])).code).toBe(2);
      expect(await blog(['delete', 'cafe', '--yes'])).toMatchObject({ code: 0, stdout: '' });
      expect(await blog(['show', 'cafe'])).toMatchObject({ code: 1, stdout: '' });
      expect(
        (
          await command([
            'pubsub',
            'items',
            'urn:xmpp:microblog:0:comments/cafe',
            '--at',
            server.sandbox.addresses.pubsub,
          ])
        ).code,
      ).toBe(5);
    }, 60_000);

    it('writes the blog as a feed, and takes it in again', async () => {
      await blog(['post', '-', '--id', 'one'], { input: '# One\n\nfirst **text**' });
      await blog(['post', '-m', 'two', '--id', 'two', '--tag', 't']);
      expect((await blog(['list', '--tag', 't'])).stdout).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d\ttwo\ttwo\n$/);
      const { stdout: atom } = await blog(['list', alice(), '--as', 'atom', '--all'], { as: 'bob' });
      const feed = parseXml(atom.replace(/^<\?xml[^>]*\?>/, ''));
      expect(feed.getNS()).toBe('http://www.w3.org/2005/Atom');
      expect(feed.getChildren('entry').map((entry) => entry.getChildText('title'))).toEqual(
        expect.arrayContaining(['One', 'two']),
      );
      const file = await home.write('feed.xml', atom);
      const imported = await blog(['import', file], { as: 'bob' });
      expect(imported.code).toBe(0);
      expect(imported.stdout.trim().split('\n')).toHaveLength(2);
      expect(await blog(['import', '-'], { as: 'bob', input: atom })).toMatchObject({
        code: 0,
        stdout: '',
        stderr: '0 published, 2 were there already\n',
      });
      const taken = (await blog(['list', '--json'], { as: 'bob' })).stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { title: string; xhtml?: string });
      expect(taken.find(({ title }) => title === 'One')?.xhtml).toContain('<strong>text</strong>');
      const rss = (await blog(['list', '--as', 'rss'])).stdout;
      expect(rss).toContain('<rss version="2.0"');
      expect(
        (await blog(['import', await home.write('rss.xml', rss), '--node', 'copy', '--at', alice()])).code,
      ).toBe(0);
      expect(await blog(['import', await home.write('other.xml', '<html/>')])).toMatchObject({
        code: 2,
        stdout: '',
      });
      expect((await blog(['import', '/nowhere/at/all'])).code).toBe(7);
    }, 60_000);

    it('takes in a folder of Markdown, and changes a post in an editor or by options', async () => {
      await home.write('2020-01-02-first-post.md', 'text');
      await home.write('second.md', '---\ntitle: Second\ndate: 2021-01-01\n---\ntext');
      await home.write('third.md', '---\ndraft: true\n---\ntext');
      const folder = path.dirname(await home.write('no-post.txt', ''));
      expect((await blog(['import', folder, '--node', 'folder'])).stdout.trim().split('\n')).toHaveLength(2);
      const list = async () => (await blog(['list', '--node', 'folder'])).stdout;
      expect(await list()).toMatch(/first post\n2021-01-01 00:00\t[0-9a-f]{32}\tSecond\n$/);
      await home.write('broken.md', '---\ntitel: x\n---\ntext');
      expect(await blog(['import', folder, '--node', 'folder'])).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('broken.md says "titel" before its text') as string,
      });
      await blog(['post', '-m', 'old text', '--id', 'edited', '--title', 'Old', '--node', 'folder']);
      expect((await blog(['edit', 'edited', '--title', 'New', '--node', 'folder'])).code).toBe(0);
      expect((await blog(['show', 'edited', '--node', 'folder', '--as', 'markdown'])).stdout).toBe(
        '---\ntitle: New\n---\n\nold text\n',
      );
      await blog(['edit', 'edited', '-', '--node', 'folder'], { input: 'another *text*' });
      expect(JSON.parse((await blog(['show', 'edited', '--node', 'folder', '--json'])).stdout)).toMatchObject(
        {
          title: 'New',
          text: 'another *text*',
        },
      );
      expect(await blog(['edit', 'nothing', '--title', 'x'])).toMatchObject({ code: 1, stdout: '' });
      expect(await blog(['post', '-m', '  '])).toMatchObject({
        code: 1,
        stderr: 'xmppctl: there is nothing to post\n',
      });
    }, 60_000);

    it('keeps a draft to itself until it is published', async () => {
      await blog(['post', '-m', 'not yet', '--draft', '--id', 'draft']);
      expect((await blog(['list', '--drafts'])).stdout).toMatch(/\tdraft\tnot yet\n$/);
      expect((await blog(['list', '--node', 'xmppctl:drafts', '--at', alice()], { as: 'bob' })).code).toBe(5);
      const { stdout, code } = await blog(['post', '--from-draft', 'draft', '--json']);
      expect(code).toBe(0);
      expect((await blog(['list', '--drafts'])).stdout).toBe('');
      expect(
        JSON.parse((await blog(['show', (JSON.parse(stdout) as { uri: string }).uri, '--json'])).stdout),
      ).toMatchObject({
        text: 'not yet',
        isDraft: false,
      });
      const dry = await blog(['post', '-m', 'x', '--dry-run']);
      expect(dry.stdout).toMatch(
        /^<entry xmlns="http:\/\/www\.w3\.org\/2005\/Atom"><title type="text">x<\/title>/,
      );
    }, 30_000);

    it('follows a blog, and misses nothing between two runs', async () => {
      const mark = await home.write('mark', '');
      const follow = (...more: string[]) =>
        startXmppctl(['blog', 'follow', alice(), '-v', ...more], {
          env: environmentOf(server.sandbox, 'bob'),
          input: '',
        });
      await blog(['post', '-m', 'before', '--id', 'before', '--node', 'urn:xmpp:microblog:0']);
      const live = follow('--json');
      await live.waitFor('stderr', /following as/);
      // It is told of what is published once its subscription has been made.
      while (!live.stdout().includes('"id":"live"')) await blog(['post', '-m', 'live', '--id', 'live']);
      await blog(['delete', 'live', '--yes']);
      await live.waitFor('stdout', /"event":"deleted"/);
      live.child.kill('SIGINT');
      const { code, stdout } = await live.finished;
      expect(code).toBe(130);
      const events = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object);
      expect(events[0]).toMatchObject({ event: 'post', id: 'live' });
      expect(events.at(-1)).toMatchObject({ event: 'deleted', uri: uri('live') });
      const all = (await blog(['list', '--all', '--json'])).stdout.trim().split('\n').length;
      const first = await follow('--count', String(all), '--mark', mark, '--json').finished;
      expect(first.stdout).toContain('"id":"before"');
      await blog(['post', '-m', 'meanwhile', '--id', 'meanwhile']);
      const second = await follow('--count', '1', '--mark', mark).finished;
      expect(second.stdout).toMatch(/meanwhile\n/);
      expect(await readFile(mark, 'utf8')).toContain('microblog');
    }, 60_000);

    it.each([
      [
        'mood',
        ['happy', '--text', 'it is green'],
        'happy\tit is green\n',
        { mood: 'happy', text: 'it is green' },
      ],
      ['activity', ['working', 'coding'], 'working\tcoding\n', { activity: 'working', specific: 'coding' }],
      ['nick', ['Juliet C.'], 'Juliet C.\n', { nick: 'Juliet C.' }],
      [
        'tune',
        ['artist=Yes', 'title=Heart', 'length=686'],
        'artist=Yes\ntitle=Heart\nlength=686\n',
        { artist: 'Yes', title: 'Heart', length: '686' },
      ],
      [
        'location',
        ['lat=45.44', 'lon=12.33', 'locality=Venice'],
        'lat=45.44\nlon=12.33\nlocality=Venice\n',
        { lat: '45.44', lon: '12.33', locality: 'Venice' },
      ],
    ])('tells %s, shows it to whom it may, and takes it back', async (name, words, shown, json) => {
      expect(await command([name])).toMatchObject({ code: 1, stdout: '' });
      expect(await command([name, ...words, '--access', 'open'])).toMatchObject({
        code: 0,
        stdout: '',
        stderr: '',
      });
      expect(await command([name])).toMatchObject({ code: 0, stdout: shown });
      const seen = await command([name, '--of', alice(), '--json'], { as: 'bob' });
      expect(JSON.parse(seen.stdout)).toEqual(json);
      await command([name, '--clear', '--access', 'whitelist']);
      expect((await command([name])).code).toBe(1);
      expect((await command([name, '--of', alice()], { as: 'bob' })).code).toBe(5);
    });

    it('keeps rooms, and brings those of older clients along', async () => {
      const room = `orchard@${server.sandbox.addresses.muc}`;
      const list = async () => (await command(['bookmarks', 'list'])).stdout;
      const password = await home.write('room-password', 'secret\n');
      expect(await list()).toBe('');
      expect(
        await command([
          'bookmarks',
          'add',
          room,
          '--name',
          'Orchard',
          '--autojoin',
          '--room-password-file',
          password,
        ]),
      ).toMatchObject({ code: 0, stdout: '', stderr: '' });
      expect(await list()).toBe(`${room}\tOrchard\t\tautojoin\n`);
      await command(['bookmarks', 'add', room, '--nick', 'juliet', '--no-autojoin']);
      const json = (await command(['bookmarks', 'list', '--json'])).stdout;
      expect(JSON.parse(json)).toEqual({
        room,
        name: 'Orchard',
        nick: 'juliet',
        isAutojoin: false,
        hasPassword: true,
      });
      expect((await command(['pubsub', 'configure', 'urn:xmpp:bookmarks:1'])).stdout).toMatch(
        /^access_model=whitelist/m,
      );
      // Two more rooms: one for each old place. The server may bring them along by itself.
      const storage = (name: string, more = ''): string =>
        `<storage xmlns='storage:bookmarks'><conference jid='${name}@${server.sandbox.addresses.muc}' name='${name}' autojoin='1'><nick>x</nick></conference>${more}</storage>`;
      const set = await command([
        'raw',
        `<iq type='set'><query xmlns='jabber:iq:private'>${storage('private')}</query></iq>`,
      ]);
      expect(set.code).toBe(0);
      expect((await command(['bookmarks', 'convert'])).code).toBe(0);
      expect(await list()).toContain('private@');
      await command(
        ['pubsub', 'publish', 'storage:bookmarks', '--id', 'current', '--option', 'access_model=whitelist'],
        {
          input: storage('pep', "<url name='x' url='https://example.org/'/>"),
        },
      );
      expect((await command(['bookmarks', 'convert', '--dry-run'])).code).toBe(0);
      expect((await command(['bookmarks', 'convert', '--remove-old'])).code).toBe(0);
      expect(await list()).toContain('pep@');
      expect((await command(['bookmarks', 'convert'])).stdout).toBe('');
      expect((await command(['bookmarks', 'remove', `pep@${server.sandbox.addresses.muc}`])).code).toBe(0);
      expect(await command(['bookmarks', 'remove', 'nowhere@example.org'])).toMatchObject({
        code: 1,
        stderr: 'xmppctl: not there: nowhere@example.org\n',
      });
      expect((await command(['bookmarks', 'add', 'example.org'])).code).toBe(2);
    }, 30_000);

    it('refuses what no client would understand', async () => {
      for (const args of [
        ['mood', 'hapy'],
        ['activity', 'working', 'codng'],
        ['tune', 'artis=x'],
        ['tune', 'rating=11'],
        ['location', 'lat=91'],
        ['location', 'lat=1', 'lat=2'],
        ['nick', 'x', '--clear'],
        ['nick', 'x', '--of', alice()],
      ]) {
        expect(await command(args)).toMatchObject({ code: 2, stdout: '' });
      }
    });
  },
  { storage: 'disk' },
);
