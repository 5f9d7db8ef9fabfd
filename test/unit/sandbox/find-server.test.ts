import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SandboxError } from '../../../src/lib/errors.js';
import { findServer, usualPath } from '../../../src/lib/sandbox/find-server.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'xmppctl-test-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function addProgram(name: string, text: string): Promise<string> {
  const file = path.join(dir, name);
  await writeFile(file, text);
  await chmod(file, 0o755);
  return file;
}

describe('looking for a server', () => {
  it('finds Prosody', async () => {
    const program = await addProgram('prosody', '');
    expect(await findServer(undefined, `/nowhere:${dir}`)).toEqual({ name: 'prosody', program });
  });

  it('finds ejabberd, with Erlang and its libraries, through ejabberdctl', async () => {
    const erl = await addProgram('erl', '');
    await mkdir(path.join(dir, 'lib/ejabberd-99.1/ebin'), { recursive: true });
    await addProgram('ejabberdctl', `#!/bin/sh\nERL="${erl}"\nexport ERL_LIBS='${dir}/lib'\n`);
    expect(await findServer('ejabberd', dir)).toEqual({
      name: 'ejabberd',
      program: erl,
      erlLibs: `${dir}/lib`,
    });
  });

  it('does not take what cannot be executed, or stands in a relative directory', async () => {
    await writeFile(path.join(dir, 'prosody'), '');
    await expect(findServer('prosody', `${dir}:.:`)).rejects.toBeInstanceOf(SandboxError);
  });

  it('says what to install, on each system', async () => {
    await expect(findServer(undefined, dir)).rejects.toMatchObject({
      message: 'neither Prosody nor ejabberd is installed',
      exitCode: 3,
      hint: expect.stringMatching(/Debian.*apt install.*Fedora.*dnf.*Arch.*pacman.*macOS.*brew/) as string,
    });
    await expect(findServer('ejabberd', dir)).rejects.toThrow('ejabberd is not installed');
  });

  it('also looks where servers usually are', () => {
    expect(usualPath('/my/bin').split(':')).toEqual(
      expect.arrayContaining(['/my/bin', '/usr/sbin', '/usr/bin']),
    );
    expect(usualPath(undefined)).toMatch(/^\/usr/);
  });
});
