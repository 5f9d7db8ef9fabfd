/** The snippet of the README: it type-checks as strictly as this project, and does what it says. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeOnEachServer } from '../support/servers.js';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const run = promisify(execFile);
let folder: string;
let snippet: string;

beforeAll(async () => {
  // Inside the package, so that its own name means what it exports.
  folder = await mkdtemp(path.join(root, '.library-'));
  const readme = await readFile(path.join(root, 'README.md'), 'utf8');
  const [, section = ''] = /## As a library\n\n((?: {4}.*\n|\n)+)/.exec(readme) ?? [];
  snippet = section.replace(/^ {4}/gm, '');
  expect(snippet).toContain("from 'xmppctl'");
});
afterAll(() => rm(folder, { recursive: true }));

describe('the library as the README shows it', () => {
  it('type-checks, as strictly as we check ourselves', async () => {
    await writeFile(path.join(folder, 'snippet.ts'), snippet);
    const config = {
      extends: '../tsconfig.json',
      compilerOptions: { noEmit: true, noUnusedLocals: false, paths: { xmppctl: ['../src/lib/index.ts'] } },
      include: ['snippet.ts', '../src/globals.d.ts'],
    };
    await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', folder]).catch((error: unknown) => ({
      stdout: (error as { stdout: string }).stdout,
    }));
    expect(stdout).toBe('');
  });
});

describeOnEachServer('the library as the README shows it', (server) => {
  it('logs in, asks and closes', async () => {
    const { sandbox } = server;
    const alice = sandbox.accounts['alice'];
    const place = `service: '${sandbox.services.starttls}', tls: { ca: ${JSON.stringify(sandbox.ca)} }`;
    const program = snippet
      .replace('alice@example.org', alice?.jid ?? '')
      .replace('timeoutMs: 30_000,', `timeoutMs: 30_000, ${place},`)
      .concat('console.log(reply.attrs.type);');
    const file = path.join(folder, `${server.name}.mjs`);
    await writeFile(file, program);
    const { stdout, stderr } = await run(process.execPath, [file], { env: { SECRET: alice?.password } });
    expect({ stdout, stderr }).toEqual({ stdout: 'result\n', stderr: '' });
  });
});
