/**
 * `npm run bench [NAME…] [--OPTION=VALUE…]`: runs test/bench/*.bench.mjs, each beside its peers in the same run.
 *
 * A benchmark whose first comment says `@sandbox` and the names of servers runs inside `xmppctl sandbox run`, once for each.
 * The last line counts the bars that were met; the exit code is 1 when one was missed.
 */
import { spawn } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const folder = path.join(root, 'test/bench');
const words = process.argv.slice(2);
const names = words.filter((word) => !word.startsWith('--'));
/** What else is said is for the benchmark: `--accounts=1000`. */
const passedOn = words.filter((word) => word.startsWith('--') && word !== '--no-install');

await setUp({ packages: 'bench', allowInstall: !process.argv.includes('--no-install') });

const env = { ...process.env };
// Some environments set it; it alone adds 38 ms to every start of Node and would hide what is measured.
delete env.NODE_EXTRA_CA_CERTS;

let met = 0;
let missed = 0;
for (const file of (await readdir(folder)).filter((name) => name.endsWith('.bench.mjs')).sort()) {
  if (names.length > 0 && !names.some((name) => file.includes(name))) continue;
  const script = path.join(folder, file);
  const named = /@sandbox ([a-z ]+)/.exec(await readFile(script, 'utf8'))?.[1]?.trim();
  for (const server of named?.split(/\s+/) ?? [undefined]) await runBenchmark(file, script, server);
}
console.log(`\n${met} bars met, ${missed} missed`);
process.exitCode = missed > 0 ? 1 : 0;

async function runBenchmark(file, script, server) {
  console.log(`\n== ${file.replace('.bench.mjs', '')}${server ? ` (against ${server})` : ''}`);
  const xmppctl = [process.execPath, path.join(root, 'bin/xmppctl.js')];
  const sandbox = server ? [...xmppctl, 'sandbox', 'run', '--server', server, '--'] : [];
  const { code, output } = await run([...sandbox, process.execPath, script, ...passedOn]);
  met += output.split('\n').filter((line) => line.endsWith(' ok')).length;
  missed += output.split('\n').filter((line) => line.endsWith(' MISSED')).length;
  if (code !== 0) {
    missed += 1;
    console.log(`${file} ended with exit code ${code}`);
  }
}

function run([program, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      process.stdout.write(chunk);
    });
    child.on('close', (code) => resolve({ code, output }));
  });
}
