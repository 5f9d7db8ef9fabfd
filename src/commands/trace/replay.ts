import { Option } from '@commander-js/extra-typings';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError, UsageError } from '../../lib/errors.js';
import { parseAddressPair, type AddressPair } from '../../lib/trace-replay/addresses.js';
import type { Departure, ReplayEvent, ReplaySummary } from '../../lib/trace-replay/events.js';
import type { Conversation, Line } from '../../lib/trace-replay/conversation.js';
import { isLoopbackAddress } from '../../lib/trace-proxy/server-leg.js';
import { parseSelector, type Selector } from '../../lib/trace/selector.js';
import { parseListen } from './proxy-addresses.js';
import { arrow, renderChanges, singleLine } from './render-changes.js';
import { chooseConversation, parseConnection, parsePoint, parseSpeed, type Point } from './replay-flags.js';
import { nameOf, readRecords } from './trace-input.js';

export interface ReplayOptions {
  file: string;
  /** Where the server is whose client is played; undefined where the server is played. */
  to: string | undefined;
  listen: { host: string; port: number };
  domain: string | undefined;
  isPlain: boolean;
  /** Clients may log in with SCRAM, which takes the password of the account. */
  isScram: boolean;
  /** Undefined: without pauses. */
  speed: number | undefined;
  from: Point | undefined;
  until: Point | undefined;
  connection: number | undefined;
  pairs: AddressPair[];
  only: Selector | undefined;
}

const collect = (value: string, list: AddressPair[]): AddressPair[] => [...list, parseAddressPair(value)];

