/** What administrators call to get accounts out of a server and into one: `ejabberdctl` and `prosody-migrator`. */
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { unprivilegedUser } from '../../src/lib/sandbox/unprivileged-user.js';

/** A folder that servers can read and write, too, whoever they run as; it goes away when the scope is left. */
export async function sharedFolder(): Promise<AsyncDisposable & { at: (...names: string[]) => string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-move-'));
  await chmod(folder, 0o777);
  return {
    at: (...names) => path.join(folder, ...names),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A command of `ejabberdctl`, by the socket of the sandbox. */
export async function callEjabberd(sandbox: Sandbox, command: string, args: object): Promise<string> {
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const call = request(
      {
        socketPath: path.join(sandbox.dir, 'api'),
        path: `/api/${command}`,
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: body }));
      },
    );
    call.on('error', reject);
    call.end(JSON.stringify(args));
  });
  if (status !== 200) throw new Error(`ejabberd answered ${command} with ${status}: ${text}`);
  return text;
}

/**
 * `prosody-migrator` between the files of a folder (XEP-0227) and what a sandbox has stored. The program looks for those
 * files where Prosody's data are, and that is written into it.
 */
export async function migrateProsody(
  sandbox: Sandbox,
  direction: 'import' | 'export',
  folder: string,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  await using scratch = await sharedFolder();
  const program = scratch.at('migrator');
  const text = await readFile('/usr/bin/prosody-migrator', 'utf8');
  await writeFile(program, text.replace(/^CFG_DATADIR=.*$/m, `CFG_DATADIR=${JSON.stringify(folder)};`), {
    mode: 0o755,
  });
  const config = scratch.at('migrator.cfg.lua');
  const stores = '{ "accounts"; "roster"; "vcard"; "private"; "pep-pubsub" }';
  const hosts = `hosts = { [${JSON.stringify(sandbox.domain)}] = ${stores} };`;
  await writeFile(
    config,
    `files { ${hosts} type = "xep0227" }\nserver { ${hosts} type = "internal"; path = ${JSON.stringify(path.join(sandbox.dir, 'data'))} }\n`,
  );
  await giveFolderTo('prosody', folder);
  const order = direction === 'import' ? ['files', 'server'] : ['server', 'files'];
  const { stdout, stderr } = await promisify(execFile)(program, ['--config', config, ...order], {
    // As root it becomes Prosody's user by itself.
    env: { PATH: process.env['PATH'], HOME: folder, LANG: 'C.UTF-8' },
  });
  return stdout + stderr;
}

/** As root, what one server cannot read becomes its own. */
export async function giveFolderTo(server: 'prosody' | 'ejabberd', folder: string): Promise<void> {
  const user = await unprivilegedUser(server);
  if (!user) return;
  for (const name of ['.', ...(await readdir(folder))])
    await chown(path.join(folder, name), user.uid, user.gid);
}
