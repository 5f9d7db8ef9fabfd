/** The checked-in manual through the real formatter: no warnings, and what is shown can be copied. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../man');
const format = (file: string): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)('groff', ['-ww', '-man', '-Tutf8', '-P-cbou', path.join(folder, file)]);

describe('groff', async () => {
  const files = await readdir(folder);

  it.each(files)('formats %s without a warning', async (file) => {
    const { stdout, stderr } = await format(file);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^NAME\n {5,}xmppctl/m);
  });

  it('keeps options, quotes and backslashes as they are typed', async () => {
    const { stdout } = await format('xmppctl-account-list.1');
    expect(stdout).toContain("xmppctl account list --json | jq -r '.[].name'");
  });
});