export const command = defineCommand({
  path: 'trace replay',
  summary: 'play one side of a recording to the other, live, and say where it departs from it',
  description: [
    'Plays the client of a recording to a server (--to), or its server to a client (--as server), and compares what comes back. Recordings of --trace and of xmppctl trace proxy will do, also those whose secrets were taken out.',
    'To a server the chosen account logs in by itself; what is played is what came after the resource was bound. A client that comes to --as server is given TLS with a certificate of the authority that xmppctl trace proxy uses, and logs in with PLAIN and any password, or with ANONYMOUS. With --scram it may log in with SCRAM-SHA-1, -256 and -512 as well, for which both sides have to know its password: that of the chosen account. SASL2 with Bind 2 is there when the recorded client used it. A component is served and played too (XEP-0114); a stream between servers is not.',
    'What was said after an answer is said after the answer here, too; the pauses are those of the recording unless --speed or --no-wait say otherwise. The own address, resource and domain are replaced by those of the live stream, and so is whatever the other side names anew: ids, resources, tokens, addresses of uploads. Stream management counts what really comes. A stanza that a secret was taken out of is not sent to a server.',
    'Compared is as xmppctl trace diff compares: without ids, times, nonces and resources, and without the order among stanzas that do not answer each other. A departure is a stanza that is missing, additional or different, one that the server does not offer the feature for, and an end that comes too early.',
  ].join('\n\n'),
  examples: [
    {
      does: 'record a client once, and see whether another server treats it the same',
      line: 'xmppctl trace replay client.trace --to other.example --map rooms.example.org=muc.other.example',
    },
    {
      does: 'let a client talk to the recording of a server, as fast as it can',
      line: 'xmppctl trace replay client.trace --as server --listen 127.0.0.1:5222 --no-wait',
    },
    {
      does: 'where the first departure is, for a script',
      line: 'xmppctl trace replay a.trace --to example.org --json | jq -s \'map(select(.event == "departure"))[0]\'',
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line, with event. listening: address, port, domain and ca (--as server); connected: jid. sent, received and skipped: n (the number of the record), dir (out is from the client), what, for skipped the reason, and isLate for what came after it had been given up. beyond: dir and what, for the answer to something that the recording ends too early to have an answer to. departure: kind is missing (n, dir, what), different (also changes with path, a: as recorded and b: as it came, and xml), additional (dir, what, xml), unsupported (n, dir, what, reason) or ended (reason, and left: how many stanzas were). end: how many were sent, received and skipped, the departures, and the first of them.',
    },
  ],
  exitCodes: {
    0: 'the conversation went as it was recorded',
    1: 'it departed from the recording',
    2: 'the file is no trace, or has nothing that can be replayed',
    3: 'the server cannot be reached, or the address cannot be listened on',
    7: 'the file cannot be read, or a line of it is damaged',
  },
  completes: { file: 'file', '--as': ['server'] },
  needs: 'connection',
  build: (command) =>
    command
      .argument('<file>', 'a trace; - reads stdin')
      .option('--to <server>', "the account's domain, or where its server is: host:port or a URL")
      .addOption(
        new Option('--as <side>', 'play the server, for a client that connects')
          .choices(['server'])
          .conflicts('to'),
      )
      .option('--listen <address>', 'where clients connect to; port 0 takes a free one', '127.0.0.1:5222')
      .addOption(
        new Option(
          '--domain <domain>',
          'the domain of the certificate, when it is not the recorded one',
        ).conflicts('to'),
      )
      .addOption(new Option('--plain', 'clients without TLS; on a loopback address only').conflicts('to'))
      .addOption(
        new Option(
          '--scram',
          "clients may log in with SCRAM, too, which takes their password: the account's",
        ).conflicts('to'),
      )
      .option('--speed <factor>', 'so many times as fast as it was recorded')
      .addOption(new Option('--no-wait', 'leave the pauses out').conflicts('speed'))
      .option('--from <point>', 'begin at a record, a time, or so long after the start (1.5s)')
      .option('--until <point>', 'end before it')
      .option('--connection <number>', 'which connection of the recording')
      .addOption(
        new Option('--map <old=new>', 'replace an address or a domain (repeatable)')
          .argParser(collect)
          .default([] as AddressPair[]),
      )
      .option('--only <selector>', 'send only the stanzas that this selects; only replies are compared then'),
  parse: ([file], flags): ReplayOptions => {
    if (flags.to === undefined && flags.as === undefined)
      throw new UsageError('say which side is played', {
        hint: '--to SERVER plays the client, --as server the server',
      });
    const listen = parseListen(flags.listen);
    if (flags.plain === true && !isLoopbackAddress(listen.host))
      throw new UsageError(
        `clients without TLS are served on a loopback address only, not on ${listen.host}`,
      );
    if (flags.only !== undefined && flags.to === undefined)
      throw new UsageError('--only chooses stanzas of the client, and with --as server it says them itself');
    const point = (option: 'from' | 'until'): Point | undefined =>
      flags[option] === undefined ? undefined : parsePoint(`--${option}`, flags[option]);
    return {
      file,
      to: flags.to,
      listen,
      domain: flags.domain,
      isPlain: flags.plain === true,
      isScram: flags.scram === true,
      speed: parseSpeed(flags.speed, flags.wait),
      from: point('from'),
      until: point('until'),
      connection: parseConnection(flags.connection),
      pairs: flags.map,
      only: flags.only === undefined ? undefined : parseSelector(flags.only),
    };
  },
  run: runReplay,
});

/** @throws NegativeError it departed @throws UsageError @throws FileError @throws ConnectError */
export async function runReplay(options: ReplayOptions, context: Context): Promise<void> {
  const { output } = context;
  const { conversation, startedMs } = await load(options, context);
  const report = new Report(context);
  const isMeant = (line: Line): boolean =>
    options.from?.(line, startedMs) !== true && options.until?.(line, startedMs) !== false;
  const shared = {
    conversation,
    pairs: options.pairs,
    isMeant,
    speed: options.speed,
    report: (event: ReplayEvent) => report.take(event),
    now: () => performance.now(),
    signal: context.signal,
  };
  const { playToServer, playAsServer } = await import('./replay-sides.js');
  const summary =
    options.to === undefined
      ? await playAsServer(options, shared, context)
      : await playToServer(options.to, options.only, shared, context);
  if (output.isJson) await output.item({ event: 'end', ...summary }, () => '');
  await report.finish();
  conclude(summary, context);
}

