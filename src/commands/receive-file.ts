import { defineCommand } from '../lib/command/definition.js';
import type { Context } from '../lib/context.js';
import { UsageError } from '../lib/errors.js';
import type { FileOffer } from '../lib/file-transfer/receiving/incoming-file.js';
import type { FileSink } from '../lib/file-transfer/transfer.js';
import { TransferDisplay } from '../lib/file-transfer/display/transfer-display.js';
import { parseSize } from '../lib/input/size.js';
import type { JID } from '../lib/jid/jid.js';
import { parseAddress } from '../lib/jid/xmpp-uri.js';
import type { Contact } from '../lib/roster/roster.js';
import type { Session } from '../lib/session/session.js';
import { interruption } from '../lib/session/wait.js';
import {
  addressOption,
  blockSizeOption,
  directOption,
  jingleTransports,
  portOption,
  proxyOption,
  toWayOptions,
  transportOption,
  uploadOption,
  wayCompletes,
  type WayOptions,
} from './transfer-flags.js';
import { Executions } from './transfer-executions.js';
import { eventsText } from './transfer-texts.js';

export interface ReceiveFileOptions {
  from: JID[];
  areContactsTaken: boolean;
  mayStrangersAsk: boolean;
  target: { kind: 'folder'; path: string } | { kind: 'file'; path: string } | { kind: 'stdout' };
  count: number | undefined;
  maxSizeBytes: number | undefined;
  exec: string | undefined;
  isStrict: boolean;
  isDurable: boolean;
  priority: number | undefined;
  way: WayOptions;
}

const collect = (value: string, list: string[]): string[] => [...list, value];

