/** A page in the browser of whoever sits here. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import path from 'node:path';

/**
 * The address may hold a secret, and everybody can read the words a program was started with: the browser is given a file
 * that nobody else can read and that leads to the page.
 *
 * @param url without characters that mean something in HTML
 * @returns removes the file
 * @throws Error there is no program to open it with
 */
export async function openInBrowser(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<() => Promise<void>> {
  const dir = await mkdtemp(path.join(env['TMPDIR'] ?? tmpdir(), 'xmppctl-open-'));
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true });
  try {
    const file = path.join(dir, 'open.html');
    await writeFile(file, `<!doctype html><meta http-equiv="refresh" content="0;url=${url}">\n`, {
      mode: 0o600,
    });
    await start(platform() === 'darwin' ? 'open' : 'xdg-open', file, env);
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}

/** It goes on without us. */
function start(
  program: string,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [file], { env, stdio: 'ignore', detached: true });
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      resolve();
    });
  });
}