function conclude({ sent, received, departures, first }: ReplaySummary, { output }: Context): void {
  if (departures > 0)
    throw new NegativeError(
      `the conversation departs from the recording in ${departures} ${departures === 1 ? 'place' : 'places'}${placeOf(first)}`,
      { details: { count: departures } },
    );
  output.note(`as recorded: ${count(sent, 'stanza')} sent, ${count(received, 'stanza')} received`);
}

function placeOf(first: Departure | undefined): string {
  return first !== undefined && 'n' in first ? `, first at record ${first.n}` : '';
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

async function load(
  { file, connection }: ReplayOptions,
  context: Context,
): Promise<{ conversation: Conversation; startedMs: number }> {
  const { ConversationLoader } = await import('../../lib/trace-replay/conversation.js');
  const loader = new ConversationLoader();
  let startedMs = 0;
  for await (const batch of readRecords(file, context)) {
    for (const record of batch) if (record.kind === 'header') startedMs = Date.parse(record.started);
    loader.push(batch);
  }
  const conversation = chooseConversation(loader.end(), connection, nameOf(file));
  const { broken, isResumed } = conversation;
  const warn = (what: string): void => context.output.warn(`${nameOf(file)}: ${what}`);
  if (loader.hasGap) warn('records are missing in it; what they held is not replayed');
  if (broken.length > 0)
    warn(`not replayed, because it is cut off or nested too deeply: ${recordsOf(broken)}`);
  if (isResumed) warn('an older stream goes on in it; it is replayed on a new one');
  return { conversation, startedMs };
}

function recordsOf(numbers: readonly number[]): string {
  const shown = numbers.slice(0, 5).join(', ');
  return `${numbers.length === 1 ? 'record' : 'records'} ${shown}${numbers.length > 5 ? ', …' : ''}`;
}

/** Tells departures, and with --json or --verbose everything. */
class Report {
  readonly #context: Context;
  #printed: Promise<void> = Promise.resolve();
  #failure: { error: unknown } | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  take(event: ReplayEvent): void {
    const { output } = this.#context;
    if (!output.isJson && event.event !== 'departure') {
      this.#tell(event);
      return;
    }
    this.#printed = this.#printed
      .then(() => output.item(event, () => (event.event === 'departure' ? this.#render(event) : '')))
      .catch((error: unknown) => {
        this.#failure ??= { error };
      });
  }

  #tell(event: Exclude<ReplayEvent, Departure>): void {
    const { output } = this.#context;
    const line = `${arrow(event.dir)} ${singleLine(event.what)}`;
    if (event.event === 'beyond') output.detail(`not recorded${line}: the recording ends before it`);
    else if (event.event === 'skipped')
      output.note(`left out: record ${event.n}${line}: ${singleLine(event.reason)}`);
    else {
      const isLate = event.event === 'received' && event.isLate === true;
      output.detail(`record ${event.n}${line}${isLate ? ' (late)' : ''}`);
    }
  }

  /** Resolves when all of it is out. */
  async finish(): Promise<void> {
    await this.#printed;
    if (this.#failure) throw this.#failure.error;
    await this.#context.output.flush();
  }

  #render(departure: Departure): string {
    const { style } = this.#context.output;
    switch (departure.kind) {
      case 'missing':
        return style.bad(`- record ${departure.n}${arrow(departure.dir)}: ${singleLine(departure.what)}`);
      case 'additional':
        return style.good(`+ not recorded${arrow(departure.dir)}: ${singleLine(departure.what)}`);
      case 'different':
        return [
          `${style.warning('~')} record ${departure.n}${arrow(departure.dir)}: ${singleLine(departure.what)}`,
          ...renderChanges(departure.changes, style),
        ].join('\n');
      case 'unsupported':
        return style.bad(
          `! record ${departure.n}${arrow(departure.dir)}: ${singleLine(departure.what)}: ${singleLine(departure.reason)}`,
        );
      case 'ended':
        return style.bad(
          `! the end: ${singleLine(departure.reason)}; ${count(departure.left, 'stanza')} of the recording left`,
        );
    }
  }
}