export const command = defineCommand({
  path: 'receive-file',
  summary: 'receive files',
  description: [
    'Becomes available and takes the files that are offered, until it is interrupted or has received as many as --count says. It reconnects when the connection is lost.',
    'Whose files are taken: those of the addresses behind --from, and with --contacts those of everybody in the contact list, without a question. On a terminal other contacts are asked about, and with --strangers everybody else, too; without a terminal they are refused. Those who are refused do not learn that somebody is here.',
    'A file is stored in the current folder, or that of --dir, as NAME.part until it is complete and right, and then under its name, which is made safe; a file that is there is never overwritten: the new one becomes NAME (1). What is left of a transfer that broke off is gone on with when the same sender offers the same file again, even after this program was killed.',
    '-o writes one file to the place it names, which must be free, or with -o - to standard output, and ends. Links in messages of the same senders are followed as well, unless --no-upload. Files that old clients offer by stream initiation (XEP-0096) are taken, too.',
    'Without a terminal each file that was received is a line with columns separated by tabs: the path, the sender, the size in bytes, the method (direct, proxy, in-band, upload), the certainty, the hash, and the path: an address and port, a server, or a URL.',
  ].join('\n\n'),
  sections: [
    {
      title: 'CERTAINTY',
      text: [
        'verified: the hash that the sender told is that of the file. A file with another hash is deleted, and the sender is told.',
        'unverified: the sender told no hash, so only the size could be compared. There is a warning, and the exit code is 0; with --strict it is 1.',
      ].join('\n\n'),
    },
    {
      title: 'RUNNING A PROGRAM',
      text: [
        '--exec runs a line with sh for each file that was received, one at a time. The path is "$1" and in XMPPCTL_FILE; XMPPCTL_FROM is the address of the sender, XMPPCTL_NAME what the sender calls the file, XMPPCTL_TYPE its media type, XMPPCTL_SIZE its size, XMPPCTL_CERTAINTY and XMPPCTL_METHOD as above, XMPPCTL_HASH its hash. Name, type and description are whatever the sender wrote: quote them.',
        'What the program prints goes to standard error. When it fails, there is a warning, and the exit code is 1 in the end.',
      ].join('\n\n'),
    },
    { title: 'EVENTS', text: eventsText('from') },
  ],
  examples: [
    {
      does: 'take files of one sender into a folder, for as long as it runs',
      line: 'xmppctl receive-file --from alice@example.org --dir ~/incoming',
    },
    {
      does: 'unpack what is sent by tar c … | xmppctl send-file - …',
      line: 'xmppctl receive-file --from alice@example.org -o - | tar x',
    },
    {
      does: 'take one file, and use it',
      line: 'file=$(xmppctl receive-file --from ci@example.org --once | cut -f 1)',
    },
    {
      does: 'print every photo that contacts send',
      line: `xmppctl receive-file --contacts --dir photos --max-size 20M --exec 'lp -- "$1"'`,
    },
    { does: 'at a terminal: be asked about each file', line: 'xmppctl receive-file' },
  ],
  exitCodes: {
    0: '--count files were received',
    1: 'a program of --exec failed; or, with --strict, something could not be verified; or some failed, and others did not',
    2: 'nobody is listed, and there is no terminal to ask at: nothing was taken',
    5: 'a file was not what its sender announced',
    7: 'a file could not be stored: no room, no permission',
  },
  completes: {
    '--from': 'jid',
    '--dir': 'directory',
    '--output': 'file',
    '--count': 'none',
    '--max-size': 'none',
    '--exec': 'none',
    '--priority': 'none',
    ...wayCompletes,
  },
  build: (command) =>
    command
      .option('--from <jid>', 'take files of this address without a question (repeatable)', collect, [])
      .option('--contacts', 'take files of everybody in the contact list without a question')
      .option('--strangers', 'on a terminal: ask about files of people who are not in the contact list, too')
      .option('-d, --dir <folder>', 'where files are stored; made when it is not there')
      .option('-o, --output <file>', 'take one file, under this name; - is standard output')
      .option('--once', 'end after one file')
      .option('-c, --count <n>', 'end after n files')
      .option('--max-size <size>', 'refuse larger files: 500k, 20M, 2G')
      .option('--exec <line>', 'run this with sh for each file; its path is "$1"')
      .option('--strict', 'it is a failure when a file cannot be verified')
      .option('--durable', 'wait for the disk: what is confirmed survives a crash of the machine')
      .option('--priority <n>', 'the priority of this client, from -128 to 127')
      .addOption(transportOption)
      .addOption(directOption)
      .addOption(proxyOption)
      .addOption(uploadOption)
      .addOption(addressOption)
      .addOption(portOption)
      .addOption(blockSizeOption),
  parse: (_args, flags, { prompt, global }): ReceiveFileOptions => {
    const from = flags.from.map(parseAddress);
    const areContactsTaken = flags.contacts === true;
    if (!prompt.isAvailable && flags.strangers === true)
      throw new UsageError('--strangers asks at a terminal, and there is none', {
        hint: 'name them with --from',
      });
    if (!prompt.isAvailable && from.length === 0 && !areContactsTaken)
      throw new UsageError('whose files shall be taken? Without a terminal nobody can be asked', {
        hint: '--from JID takes files of somebody, --contacts of everybody in the contact list',
      });
    if (flags.output !== undefined) checkOutput(flags, global.json === true);
    if (flags.once === true && flags.count !== undefined)
      throw new UsageError('--once and --count exclude each other');
    const maxSizeBytes = flags.maxSize === undefined ? undefined : parseSize(flags.maxSize);
    if (flags.maxSize !== undefined && maxSizeBytes === undefined)
      throw new UsageError(`--max-size takes a size such as 500k or 20M, not ${flags.maxSize}`);
    const isOne = flags.once === true || flags.output !== undefined;
    return {
      from,
      areContactsTaken,
      mayStrangersAsk: flags.strangers === true,
      target: targetOf(flags.output, flags.dir),
      count: isOne ? 1 : flags.count === undefined ? undefined : wholeNumber('--count', flags.count, 1),
      maxSizeBytes,
      exec: flags.exec,
      isStrict: flags.strict === true,
      isDurable: flags.durable === true,
      priority:
        flags.priority === undefined ? undefined : wholeNumber('--priority', flags.priority, -128, 127),
      way: toWayOptions(flags),
    };
  },
  run: runReceiveFile,
});

