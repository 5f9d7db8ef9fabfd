/** The commands of `pubsub` as processes, on both servers. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { environmentOf } from '../support/as-account.js';
import { runXmppctl, startXmppctl, unread } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';

describeOnEachServer(
  'xmppctl pubsub',
  (server) => {
    const home = useTemporaryHome();
    const run = (
      args: readonly string[],
      { as = 'alice', input = '' }: { as?: string; input?: string } = {},
    ) => runXmppctl(['pubsub', ...args], { env: environmentOf(server.sandbox, as), input });
    const at = () => ['--at', server.sandbox.addresses.pubsub];

    it('publishes to the own account, and reads it back', async () => {
      const file = await home.write(
        'a.xml',
        `<?xml version='1.0'?>\n<temp xmlns='urn:example:temp'>21 °C</temp>\n`,
      );
      expect(
        await run(['publish', 'urn:example:temp', file, '--id', 'current', '--option', 'access_model=open']),
      ).toMatchObject({ code: 0, stdout: 'current\n', stderr: '' });
      expect(await run(['get', 'urn:example:temp', 'current'])).toMatchObject({
        code: 0,
        stdout: '<temp xmlns="urn:example:temp">21 °C</temp>\n',
      });
      const { stdout } = await run(
        ['items', 'urn:example:temp', '--at', server.sandbox.accounts['alice']?.jid ?? '', '--json'],
        { as: 'bob' },
      );
      expect(JSON.parse(stdout)).toMatchObject({
        id: 'current',
        name: 'temp',
        namespace: 'urn:example:temp',
      });
      expect((await run(['nodes'])).stdout).toContain('urn:example:temp\n');
      expect(await run(['get', 'urn:example:temp', 'nothing'])).toMatchObject({
        code: 1,
        stdout: '',
        stderr: 'xmppctl: not there: nothing\n',
      });
      expect(await run(['retract', 'urn:example:temp', 'current'])).toMatchObject({ code: 0, stdout: '' });
      expect((await run(['items', 'urn:example:temp'])).stdout).toBe('');
    });

    it('does not publish where the node is configured otherwise, unless it may change that', async () => {
      const publish = (...more: string[]) =>
        run(['publish', 'urn:example:pre', '--as', 'json', '--id', '1', ...more], { input: '{"a":1}' });
      expect(await publish('--option', 'access_model=open')).toMatchObject({ code: 0 });
      const refused = await publish('--option', 'access_model=whitelist');
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toBe(
        'xmppctl: the node urn:example:pre is configured in another way than --option says (--reconfigure changes it)\n',
      );
      expect(await publish('--option', 'access_model=whitelist', '--reconfigure')).toMatchObject({ code: 0 });
      expect((await run(['configure', 'urn:example:pre'])).stdout).toMatch(/^access_model=whitelist/m);
    });

    it('makes, configures, empties and deletes nodes', async () => {
      const name = 'managed';
      expect(await run(['create', name, 'access_model=open', 'title=A title', ...at()])).toMatchObject({
        code: 0,
        stdout: `${name}\n`,
      });
      expect((await run(['create', name, ...at()])).code).toBe(5);
      expect((await run(['configure', name, ...at()])).stdout).toMatch(/^title=A title/m);
      expect(await run(['configure', name, 'access_model=whitelist', ...at()])).toMatchObject({
        code: 0,
        stdout: '',
      });
      const after = JSON.parse((await run(['configure', name, '--json', ...at()])).stdout) as Record<
        string,
        { values: string[] }
      >;
      expect(after).toMatchObject({
        access_model: { values: ['whitelist'] },
        title: { values: ['A title'] },
      });
      expect(await run(['configure', name, 'acess_model=open', ...at()])).toMatchObject({
        code: 2,
        stdout: '',
      });
      expect((await run(['items', name, ...at()], { as: 'bob' })).code).toBe(5);
      await run(['publish', name, ...at(), '--as', 'atom'], { input: 'Hello\nworld' });
      expect(await run(['purge', name, ...at()])).toMatchObject({ code: 2, stdout: '' });
      expect(await run(['purge', name, '--yes', ...at()])).toMatchObject({ code: 0, stdout: '' });
      expect((await run(['items', name, ...at()])).stdout).toBe('');
      expect((await run(['delete', name, '--yes', ...at()], { as: 'bob' })).code).toBe(5);
      expect(await run(['delete', name, '--yes', ...at()])).toMatchObject({ code: 0, stdout: '' });
      expect((await run(['items', name, ...at()])).code).toBe(5);
    });

    it('manages who is told and who may publish', async () => {
      const name = 'people';
      const { bob } = server.sandbox.accounts;
      const jid = bob?.jid ?? '';
      await run(['create', name, 'access_model=open', ...at()]);
      expect(await run(['subscribe', name, ...at()], { as: 'bob' })).toMatchObject({
        code: 0,
        stdout: 'subscribed\n',
      });
      expect((await run(['subscriptions', ...at()], { as: 'bob' })).stdout).toContain(
        `${name}\t${jid}\tsubscribed\n`,
      );
      expect((await run(['subscriptions', name, '--owner', ...at()])).stdout).toContain(
        `${name}\t${jid}\tsubscribed\n`,
      );
      expect((await run(['publish', name, ...at(), '--as', 'json'], { as: 'bob', input: '1' })).code).toBe(5);
      expect(await run(['affiliations', name, '--set', `${jid}=publisher`, ...at()])).toMatchObject({
        code: 0,
        stdout: '',
      });
      expect((await run(['affiliations', name, ...at()])).stdout).toContain(`${jid}\tpublisher\n`);
      expect((await run(['publish', name, ...at(), '--as', 'json'], { as: 'bob', input: '1' })).code).toBe(0);
      expect(await run(['unsubscribe', name, ...at()], { as: 'bob' })).toMatchObject({ code: 0, stdout: '' });
      expect((await run(['unsubscribe', name, ...at()], { as: 'bob' })).code).toBe(5);
      expect(await run(['affiliations', name, '--set', `${jid}=king`])).toMatchObject({ code: 2 });
    });

    /** Whoever publishes makes the node again when the server has lost it. */
    const madeAs = ['--create', '--option', 'access_model=open'];

    it('publishes line by line, also over a restart of the server, each item once', async () => {
      const name = 'stream';
      await run(['create', name, 'access_model=open', 'max_items=250', ...at()]);
      const publishing = startXmppctl(['pubsub', 'publish', name, '--per-line', ...madeAs, ...at()], {
        env: environmentOf(server.sandbox, 'alice'),
      });
      const line = (number: number): string =>
        JSON.stringify({ id: `i${number}`, payload: `<n xmlns='urn:n'>${number}</n>` });
      const numbers = Array.from({ length: 200 }, (_, index) => index);
      publishing.child.stdin.write(`${numbers.slice(0, 100).map(line).join('\n')}\n`);
      await publishing.waitFor('stdout', /i99\n/);
      await server.sandbox.restart();
      publishing.child.stdin.end(`${numbers.slice(100).map(line).join('\n')}\n`);
      const { code, stdout } = await publishing.finished;
      expect(code).toBe(0);
      expect(stdout.trim().split('\n')).toEqual(numbers.map((number) => `i${number}`));
      const there = (await run(['items', name, ...at()])).stdout.trim().split('\n');
      expect(there.map((text) => text.split('\t')[0]).sort()).toEqual(
        numbers.map((number) => `i${number}`).sort(),
      );
    }, 40_000);

    it('publishes a stream in the middle of which the server is killed, each item once', async () => {
      const name = 'killed';
      await run(['create', name, 'access_model=open', 'max_items=250', ...at()]);
      const publishing = startXmppctl(['pubsub', 'publish', name, '--stdin', ...madeAs, ...at()], {
        env: environmentOf(server.sandbox, 'alice'),
      });
      const line = (number: number): string =>
        JSON.stringify({ id: `i${number}`, payload: `<n xmlns='urn:n'>${number}</n>` });
      const numbers = Array.from({ length: 250 }, (_, index) => index);
      publishing.child.stdin.write(`${numbers.slice(0, 100).map(line).join('\n')}\n`);
      await publishing.waitFor('stdout', /i50\n/);
      // What is under way now may have arrived, and its confirmation not.
      publishing.child.stdin.end(`${numbers.slice(100).map(line).join('\n')}\n`);
      server.sandbox.signal('SIGKILL');
      await server.sandbox.restart();
      const { code, stdout } = await publishing.finished;
      expect(code).toBe(0);
      expect(stdout.trim().split('\n')).toEqual(numbers.map((number) => `i${number}`));
      const there = (await run(['items', name, ...at()])).stdout.trim().split('\n');
      expect(there.map((text) => text.split('\t')[0]).sort()).toEqual(
        numbers.map((number) => `i${number}`).sort(),
      );
    }, 60_000);

    it('says that an item is too large for the server, and publishes nothing', async () => {
      const name = 'large';
      await run(['create', name, 'access_model=open', ...at()]);
      const large = await home.write('large.xml', `<a xmlns='urn:a'>${'x'.repeat(10_000_000)}</a>`);
      const refused = await run(['publish', name, large, ...at()]);
      expect(refused).toMatchObject({ code: 5, stdout: '' });
      expect(refused.stderr).toMatch(/^xmppctl: the server closed the stream: policy-violation/);
      expect((await run(['items', name, ...at()])).stdout).toBe('');
    });

    it('keeps up with a reader who takes one line and then the rest', async () => {
      const name = 'slow';
      await run(['create', name, 'access_model=open', 'max_items=200', ...at()]);
      const lines = Array.from({ length: 200 }, (_, index) =>
        JSON.stringify({ id: `i${index}`, payload: `<n xmlns='urn:n'>${'x'.repeat(2000)}</n>` }),
      );
      await run(['publish', name, '--stdin', ...at()], { input: lines.join('\n') });
      const reading = await runXmppctl(['pubsub', 'items', name, ...at()], {
        env: environmentOf(server.sandbox, 'alice'),
        prefix: ['sh', '-c', '"$@" | { read -r line; wc -l; }', 'sh'],
      });
      expect(reading).toMatchObject({ code: 0, stderr: '' });
      expect(reading.stdout.trim()).toBe('199');
      // A reader who has seen enough is no failure.
      const first = await runXmppctl(['pubsub', 'items', name, ...at()], {
        env: environmentOf(server.sandbox, 'alice'),
        prefix: ['sh', '-c', '"$@" | head -1 | cut -f 1', 'sh'],
      });
      expect(first).toMatchObject({ code: 0, stdout: 'i0\n', stderr: '' });
    });

    it('publishes all of it when nobody reads the ids', async () => {
      const name = 'unread';
      await run(['create', name, 'access_model=open', 'max_items=50', ...at()]);
      const lines = Array.from({ length: 50 }, (_, index) => `<n xmlns='urn:n'>${index}</n>`);
      const { stdout, stderr } = await runXmppctl(['pubsub', 'publish', name, '--per-line', ...at()], {
        env: environmentOf(server.sandbox, 'alice'),
        prefix: ['bash', '-c', `${unread}; "$@" >&3; echo $?`, 'bash'],
        input: lines.join('\n'),
      });
      expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
      const there = (await run(['items', name, '--all', ...at()])).stdout.trim().split('\n');
      expect(there).toHaveLength(50);
    });

    it('says when the node keeps fewer than were published', async () => {
      const node = 'urn:example:few';
      const input = [1, 2, 3].map((number) => `<n xmlns='urn:n'>${number}</n>`).join('\n');
      const publish = (...more: string[]) => run(['publish', node, '--per-line', ...more], { input });
      const note =
        "the node urn:example:few keeps the last item only; to keep more: xmppctl pubsub configure 'urn:example:few' max_items=NUMBER\n";
      expect(await publish()).toMatchObject({ code: 0, stderr: note });
      expect((await run(['items', node])).stdout).toMatch(/^\S+\t<n xmlns="urn:n">3<\/n>\n$/);
      expect(await publish('--quiet')).toMatchObject({ code: 0, stderr: '' });
      await run(['configure', node, 'max_items=100']);
      expect(await publish()).toMatchObject({ code: 0, stderr: '' });
      expect((await run(['items', node])).stdout.trim().split('\n')).toHaveLength(4);
    });

    it('exports into what is no plain file, and leaves it what it is', async () => {
      const name = 'into-a-pipe';
      await run(['create', name, ...at()]);
      const pipe = `${home.dir}/pipe`;
      const { code, stdout } = await runXmppctl(['pubsub', 'export', name, '-o', pipe, ...at()], {
        env: environmentOf(server.sandbox, 'alice'),
        prefix: ['sh', '-c', 'mkfifo "$0"; cat "$0" & "$@"; code=$?; wait; test -p "$0" && exit $code', pipe],
      });
      expect(code).toBe(0);
      expect(stdout).toMatch(/^\{"format":"xmppctl-node-1".*\n\{"items":0\}\n$/);
    });

    it('tells which lines are wrong', async () => {
      const input = [`<a xmlns='urn:a'/>`, '<a', `<b xmlns='urn:b'/>`].join('\n');
      const { code, stdout, stderr } = await run(['publish', 'urn:example:lines', '--per-line'], { input });
      expect(code).toBe(2);
      expect(stdout.trim().split('\n')).toHaveLength(1);
      expect(stderr).toMatch(/^xmppctl: line 2: not well-formed XML/);
      for (const bad of ['{"id":1,"payload":"<a/>"}', '{"x":1}', '{']) {
        expect(await run(['publish', 'urn:example:lines', '--per-line'], { input: bad })).toMatchObject({
          code: 2,
          stdout: '',
        });
      }
    });

    it('watches a node of a service', async () => {
      const name = 'watched';
      await run(['create', name, 'access_model=open', ...at()]);
      const watching = startXmppctl(['pubsub', 'watch', name, '--count', '2', '--json', '-v', ...at()], {
        env: environmentOf(server.sandbox, 'bob'),
        input: '',
      });
      await watching.waitFor('stderr', /watching as/);
      // The subscription is there when the owner sees it.
      for (;;) if ((await run(['subscriptions', name, '--owner', ...at()])).stdout.includes('bob@')) break;
      await run(['publish', name, '--id', 'x', '--as', 'json', ...at()], { input: '{"a":1}' });
      await run(['retract', name, 'x', ...at()]);
      const { code, stdout } = await watching.finished;
      expect(code).toBe(0);
      const events = stdout
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text) as Record<string, unknown>);
      expect(events).toMatchObject([
        {
          kind: 'item',
          node: name,
          id: 'x',
          payload: '<json xmlns="urn:xmpp:json:0">{"a":1}</json>',
          isCatchUp: false,
        },
        { kind: 'retract', node: name, id: 'x' },
      ]);
      expect((await run(['subscriptions', name, '--owner', ...at()])).stdout).not.toContain('bob@');
    });

    it('watches the own account, misses nothing between runs, and shows nothing twice', async () => {
      const node = 'urn:example:watch';
      const mark = await home.write('seen.json', '');
      const publish = (id: string, text: string) =>
        run(['publish', node, '--id', id], {
          input: `<n xmlns='urn:n'>${text}</n>`,
        });
      await run(['create', node, 'max_items=10', 'persist_items=1']);
      const watch = async (count: number) => {
        const { stdout, code } = await run(['watch', node, '--count', String(count), '--mark', mark]);
        expect(code).toBe(0);
        return stdout
          .trim()
          .split('\n')
          .map((text) => text.split('\t').slice(3).join(' '))
          .sort();
      };
      await publish('1', 'a');
      await publish('2', 'b');
      expect(await watch(2)).toEqual(['1 <n xmlns="urn:n">a</n>', '2 <n xmlns="urn:n">b</n>']);
      await publish('2', 'changed');
      await publish('3', 'c');
      expect(await watch(2)).toEqual(['2 <n xmlns="urn:n">changed</n>', '3 <n xmlns="urn:n">c</n>']);
      const live = startXmppctl(['pubsub', 'watch', node, '--count', '1', '--mark', mark, '-v'], {
        env: environmentOf(server.sandbox, 'alice'),
        input: '',
      });
      await live.waitFor('stderr', /watching as/);
      await publish('4', 'd');
      expect((await live.finished).stdout).toMatch(/\titem\t4\t/);
      expect(await readFile(mark, 'utf8')).toContain(node);
      expect(await run(['watch', node, '--mark', await home.write('other', 'something else')])).toMatchObject(
        {
          code: 2,
          stdout: '',
        },
      );
    });

    it('exports a node, and makes another one of the file, at a service and at an account', async () => {
      const name = 'exported';
      const jid = server.sandbox.accounts['bob']?.jid ?? '';
      await run(['create', name, 'access_model=whitelist', 'max_items=200', 'title=A title', ...at()]);
      const lines = Array.from({ length: 120 }, (_, index) =>
        JSON.stringify({ id: `i${index}`, payload: `<n xmlns='urn:n'>${index}</n>` }),
      );
      await run(['publish', name, '--stdin', ...at()], { input: lines.join('\n') });
      await run(['affiliations', name, '--set', `${jid}=publisher`, ...at()]);
      const file = await home.write('node.ndjson', '');
      expect(await run(['export', name, '-o', file, ...at()])).toMatchObject({
        code: 0,
        stdout: '',
        stderr: '',
      });
      const written = await readFile(file, 'utf8');
      expect(written.trim().split('\n')).toHaveLength(122);
      expect(JSON.parse(written.slice(0, written.indexOf('\n')))).toMatchObject({
        format: 'xmppctl-node-1',
        node: name,
        configuration: { access_model: ['whitelist'], title: ['A title'] },
      });
      const imported = await run(['import', file, '--node', 'imported', ...at()]);
      expect(imported).toMatchObject({ code: 0, stderr: '' });
      expect(imported.stdout.trim().split('\n')).toEqual(lines.map((_, index) => `i${index}`));
      const again = (await run(['export', 'imported', ...at()])).stdout;
      const rest = (text: string): string => text.slice(text.indexOf('\n'));
      expect(rest(again)).toBe(rest(written));
      const header = (text: string): Record<string, unknown> =>
        JSON.parse(text.slice(0, text.indexOf('\n'))) as Record<string, unknown>;
      expect({ ...header(again), time: '', node: '' }).toEqual({ ...header(written), time: '', node: '' });
      expect((await run(['import', file, '--node', 'urn:example:imported'])).code).toBe(0);
      expect((await run(['items', 'urn:example:imported'])).stdout.trim().split('\n')).toHaveLength(120);
      // Once more changes nothing.
      expect((await run(['import', '--node', 'imported', ...at()], { input: written })).code).toBe(0);
      expect(rest((await run(['export', 'imported', ...at()])).stdout)).toBe(rest(written));
    }, 40_000);

    it('takes over what is there of a file that was cut off, and nothing of another file', async () => {
      const [header, item] = [
        '{"format":"xmppctl-node-1","service":"x","node":"cut"}',
        `{"id":"1","payload":"<n xmlns='urn:n'/>"}`,
      ];
      expect(await run(['import', ...at()], { input: `${header}\n${item}\n` })).toMatchObject({
        code: 1,
        stdout: '1\n',
        stderr: 'xmppctl: the file ends early, after 1 items\n',
      });
      expect(await run(['import', ...at()], { input: `${header}\n${item}\n{"items":2}\n` })).toMatchObject({
        code: 2,
      });
      for (const input of ['', '{}', 'x', item]) {
        expect(await run(['import', ...at()], { input })).toMatchObject({
          code: 2,
          stdout: '',
          stderr: 'xmppctl: this was not written by xmppctl pubsub export\n',
        });
      }
      expect(await run(['import', '/nowhere/at/all', ...at()])).toMatchObject({ code: 7, stdout: '' });
      expect(await run(['export', 'nothing-here', ...at()])).toMatchObject({ code: 5, stdout: '' });
    });

    it('keeps a node as another one is', async () => {
      const service = server.sandbox.addresses.pubsub;
      const uri = (node: string): string => `xmpp:${service}?;node=${node}`;
      await run(['create', 'source', 'access_model=open', 'max_items=50', 'notify_retract=1', ...at()]);
      const publish = (id: string, text: string) =>
        run(['publish', 'source', '--id', id, ...at()], { input: `<n xmlns='urn:n'>${text}</n>` });
      await publish('1', 'a');
      await publish('2', 'b');
      expect(await run(['mirror', uri('source'), uri('target'), '--once'])).toMatchObject({
        code: 0,
        stdout: 'published\t1\npublished\t2\nin step\t2\n',
      });
      await publish('3', 'c');
      await publish('2', 'changed');
      await run(['retract', 'source', '1', ...at()]);
      const live = startXmppctl(['pubsub', 'mirror', uri('source'), uri('target')], {
        env: environmentOf(server.sandbox, 'alice'),
        input: '',
      });
      await live.waitFor('stdout', /retracted\t1\nin step\t2\nin step\t2\n/);
      await publish('4', 'd');
      await live.waitFor('stdout', /published\t4\n/);
      await run(['retract', 'source', '3', ...at()]);
      await live.waitFor('stdout', /retracted\t3\n/);
      live.child.kill('SIGINT');
      expect((await live.finished).code).toBe(130);
      expect((await run(['items', 'target', ...at()])).stdout.trim().split('\n').sort()).toEqual([
        '2\t<n xmlns="urn:n">changed</n>',
        '4\t<n xmlns="urn:n">d</n>',
      ]);
      expect((await run(['mirror', uri('source'), uri('source')])).code).toBe(2);
      expect((await run(['mirror', uri('source'), 'xmpp:x?y'])).code).toBe(2);
    }, 40_000);

    it('shows what a node is, and what a new one has', async () => {
      await run(['create', 'shown', 'access_model=whitelist', 'title=A title', ...at()]);
      expect((await run(['info', 'shown', ...at()])).stdout).toMatch(
        /^kind=leaf\n[^]*title=A title\n[^]*access_model=whitelist\n/,
      );
      expect((await run(['info', 'nothing-here', ...at()])).code).toBe(5);
      expect((await run(['default', ...at()])).stdout).toMatch(/^access_model=open/m);
    });

    it('runs a program for each item, and says what is new since', async () => {
      const node = 'urn:example:exec';
      await run(['create', node, 'max_items=10', 'persist_items=1']);
      const log = await home.write('exec.log', '');
      const watching = startXmppctl(
        ['pubsub', 'watch', node, '--count', '2', '--exec', `cat >> ${log}; test "$XMPPCTL_ID" != bad`, '-v'],
        { env: environmentOf(server.sandbox, 'alice'), input: '' },
      );
      await watching.waitFor('stderr', /watching as/);
      const publish = (id: string, input: string) =>
        run(['publish', node, '--id', id, '--as', 'json', '--datatype', 'urn:example:d'], { input });
      await publish('good', '1');
      await publish('bad', '2');
      const { code, stderr } = await watching.finished;
      expect(code).toBe(1);
      expect(stderr).toContain('the program of --exec ended with 1 for bad');
      const payload = (value: number): string => `<json xmlns="urn:xmpp:json:0">${value}</json></payload>`;
      expect(await readFile(log, 'utf8')).toMatch(new RegExp(`${payload(1)}.*${payload(2)}$`));
      const entry = (time: string): string =>
        `<entry xmlns='http://www.w3.org/2005/Atom'><updated>${time}</updated></entry>`;
      await run(['publish', node, '--id', 'old'], { input: entry('2020-01-01T00:00:00Z') });
      await run(['publish', node, '--id', 'new'], { input: entry('2026-01-01T00:00:00Z') });
      expect((await run(['items', node, '--since', '2025-01-01'])).stdout).toMatch(/^new\t[^\n]*\n$/);
      const following = startXmppctl(['pubsub', 'items', node, '--follow'], {
        env: environmentOf(server.sandbox, 'alice'),
        input: '',
      });
      await following.waitFor('stdout', /new\t/);
      await publish('later', '3');
      await following.waitFor('stdout', /later\t/);
      following.child.kill('SIGINT');
      expect((await following.finished).code).toBe(130);
    }, 40_000);

    it('lists who waits for an approval, where the service has that', async () => {
      const name = 'approved';
      const jid = server.sandbox.accounts['bob']?.jid ?? '';
      const created = await run(['create', name, 'access_model=authorize', ...at()]);
      if (server.name === 'prosody') {
        // COMPAT(Prosody 0.12): it has no such access model.
        expect(created).toMatchObject({ code: 5, stdout: '' });
        return;
      }
      expect(await run(['subscribe', name, ...at()], { as: 'bob' })).toMatchObject({
        code: 0,
        stdout: 'pending\n',
      });
      expect(await run(['pending', name, ...at()])).toMatchObject({ code: 0, stdout: `${jid}\n` });
      expect(await run(['pending', name, '--approve', jid, ...at()])).toMatchObject({ code: 0, stdout: '' });
      expect((await run(['pending', name, ...at()])).stdout).toBe('');
      expect((await run(['subscriptions', name, '--owner', ...at()])).stdout).toContain(`${jid}\tsubscribed`);
      expect((await run(['pending', name, ...at()], { as: 'bob' })).code).toBe(5);
    });

    it('ends at Ctrl-C, and unsubscribes', async () => {
      const name = 'interrupted';
      await run(['create', name, 'access_model=open', ...at()]);
      const watching = startXmppctl(['pubsub', 'watch', name, '-v', ...at()], {
        env: environmentOf(server.sandbox, 'bob'),
        input: '',
      });
      for (;;) if ((await run(['subscriptions', name, '--owner', ...at()])).stdout.includes('bob@')) break;
      watching.child.kill('SIGINT');
      expect((await watching.finished).code).toBe(130);
    });
  },
  { storage: 'disk' },
);
