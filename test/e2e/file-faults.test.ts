/** Files of every size, and a server that goes away in the middle. */
import { execFile } from 'node:child_process';
import { stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { environmentOf } from '../support/as-account.js';
import { eventsOf, fileCommands } from '../support/file-commands.js';
import { describeOnEachServer } from '../support/servers.js';

const run = promisify(execFile);
const binary = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/xmppctl.js');

describeOnEachServer('send-file', (server) => {
  const { at, address, makeFile, receive, startSend, send, hashOf } = fileCommands(server);

  it('goes on when the server is restarted in the middle', async () => {
    // Enough for the restart to come in the middle: what one server takes seconds for is a moment to the other.
    const file = await makeFile('big', server.name === 'prosody' ? 12_000_000 : 100_000_000);
    const args = [file, address('bob'), '--transport', 'ibb', '--no-upload', '--json', '--timeout', '10'];
    const receiver = await receive(['--from', address('alice'), '--dir', 'in', '--once', '--timeout', '10']);
    const broken = startSend(args);
    await broken.waitFor('stdout', /"event":"progress".*"bytes":[1-9]\d{6}/);
    await server.sandbox.restart();
    const sent = await broken.finished;
    expect(`${sent.code} ${sent.stderr}`).toMatch(/^0/);
    expect(eventsOf(sent).at(-1)).toMatchObject({ event: 'done', certainty: 'verified' });
    expect(await receiver.finished).toMatchObject({ code: 0 });
    expect(await hashOf(at('in/big'))).toBe(await hashOf(file));
  });

  it.each(['s5b', 'ibb', 'upload'])('sends a file with nothing in it: %s', async (transport) => {
    // COMPAT(ejabberd 23.01): it takes no empty uploads.
    const isRefused = transport === 'upload' && server.name === 'ejabberd';
    await writeFile(at('empty'), '');
    const receiver = await receive(['--from', address('alice'), '--dir', 'in', '--once']);
    const { code, stderr } = await send([at('empty'), address('bob'), '--transport', transport]);
    if (isRefused) {
      expect(code).toBe(5);
      expect(stderr).toContain('empty');
      return;
    }
    expect(code).toBe(0);
    expect(await receiver.finished).toMatchObject({ code: 0 });
    expect((await stat(at('in/empty'))).size).toBe(0);
  });

  // The bytes do not go through the server, so one is enough.
  if (server.name === 'prosody')
    it('sends more bytes than 32 bits can count', async () => {
      const size = 5 * 1024 ** 3;
      await writeFile(at('huge'), '');
      await truncate(at('huge'), size);
      const receiving = run(
        'sh',
        [
          '-c',
          '"$0" "$1" receive-file --from "$2" --once -o - | wc -c',
          process.execPath,
          binary,
          address('alice'),
        ],
        { cwd: at(), env: { PATH: process.env['PATH'], ...environmentOf(server.sandbox, 'bob') } },
      );
      const sent = await send([at('huge'), address('bob'), '--wait', '--json', '--transport', 's5b']);
      expect({ code: sent.code, last: eventsOf(sent).at(-1) }).toMatchObject({
        code: 0,
        last: { event: 'done', size, certainty: 'verified' },
      });
      expect(Number((await receiving).stdout)).toBe(size);
    });
});
