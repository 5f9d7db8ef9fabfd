/**
 * npm test: sets the clone up, runs the three rings and ends with one line, `N passed, N failed`.
 *
 *   npm test                        everything
 *   npm test -- --unit sandbox      one ring, files whose name contains a word
 *   npm test -- --no-install        say what is missing instead of installing it
 *
 * --unit, --integration and --e2e choose rings; everything else goes to vitest.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root, setUp } from './setup.mjs';

const rings = ['unit', 'integration', 'e2e'];
const args = process.argv.slice(2);
const chosen = rings.filter((ring) => args.includes(`--${ring}`));
const passedOn = args.filter((arg) => arg !== '--no-install' && !rings.includes(arg.replace(/^--/, '')));
const projects = chosen.length > 0 ? chosen : rings;
const needsServers = projects.some((ring) => ring !== 'unit');

await setUp({ packages: needsServers ? 'tests' : 'none', allowInstall: !args.includes('--no-install') });

const directory = mkdtempSync(path.join(tmpdir(), 'xmppctl-test-'));
const countFile = path.join(directory, 'counts.json');
const code = await runVitest();
const { passed, failed } = readCounts();
rmSync(directory, { recursive: true });
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = code === 0 && failed === 0 && passed > 0 ? 0 : code || 1;

function runVitest() {
  const child = spawn(
    process.execPath,
    [
      path.join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      ...projects.flatMap((ring) => ['--project', ring]),
      '--reporter=default',
      `--reporter=${path.join(root, 'scripts/count-reporter.mjs')}`,
      ...passedOn,
    ],
    {
      cwd: root,
      env: { ...process.env, XMPPCTL_TEST_COUNTS: countFile },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  // Ctrl-C reaches vitest too, which then ends its workers and the servers.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on('exit', (status) => resolve(status ?? 1));
  });
}

/** Without counts the run itself failed. */
function readCounts() {
  try {
    return JSON.parse(readFileSync(countFile, 'utf8'));
  } catch {
    return { passed: 0, failed: 1 };
  }
}
