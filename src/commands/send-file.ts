import { defineCommand } from '../lib/command/definition.js';
import type { Context } from '../lib/context.js';
import { UsageError } from '../lib/errors.js';
import { chooseFiles, type FileArgument } from '../lib/file-transfer/sources/choose-files.js';
import type { ToldFacts } from '../lib/file-transfer/sources/path-source.js';
import type { SendToRecipientOptions } from '../lib/file-transfer/sending/send-to-recipient.js';
import { TransferDisplay } from '../lib/file-transfer/display/transfer-display.js';
import { parseDuration, parseTime } from '../lib/input/moment.js';
import type { JID } from '../lib/jid/jid.js';
import type { Session } from '../lib/session/session.js';
import { interruption } from '../lib/session/wait.js';
import { findForbiddenCharacter } from '../lib/xml/characters.js';
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
import { eventsText } from './transfer-texts.js';

export interface SendFileOptions {
  files: FileArgument[];
  to: JID[];
  told: ToldFacts;
  isRecursive: boolean;
  isWaiting: boolean;
  isStrict: boolean;
  acceptTimeoutMs: number;
  way: WayOptions;
}

/** Recipients at a time. */
const PARALLEL = 4;
/** To other clients of the account goes what is for the account: messages, and files of others. */
const PRIORITY = -1;

const collect = (value: string, list: string[]): string[] => [...list, value];

