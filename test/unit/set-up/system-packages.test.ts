/** What the set-up does about programs that are missing, on every kind of system. */
import { spawn } from '@lydell/node-pty';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const setUpFolder = pathToFileURL(path.join(root, 'scripts/set-up/')).href;

interface System {
  hasProgram: (name: string) => boolean;
  hasPath: (file: string) => boolean;
  hasPythonModule: (name: string) => boolean;
  knowsPackage: (name: string) => boolean;
  isRoot: boolean;
  isInteractive: boolean;
  confirm: (question: string) => Promise<boolean>;
  runAsRoot: (args: string[]) => Promise<number>;
}
const { ensureSystemPackages } = (await import(`${setUpFolder}system-packages.mjs`)) as {
  ensureSystemPackages: (options: {
    root: string;
    packages: 'none' | 'demo' | 'tests' | 'bench';
    allowInstall: boolean;
    say: (line: string) => void;
    system: System;
  }) => Promise<void>;
};

interface Run {
  said: string[];
  asked: string[];
  installed: string[];
  error: string | undefined;
}

/** A system with these programs, on which apt installs whatever it is asked for. */
async function setUp(
  programs: readonly string[],
  {
    packages = 'demo',
    allowInstall = true,
    answer,
    isRoot = true,
    aptCode = 0,
    installs = ['prosody'],
    known = [],
  }: {
    packages?: 'none' | 'demo' | 'tests' | 'bench';
    allowInstall?: boolean;
    /** At a terminal. */
    answer?: boolean;
    isRoot?: boolean;
    aptCode?: number;
    /** Programs that are there after apt has run. */
    installs?: readonly string[];
    /** Packages that apt could install. */
    known?: readonly string[];
  } = {},
): Promise<Run> {
  const run: Run = { said: [], asked: [], installed: [], error: undefined };
  const present = new Set(programs);
  const system: System = {
    hasProgram: (name) => present.has(name),
    hasPath: () => present.has('prosody'),
    hasPythonModule: (name) => present.has(name),
    knowsPackage: (name) => known.includes(name),
    isRoot,
    isInteractive: answer !== undefined,
    confirm: (question) => {
      run.asked.push(question);
      return Promise.resolve(answer === true);
    },
    runAsRoot: ([script = '', ...names]) => {
      run.installed.push(path.basename(script), ...names);
      if (aptCode === 0) for (const name of installs) present.add(name);
      return Promise.resolve(aptCode);
    },
  };
  try {
    await ensureSystemPackages({
      root,
      packages,
      allowInstall,
      say: (line) => run.said.push(line),
      system,
    });
  } catch (error) {
    run.error = (error as Error).message;
  }
  return run;
}

const nothing: Run = { said: [], asked: [], installed: [], error: undefined };

