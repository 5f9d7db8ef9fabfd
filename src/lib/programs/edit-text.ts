/** A text in the editor of whoever sits at the terminal. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NegativeError } from '../errors.js';

export interface EditTextOptions {
  /** What the file is called: editors go by it. */
  name: string;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * `VISUAL`, `EDITOR` or `vi`, as other programs have it.
 *
 * @returns the text as it was saved
 * @throws NegativeError the editor failed; the file is kept, and named
 */
export async function editText(text: string, { name, env }: EditTextOptions): Promise<string> {
  const dir = await mkdtemp(path.join(env['TMPDIR'] ?? tmpdir(), 'xmppctl-edit-'));
  const file = path.join(dir, name);
  await writeFile(file, text, { mode: 0o600 });
  const code = await startEditor(file, env);
  if (code !== 0) {
    throw new NegativeError(`the editor ended with ${code}`, { hint: `your text is in ${file}` });
  }
  const edited = await readFile(file, 'utf8');
  await rm(dir, { recursive: true, force: true });
  return edited;
}

/**
 * Opens a file in the editor, and waits for its end. The variable may hold arguments, so it goes to the shell, and the
 * name of the file does not.
 *
 * @returns the exit code
 */
export function startEditor(file: string, env: EditTextOptions['env']): Promise<number> {
  const editor = env['VISUAL'] ?? env['EDITOR'] ?? 'vi';
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { env, stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 128));
  });
}