export const command = defineCommand({
  path: 'send-file',
  summary: 'send files',
  description: [
    'Sends files to one or more people and ends when they have them. The last arguments are the recipients, as long as they look like addresses and no file is called so; --to names them explicitly, and then every argument is a file. - sends what is read from stdin.',
    'A file goes straight from client to client where that is possible (SOCKS5), else through a proxy of the server, else inside the stream itself (in-band), and goes on at the byte where one of them broke. What the recipient has of an earlier attempt is not sent again. When the recipient is offline or has no client that takes files by Jingle, the file is uploaded to the server and a link is sent, unless --no-upload.',
    'A folder is sent as one tar stream, DIR.tar; with --recursive file by file, and xmppctl at the other end puts the files into folders of the same names, while other clients see only the names of the files. Symbolic links are never followed out of a folder: a tar stream keeps them as links, --recursive leaves them out with a warning.',
    'Of an address without a resource, the client that takes files and has the highest priority is chosen. Among equals, and when the presence of the recipient is not visible, all are asked (XEP-0353), and the first to agree has it. --wait waits until somebody is there.',
    'On a terminal a bar shows what the recipient has confirmed; the line for each file that has arrived says by which way, how fast, and whether it was verified. Elsewhere that line has columns separated by tabs: the name, the recipient, the size in bytes, the method (direct, proxy, in-band, upload), the certainty, the hash, and the path: an address and port, a server, or a URL.',
  ].join('\n\n'),
  sections: [
    {
      title: 'CERTAINTY',
      text: [
        'verified: the recipient has compared the hash and said so. The exit code is 0.',
        'unverified: the recipient has ended the transfer with success, but says nothing of a hash, as most other clients do. There is a warning, and the exit code is 0; with --strict it is 1.',
        'unconfirmed: everything was sent, and the recipient never said that it has it. The exit code is 6. An upload is unconfirmed by its nature, since nobody tells whether the link was followed: its exit code is 0.',
      ].join('\n\n'),
    },
    { title: 'EVENTS', text: eventsText('to') },
  ],
  examples: [
    { does: 'send a file', line: 'xmppctl send-file report.pdf bob@example.org' },
    {
      does: 'send a folder through a pipe',
      line: 'tar c photos | xmppctl send-file - bob@example.org --name photos.tar',
    },
    {
      does: 'send everything in a folder, to two people',
      line: 'xmppctl send-file --recursive photos bob@example.org carol@example.org',
    },
    {
      does: 'from cron: wait until the recipient is online',
      line: 'xmppctl send-file backup.tar.zst --to ops@example.org --wait --no-upload',
    },
    {
      does: 'upload, and send the link',
      line: 'xmppctl send-file screenshot.png bob@example.org --transport upload',
    },
  ],
  exitCodes: {
    0: 'everything has arrived, or was uploaded (see CERTAINTY)',
    1: 'it was declined; or some files or recipients failed, and others did not; or, with --strict, something could not be verified',
    2: 'an address that is none, or nobody to send to: nothing was sent',
    5: 'the recipient is offline or takes no files, and there is no upload',
    6: 'the recipient fell silent, or never confirmed',
    7: 'a file could not be read, or changed while it was sent',
  },
  completes: {
    'file-or-jid': 'file',
    '--to': 'jid',
    '--name': 'none',
    '--type': 'none',
    '--desc': 'none',
    '--date': 'none',
    '--answer-within': 'none',
    ...wayCompletes,
  },
  build: (command) =>
    command
      .argument('[file-or-jid...]', 'files, and then recipients; - is standard input')
      .option('--to <jid>', 'a recipient; every argument is a file then (repeatable)', collect, [])
      .option('-r, --recursive', 'folders file by file, instead of each as a tar stream')
      .option('--wait', 'wait until the recipient is online and takes files')
      .option('--name <name>', 'what the file is called at the other end')
      .option('--type <type>', 'its media type; guessed from its name when left out')
      .option('--desc <text>', 'a description')
      .option('--date <time>', 'its date, or none; that of its last change when left out')
      .option('--answer-within <time>', 'how long the recipient may take to say yes', '2m')
      .option('--strict', 'it is a failure when the recipient does not verify the file')
      .addOption(transportOption)
      .addOption(directOption)
      .addOption(proxyOption)
      .addOption(uploadOption)
      .addOption(addressOption)
      .addOption(portOption)
      .addOption(blockSizeOption),
  parse: async ([words], flags, { clock }): Promise<SendFileOptions> => {
    const acceptTimeoutMs = parseDuration(flags.answerWithin);
    if (acceptTimeoutMs === undefined)
      throw new UsageError(`--answer-within takes a duration such as 90s or 5m, not ${flags.answerWithin}`);
    for (const [name, value] of Object.entries({ name: flags.name, type: flags.type, desc: flags.desc }))
      if (value !== undefined) checkCharacters(`--${name}`, value);
    if (flags.type !== undefined && !/^[\w.+-]+\/[\w.+-]+(\s*;.*)?$/.test(flags.type))
      throw new UsageError(`--type takes a media type such as text/plain, not ${flags.type}`);
    const way = toWayOptions(flags);
    const isWaiting = flags.wait === true;
    if (isWaiting && way.transport === 'upload')
      throw new UsageError(
        '--wait and --transport upload exclude each other: an upload needs nobody to be online',
      );
    const { files, recipients } = await chooseFiles(words, flags.to);
    const readOnce = files.find(({ kind }) => kind === 'stdin' || kind === 'pipe');
    if (readOnce && recipients.length > 1)
      throw new UsageError('what is piped in can be read only once, so it can go to one recipient');
    if (files.filter(({ kind }) => kind === 'stdin').length > 1)
      throw new UsageError('- can be given only once');
    const isRecursive = flags.recursive === true;
    const hasMany = files.length > 1 || (isRecursive && files[0]?.kind === 'folder');
    if (flags.name !== undefined && hasMany) throw new UsageError('--name is for a single file');
    return {
      files,
      to: recipients,
      told: {
        name: flags.name,
        mediaType: flags.type,
        description: flags.desc,
        date: flags.date === undefined ? undefined : dateOf(flags.date, clock.now()),
      },
      isRecursive,
      isWaiting,
      isStrict: flags.strict === true,
      acceptTimeoutMs,
      way,
    };
  },
  run: runSendFile,
});

function checkCharacters(option: string, text: string): void {
  const found = findForbiddenCharacter(text);
  if (found) throw new UsageError(`${option} contains ${found.codePoint}, which XML cannot carry`);
}