function checkOutput(
  flags: {
    output?: string | undefined;
    dir?: string | undefined;
    count?: string | undefined;
    exec?: string | undefined;
  },
  isJson: boolean,
): void {
  if (flags.dir !== undefined) throw new UsageError('--output and --dir exclude each other');
  if (flags.count !== undefined)
    throw new UsageError('--output is for one file, so there is nothing to count');
  if (flags.output !== '-') return;
  if (isJson) throw new UsageError('-o - and --json both want standard output');
  if (flags.exec !== undefined) throw new UsageError('-o - stores no file that --exec could be run for');
}

function targetOf(output: string | undefined, dir: string | undefined): ReceiveFileOptions['target'] {
  if (output === '-') return { kind: 'stdout' };
  return output === undefined ? { kind: 'folder', path: dir ?? '.' } : { kind: 'file', path: output };
}

function wholeNumber(name: string, text: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${name} takes a whole number of ${min} or more, not ${text}`);
}

export async function runReceiveFile(options: ReceiveFileOptions, context: Context): Promise<void> {
  const { output, signal, prompt } = context;
  const { target, way } = options;
  const [{ Admission }, { isFinal, receiveRun }, { openTarget, checkTarget }] = await Promise.all([
    import('../lib/file-transfer/receiving/admission.js'),
    import('../lib/file-transfer/receiving/receive-run.js'),
    import('../lib/file-transfer/storing/open-target.js'),
  ]);
  await checkTarget(target);
  const display = new TransferDisplay({
    output,
    direction: 'from',
    isStdoutTaken: target.kind === 'stdout',
    isOnlyOne: options.count === 1,
    // What broke off was gone on with, or the run would not have come to its end.
    counts: isFinal,
  });
  await using session = await context.connect({ resume: true });
  const roster = await rosterOf(session, context);
  const admission = new Admission({
    ...options,
    roster,
    ask: prompt.isAvailable ? (offer) => ask(offer, display, context) : undefined,
  });
  const opened = (offer: FileOffer): Promise<FileSink> =>
    openTarget(target, offer, { isDurable: options.isDurable, output });
  const executions = new Executions(options.exec, display, context);
  const events = receiveRun({
    session,
    admission,
    roster,
    transports: await jingleTransports(way),
    trust: way.usesUploads ? ((await context.connectOptions()).tls ?? {}) : undefined,
    count: options.count,
    maxSizeBytes: options.maxSizeBytes,
    priority: options.priority,
    open: opened,
    timeoutMs: session.timeoutMs,
    signal,
    note: (fact) => output.detail(fact),
  });
  output.detail(`waiting for files as ${session.jid.toString()}`);
  try {
    for await (const event of events) {
      executions.follow(event);
      if (event.kind === 'refused') await display.refused(event.id, event.reason);
      else await display.show(event);
    }
  } finally {
    display.stop();
  }
  await executions.settled();
  if (signal.aborted) throw interruption(signal, 'receiving');
  const problem = executions.problem ?? display.verdict(options.isStrict);
  if (problem) throw problem;
}

async function rosterOf(session: Session, { signal }: Context): Promise<ReadonlyMap<string, Contact>> {
  if (session.kind !== 'client') return new Map();
  const { fetchRoster } = await import('../lib/roster/roster.js');
  return fetchRoster(session, { signal });
}

/** The bar stands still meanwhile. */
async function ask(
  { peer, file }: FileOffer,
  display: TransferDisplay,
  { prompt }: Context,
): Promise<boolean> {
  const { formatBytes } = await import('../lib/output/format.js');
  using _pause = display.pause();
  const size = file.sizeBytes === undefined ? 'of unknown size' : formatBytes(file.sizeBytes);
  return await prompt.confirm(`${peer.toString()} offers ${file.name ?? 'a file'} (${size}). Take it?`, true);
}