describe('the set-up', () => {
  const needed = ['prosody', 'ejabberdctl', 'zsh', 'fish', 'groff', 'dbus-run-session', 'slixmpp'].concat([
    'gnome-keyring-daemon',
    'xmllint',
    'ip',
    'nft',
    'named',
    'dnssec-signzone',
    'unbound',
    'turnserver',
    'gi',
    'chromium',
    'go-sendxmpp',
    'profanity',
    'tshark',
  ]);

  it('installs nothing where everything is there', async () => {
    const all = [...needed, 'libervia-backend', 'libervia-cli'];
    const known = ['libervia-backend', 'libervia-cli'];
    expect(await setUp(all, { packages: 'tests', known })).toEqual(nothing);
    expect(await setUp([], { packages: 'none' })).toEqual(nothing);
  });

  it('adds what not every release has where apt knows it, and fails for none of it', async () => {
    expect(await setUp(needed, { packages: 'tests' })).toEqual(nothing);
    const options = { packages: 'tests' as const, known: ['libervia-cli'], aptCode: 100 };
    expect(await setUp(needed, options)).toEqual({
      said: ['installing libervia-cli with apt; without, some tests are skipped'],
      asked: [],
      installed: ['apt-install.mjs', 'libervia-cli?'],
      error: undefined,
    });
    expect(await setUp(needed, { ...options, answer: true })).toEqual(nothing);
    expect(await setUp(needed, { ...options, isRoot: false })).toEqual(nothing);
    const fresh = await setUp([...needed.slice(1), 'apt-get'], { packages: 'tests' });
    expect(fresh.installed.slice(-2)).toEqual(['libervia-backend?', 'libervia-cli?']);
  });

  it('is content with one server for the demo', async () => {
    expect(await setUp(['ejabberdctl'])).toEqual(nothing);
  });

  it('goes ahead where nobody can be asked, and says so', async () => {
    expect(await setUp(['apt-get'])).toEqual({
      said: ['installing prosody, prosody-modules with apt; their services stay off'],
      asked: [],
      installed: ['apt-install.mjs', 'prosody', 'prosody-modules'],
      error: undefined,
    });
  });

  it('asks once at a terminal, and takes a no', async () => {
    expect(await setUp(['apt-get'], { answer: true })).toMatchObject({
      asked: ['Install prosody, prosody-modules with apt?'],
      error: undefined,
    });
    const refused = await setUp(['apt-get'], { answer: false });
    expect(refused).toMatchObject({
      installed: [],
      error: expect.stringContaining('must be installed') as string,
    });
  });

  it('uses sudo for those who are not root, and says so', async () => {
    expect((await setUp(['apt-get', 'sudo'], { isRoot: false, answer: true })).asked).toEqual([
      'Install prosody, prosody-modules with apt (sudo)?',
    ]);
    const alone = await setUp(['apt-get'], { isRoot: false });
    expect(alone.installed).toEqual([]);
    expect(alone.error).toMatch(/^prosody, prosody-modules must be installed, by root or with sudo \(/);
  });

  it('installs nothing with --no-install', async () => {
    const { installed, asked, error } = await setUp(['apt-get'], { allowInstall: false, answer: true });
    expect({ installed, asked }).toEqual({ installed: [], asked: [] });
    expect(error).toMatch(
      /^prosody, prosody-modules must be installed \(Debian or Ubuntu: apt install prosody /,
    );
  });

  it('says on one line what to install where there is no apt, by the names of each system', async () => {
    const { error } = await setUp(['prosody', 'zsh', 'fish'], { packages: 'tests' });
    expect(error).toBe(
      'ejabberd, python3-slixmpp, iproute2, nftables, groff-base, dbus, gnome-keyring, libxml2-utils, bind9, bind9-utils, unbound, coturn, chromium, go-sendxmpp, profanity, tshark, python3-gi must be installed, and there is no apt here (' +
        'Debian or Ubuntu: apt install ejabberd python3-slixmpp iproute2 nftables groff-base dbus gnome-keyring libxml2-utils bind9 bind9-utils unbound coturn chromium go-sendxmpp profanity tshark python3-gi; ' +
        'Fedora: dnf install ejabberd python3-slixmpp iproute nftables groff-base dbus-daemon gnome-keyring libxml2 bind bind-dnssec-utils unbound coturn chromium profanity wireshark-cli python3-gobject; ' +
        'Arch: pacman -S ejabberd python-slixmpp iproute2 nftables groff dbus gnome-keyring libxml2 bind unbound coturn chromium profanity wireshark-cli python-gobject; ' +
        'macOS: brew install ejabberd groff libxml2 bind unbound coturn chromium profanity wireshark pygobject3)',
    );
    expect((await setUp([])).error).toContain(
      '; Fedora: dnf install prosody; Arch: pacman -S prosody; macOS: brew',
    );
  });

  it.each([
    ['fails', { aptCode: 100 }, /^installing with apt failed \(/],
    ['installs something else', { installs: [] }, /^apt installed no prosody, prosody-modules \(/],
  ])('says so when apt %s', async (_, options, message) => {
    expect((await setUp(['apt-get'], options)).error).toMatch(message);
  });
});

describe('sudo', () => {
  it('runs the installation, and asks for no password where nobody can type one', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-sudo-'));
    try {
      await writeFile(path.join(folder, 'sudo'), '#!/bin/sh\nprintf "%s\\n" "$*" >&2\nexit 7\n', {
        mode: 0o755,
      });
      const script = `import('${setUpFolder}this-system.mjs').then(async ({ thisSystem }) => {
        const system = Object.create(thisSystem, { isRoot: { value: false } });
        process.exitCode = await system.runAsRoot(['install.mjs', 'prosody']);
      })`;
      const { status, stderr } = spawnSync(process.execPath, ['-e', script], {
        env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` },
        encoding: 'utf8',
      });
      expect(stderr).toBe(`-n -- ${process.execPath} install.mjs prosody\n`);
      expect(status).toBe(7);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the question at a terminal', () => {
  async function answer(typed: string): Promise<{ code: number; shown: string }> {
    const script = `import('${setUpFolder}this-system.mjs').then(async ({ thisSystem }) => {
      process.exitCode = (await thisSystem.confirm('Install?')) ? 42 : 43;
    })`;
    const terminal = spawn(process.execPath, ['-e', script], { env: { TERM: 'dumb' } });
    let shown = '';
    let isAnswered = false;
    terminal.onData((text) => {
      shown += text;
      if (isAnswered || !shown.includes('[Y/n] ')) return;
      isAnswered = true;
      terminal.write(typed);
    });
    const code = await new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
    return { code, shown };
  }

  it.each([
    ['Enter', '\r', 42],
    ['y', 'y\r', 42],
    ['YES', 'YES\r', 42],
    ['n', 'n\r', 43],
    ['anything else', 'what?\r', 43],
    ['Ctrl-C', '\u0003', 43],
    ['Ctrl-D', '\u0004', 43],
  ])('is answered by %s', async (_, typed, code) => {
    expect(await answer(typed)).toMatchObject({
      code,
      shown: expect.stringContaining('Install? [Y/n] ') as string,
    });
  });
});
