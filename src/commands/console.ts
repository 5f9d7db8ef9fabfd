import { Option } from '@commander-js/extra-typings';
import { defineCommand } from '../lib/command/definition.js';
import type { Security } from '../lib/console/raw-connection.js';
import type { Context } from '../lib/context.js';
import { UsageError } from '../lib/errors.js';

export interface ConsoleOptions {
  /** Everything is typed by hand, after the TLS that is asked for; undefined where the console logs in. */
  raw: Security | undefined;
  isAnswering: boolean;
  isValidating: boolean;
  /** In a pipe: end after so many stanzas, or so long after the input. */
  count: number | undefined;
  waitMs: number | undefined;
}

export const command = defineCommand({
  path: 'console',
  summary: 'type stanzas and watch the stream; in a pipe: stanzas in, stanzas out',
  description: [
    'Logs in and lets you type stanzas. What is typed is sent when its element is closed, over as many lines as it takes, after a look at whether it is well-formed and can be sent; with ! before it, it is sent as it is. Both directions are shown with times, and answers with their round trip. Tab completes elements, namespaces, addresses and commands; /help lists these. An iq without an id is given one.',
    'Pings, requests of others and questions for acknowledgements are answered by themselves (--no-answer, /answer off). What is typed is remembered in a file that only you can read, except what may hold a secret.',
    'In a pipe, or with --json, stanzas are read from stdin, however they are spread over lines, and what comes in is printed, a stanza a line. When the input ends, the answers that are due are waited for.',
    '--raw stops before the stream is opened: what you type is sent as it is, line by line, and every byte that comes is shown, on a terminal with its control characters made visible. The server is found and its certificate verified as everywhere; TLS is made by STARTTLS, by direct TLS, or by hand: with --plain, type <starttls/> and then /starttls. A WebSocket is taken from --service wss://…',
  ].join('\n\n'),
  examples: [
    { does: 'look around on a server', line: 'xmppctl console' },
    {
      does: 'three requests, and the names of what was answered',
      line: 'cat requests.xml | xmppctl console --json | jq -r \'.name + " " + .type\'',
    },
    {
      does: 'log in by hand on a connection with TLS from the first byte',
      line: 'xmppctl console --raw --direct-tls',
    },
  ],
  sections: [
    {
      title: 'SNIPPETS',
      text: 'A file NAME.xml in the folder snippets beside the configuration is a stanza that /snippet NAME puts on the line. In it {id} becomes a new id, {me}, {bare} and {domain} the own addresses; {to}, {node}, {nick} and {text} take what is typed behind the name, in their order, and {to} is the domain when nothing is.',
    },
    {
      title: 'JSON OUTPUT',
      text: 'A line for each stanza that comes in: time, name, type, id, from, rttMs for an answer, and xml. With --raw it is time and text, for each piece that is read.',
    },
  ],
  exitCodes: {
    2: 'a stanza on stdin is not well-formed or cannot be sent; those before it were sent',
    3: 'the server cannot be reached, or the connection was lost',
    5: 'in a pipe: an iq was answered with an error',
    6: 'in a pipe: an answer did not come in time',
  },
  completes: { '--count': 'none', '--wait': 'none' },
  needs: 'connection',
  build: (command) =>
    command
      .option('-r, --raw', 'before authentication: everything is typed by hand')
      .addOption(new Option('--starttls', 'with --raw: TLS by STARTTLS').conflicts(['directTls', 'plain']))
      .addOption(new Option('--direct-tls', 'with --raw: TLS from the first byte').conflicts('plain'))
      .option('--plain', 'with --raw: no TLS')
      .option('--no-answer', 'leave requests of others unanswered')
      .option('--no-validate', 'send everything as it is')
      .option('-c, --count <n>', 'in a pipe: end after n stanzas that came in')
      .option('-w, --wait <seconds>', 'in a pipe: print what comes in for so long after the input'),
  parse: (_args, flags): ConsoleOptions => {
    const security: Security =
      flags.starttls === true
        ? 'starttls'
        : flags.directTls === true
          ? 'direct'
          : flags.plain === true
            ? 'plain'
            : 'found';
    if (flags.raw !== true && security !== 'found')
      throw new UsageError('--starttls, --direct-tls and --plain go with --raw', {
        hint: 'a console that logs in takes TLS where the server offers it',
      });
    if (flags.raw === true && (!flags.answer || !flags.validate))
      throw new UsageError('with --raw nothing is answered or checked anyway');
    return {
      raw: flags.raw === true ? security : undefined,
      isAnswering: flags.answer,
      isValidating: flags.validate,
      count: flags.count === undefined ? undefined : positive('--count', flags.count),
      waitMs: flags.wait === undefined ? undefined : positive('--wait', flags.wait) * 1000,
    };
  },
  run: runConsole,
});

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value))
    throw new UsageError(`${name} takes a number above 0, not ${text}`);
  return value;
}

/** @throws XmppctlError */
export async function runConsole(options: ConsoleOptions, context: Context): Promise<void> {
  const { output, stdin } = context;
  const isInteractive = stdin.isTTY === true && output.isTerminal && !output.isJson;
  if (isInteractive) {
    if (options.count !== undefined || options.waitMs !== undefined)
      throw new UsageError('--count and --wait are for a console in a pipe');
    const { runInteractiveConsole } = await import('./console/terminal.js');
    await runInteractiveConsole(options, context);
    return;
  }
  if (options.raw === undefined) {
    const { runPipedConsole } = await import('./console/pipe.js');
    await runPipedConsole(options, context);
  } else {
    const { runRawPipe } = await import('./console/raw-pipe.js');
    await runRawPipe(options, options.raw, context);
  }
}