function dateOf(text: string, nowMs: number): Date | 'none' {
  if (text === 'none') return 'none';
  const time = parseTime(text, nowMs);
  if (time) return time;
  throw new UsageError(`--date takes a time or none, not ${text}`, {
    hint: 'for example 2026-01-31T10:00:00Z',
  });
}

export async function runSendFile(options: SendFileOptions, context: Context): Promise<void> {
  const { output, signal, stdin } = context;
  const { files, to } = options;
  const [{ gatherSources }, { sendToRecipient }, { inTurn }] = await Promise.all([
    import('../lib/file-transfer/sources/gather-sources.js'),
    import('../lib/file-transfer/sending/send-to-recipient.js'),
    import('../lib/file-transfer/in-turn.js'),
  ]);
  if (files.some(({ kind }) => kind === 'stdin') && stdin.isTTY)
    output.note('reading from the terminal; end with Ctrl-D');
  const isFolderByFile = options.isRecursive && files[0]?.kind === 'folder';
  const display = new TransferDisplay({
    output,
    direction: 'to',
    isOnlyOne: files.length === 1 && to.length === 1 && !isFolderByFile,
  });
  await using session = await context.connect({ resume: true });
  await using ways = await prepare(session, options, context);
  const sources = () =>
    gatherSources(files, {
      told: options.told,
      stdin,
      isRecursive: options.isRecursive,
      warn: (message) => output.warn(message),
      fail: (error, file) => display.fail(error, file),
    });
  await inTurn(to, PARALLEL, async (recipient) => {
    try {
      for await (const event of sendToRecipient(recipient, sources, ways.options)) await display.show(event);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      await display.fail(error, recipient.toString());
    }
  });
  display.stop();
  if (signal.aborted) throw interruption(signal, 'sending');
  const problem = display.verdict(options.isStrict);
  if (problem) throw problem;
}

/** Everything that all recipients share; by the time it is there, the presence of those whom we see has come. */
async function prepare(
  session: Session,
  { to, way, isWaiting, acceptTimeoutMs }: SendFileOptions,
  context: Context,
): Promise<AsyncDisposable & { options: SendToRecipientOptions }> {
  const { output, signal } = context;
  const [{ PresenceWatch }, { fetchRoster }, { sendPresence, presenceSettled }, transports, sendByLink] =
    await Promise.all([
      import('../lib/roster/presence-watch.js'),
      import('../lib/roster/roster.js'),
      import('../lib/roster/send-presence.js'),
      jingleTransports(way),
      way.usesUploads ? linkSenderFor(session, context) : undefined,
    ]);
  const presence = new PresenceWatch(session);
  const isSeen = session.kind === 'client' && transports.length > 0;
  const mustLook = isSeen && (isWaiting || to.some((recipient) => recipient.isBare));
  const announce = async (): Promise<void> => {
    await sendPresence(session, { priority: PRIORITY });
    const domains = [...new Set(to.map(({ domain }) => domain))];
    await Promise.all(domains.map((domain) => presenceSettled(session, domain, { signal })));
  };
  const roster = mustLook ? await fetchRoster(session, { signal }) : new Map<string, never>();
  if (mustLook) await announce();
  const reconnected = session.on('reconnected', () => {
    if (mustLook) void announce().catch(() => undefined);
  });
  return {
    options: {
      session,
      presence,
      roster,
      transports,
      sendByLink,
      isWaiting,
      timeoutMs: session.timeoutMs,
      acceptTimeoutMs,
      signal,
      note: (fact) => output.detail(fact),
    },
    [Symbol.asyncDispose]: () => {
      reconnected[Symbol.dispose]();
      presence[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

async function linkSenderFor(session: Session, context: Context) {
  const [{ linkSender }, { tls }] = await Promise.all([
    import('../lib/file-transfer/sending/send-link.js'),
    context.connectOptions(),
  ]);
  return linkSender(session, { trust: tls ?? {}, timeoutMs: session.timeoutMs, signal: context.signal });
}
