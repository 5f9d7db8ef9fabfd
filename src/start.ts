/**
 * Where the program begins: answers at once what needs no command, and loads the rest of the program for everything
 * else. Reads `process` as `cli.ts` does; together they are the only ones.
 */
import { groups, registry } from './commands/registry.js';
import { splitArgv } from './lib/command/argv.js';
import { renderRootHelp } from './lib/command/root-help.js';
import { isClosedPipe, unwritable } from './lib/output/unwritable.js';

const argv = process.argv.slice(2);

/** A reader that has gone (`xmppctl --help | head -1`) is no error. */
function onWriteError(error: Error): void {
  if (isClosedPipe(error)) return;
  const { message, exitCode } = unwritable(error);
  process.stderr.write(`xmppctl: ${message}\n`);
  process.exitCode = exitCode;
}

function answer(text: string): void {
  process.stdout.on('error', onWriteError);
  process.stdout.write(text);
}

if (argv[0] === '--version' || argv[0] === '-V') {
  answer(`xmppctl ${XMPPCTL_VERSION}\n`);
} else if (argv[0] === '--help' || argv[0] === '-h') {
  answer(renderRootHelp(registry, groups, process.stdout.columns || 80));
} else {
  void startProgram();
}

/** What both files of the program give each other, by names that `scripts/build/program.mjs` makes up. */
interface Lender {
  lend: Readonly<Record<string, (() => unknown) | undefined>>;
}

async function startProgram(): Promise<void> {
  const { loadWithCodeCache } = await import('./load-with-code-cache.js');
  const { path = 'none', rest } = splitArgv(argv, new Set(registry.map((entry) => entry.path)));
  // Each command runs other parts of the program, and its help runs none of them.
  const variant = rest.includes('--help') || rest.includes('-h') ? 'help' : path.replaceAll(' ', '-');
  const load = (file: string, requireFrom: (id: string) => unknown): Lender =>
    loadWithCodeCache(`${__dirname}/${file}`, {
      require: requireFrom,
      env: process.env,
      variant,
      identity: [XMPPCTL_BUILD, process.version, process.arch, ...process.execArgv].join(' '),
      uid: process.geteuid?.(),
      atExit: (save) => void process.on('exit', (code) => code === 0 && save()),
    }) as Lender;
  // Node's own modules, and the packages that lie beside the program.
  const outside: (id: string) => unknown = require;
  let commands: Lender | undefined;
  const core = load('cli.js', (id) => {
    if (!id.startsWith('commands:')) return outside(id);
    commands ??= load('commands.js', (wanted) =>
      wanted.startsWith('core:') ? core.lend[wanted]?.() : outside(wanted),
    );
    return commands.lend[id]?.();
  });
}
