import { defineCommand } from '../lib/command/definition.js';
import type { Context } from '../lib/context.js';
import { UsageError } from '../lib/errors.js';
import { parseDuration, parseMoment, parseTime } from '../lib/input/moment.js';
import type { JID } from '../lib/jid/jid.js';
import { parseAddress } from '../lib/jid/xmpp-uri.js';
import type { FeedOptions } from '../lib/messaging/feed.js';
import { hasContent, type Message, type MessageType } from '../lib/messaging/message.js';
import { messageFilter } from '../lib/messaging/message-filter.js';
import { textOf } from '../lib/messaging/render-message.js';
import type { Output } from '../lib/output/output.js';
import { safeText } from '../lib/output/safe-text.js';
import type { Session } from '../lib/session/session.js';

const messageTypes: readonly MessageType[] = ['chat', 'error', 'groupchat', 'headline', 'normal'];

export interface ListenOptions {
  from: JID[];
  rooms: JID[];
  types: MessageType[];
  isEverythingWanted: boolean;
  count: number | undefined;
  until: Date | undefined;
  since: { after: string } | { start: Date } | undefined;
  markFile: string | undefined;
  carbons: boolean;
  receipts: boolean;
  priority: number | undefined;
  nick: string | undefined;
  roomPasswordFile: string | undefined;
  create: boolean;
}

const collect = (value: string, list: string[]): string[] => [...list, value];

export const command = defineCommand({
  path: 'listen',
  summary: 'print messages as they come in',
  description: [
    'Becomes available and prints each message that comes in, until it is interrupted, --count messages were printed, or the time of --until has come. It reconnects when the connection is lost, and then fetches what was missed.',
    'A message is printed when it has something to read: a text, a subject, a link, or something encrypted; --all prints the others, too: receipts, typing notices, reactions. --from and --room choose; with both, a message of either is printed.',
    'Without --json a message is one line with three columns separated by tabs: the time (UTC), the sender, and the text, in which a newline is shown as ␊. On a terminal the line is made for reading instead. With --json each message is an object on a line; see FIELDS.',
    '--since starts with what the archive of the account has: since a time, a duration ago, or after the message with an archive id (stanzaId). With --room it is the archive of the room. --mark keeps that id in a file: the next run goes on where this one ended, and the first one starts now. A message may be printed twice if the program is killed, never lost.',
  ].join('\n\n'),
  sections: [
    {
      title: 'FIELDS',
      text: [
        'Always there: time (ISO 8601, UTC), type (chat, error, groupchat, headline or normal), from.',
        'When the message has it: to, id, body, bodies (by language, when there are several), subject, thread, lang, stanzaId (its id in the archive), originId, attachments (url, description), replaces (the id of the message it corrects), replyTo, reactions, chatState, wantsReceipt, receiptFor, encryption (a namespace), fallbackFor, error (condition, type, text).',
        'isDelayed: it was kept on the way. isArchived: it comes from the archive. carbon: it is a copy of what another of the own clients received or sent.',
      ].join('\n\n'),
    },
  ],
  examples: [
    { does: 'print everything that comes in', line: 'xmppctl listen' },
    {
      does: 'run a program for every message of one sender',
      line: 'xmppctl listen --from boss@example.org --json | while read -r m; do notify-send "$(jq -r .body <<<"$m")"; done',
    },
    { does: 'wait for one message, for 5 minutes at most', line: 'xmppctl listen --count 1 --until 5m' },
    {
      does: 'print what was said in a room in the last two hours',
      line: 'xmppctl listen --room team@chat.example.org --since 2h --until now',
    },
    {
      does: 'from cron: what has come since the last run',
      line: 'xmppctl listen --mark ~/.cache/seen --until now',
    },
  ],
  exitCodes: {
    0: '--count or --until was reached, or the reader of the output has gone',
    5: 'a room refused or put us out, or there is no archive',
    130: 'interrupted; what had been printed is complete',
  },
  completes: {
    '--from': 'jid',
    '--room': 'jid',
    '--type': messageTypes,
    '--mark': 'file',
    '--room-password-file': 'file',
    '--count': 'none',
    '--until': 'none',
    '--since': 'none',
    '--priority': 'none',
    '--nick': 'none',
  },
  build: (command) =>
    command
      .option(
        '--from <jid>',
        'only from this address, with any resource unless it has one (repeatable)',
        collect,
        [],
      )
      .option('--room <jid>', 'enter this room and print what is said in it (repeatable)', collect, [])
      .option('--type <type>', 'only messages of this type (repeatable)', collect, [])
      .option('--all', 'also messages with nothing to read: receipts, typing notices')
      .option('-c, --count <n>', 'end after n messages')
      .option('--until <when>', 'end at a time or after a duration: 5m, 2h, now')
      .option(
        '--since <when>',
        'start with the archive: a time, a duration (2h ago), or the archive id of a message',
      )
      .option('--mark <file>', 'go on after the message that this file names, and keep it up to date')
      .option('--carbons', 'also what other clients of the account receive and send (XEP-0280)')
      .option('--receipts', 'confirm what is printed, when the sender asks for it (XEP-0184)')
      .option('--priority <n>', 'the priority of this client, from -128 to 127')
      .option('--nick <name>', 'the nickname in the rooms; the own name when left out')
      .option('--room-password-file <file>', 'the password of the rooms is the first line of this file')
      .option('--create', 'make a room that does not exist'),
  parse: (_args, flags, { clock }): ListenOptions => {
    const now = clock.now();
    const rooms = flags.room.map((room) => parseAddress(room).bare);
    const from = flags.from.map(parseAddress);
    if (rooms.length === 0 && (flags.nick ?? flags.roomPasswordFile ?? flags.create) !== undefined) {
      throw new UsageError('--nick, --room-password-file and --create are for --room');
    }
    const since = flags.since === undefined ? undefined : parseSince(flags.since, now);
    const archives = rooms.length + (from.length > 0 || rooms.length === 0 ? 1 : 0);
    if (archives > 1 && (flags.mark !== undefined || (since && 'after' in since))) {
      throw new UsageError('an archive id belongs to one archive: choose one room, or none');
    }
    return {
      from,
      rooms,
      types: flags.type.map(messageType),
      isEverythingWanted: flags.all === true,
      count: flags.count === undefined ? undefined : wholeNumber('--count', flags.count, 1, Infinity),
      until: flags.until === undefined ? undefined : parseMoment('--until', flags.until, now, 'ahead'),
      since,
      markFile: flags.mark,
      carbons: flags.carbons === true,
      receipts: flags.receipts === true,
      priority:
        flags.priority === undefined ? undefined : wholeNumber('--priority', flags.priority, -128, 127),
      nick: flags.nick,
      roomPasswordFile: flags.roomPasswordFile,
      create: flags.create === true,
    };
  },
  run: runListen,
});

function messageType(text: string): MessageType {
  const type = messageTypes.find((known) => known === text);
  if (!type) throw new UsageError(`--type takes ${messageTypes.join(', ')}, not ${text}`);
  return type;
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    const range =
      max === Infinity ? `a whole number of ${min} or more` : `a whole number from ${min} to ${max}`;
    throw new UsageError(`${name} takes ${range}, not ${text}`);
  }
  return value;
}

/** Whatever is neither a duration nor a time is an archive id. */
function parseSince(text: string, now: number): { after: string } | { start: Date } {
  const isMoment = parseDuration(text) !== undefined || parseTime(text, now) !== undefined;
  return isMoment ? { start: parseMoment('--since', text, now, 'ago') } : { after: text };
}

export async function runListen(options: ListenOptions, context: Context): Promise<void> {
  const { output, signal, clock } = context;
  const { count, until } = options;
  const [{ MessageFeed }, { MarkFile }, { roomPasswordFrom }] = await Promise.all([
    import('../lib/messaging/feed.js'),
    import('../lib/messaging/mark.js'),
    import('../lib/muc/room-password.js'),
  ]);
  const password = await roomPasswordFrom(options.roomPasswordFile, context.env);
  const mark = options.markFile === undefined ? undefined : new MarkFile(options.markFile, () => clock.now());
  const known = await mark?.load();
  const since = known !== undefined ? { after: known } : (options.since ?? (mark && 'end'));
  const isWanted = messageFilter(options);

  await using session = await context.connect({ resume: true });
  using _receipts = options.receipts ? session.advertise('urn:xmpp:receipts') : undefined;
  const feed = new MessageFeed(session, feedOptions(options, session, context, since, password));
  await feed.start();
  output.detail(`listening as ${session.jid.toString()}`);

  using deadline = deadlineAt(until, clock.now());
  let printed = 0;
  try {
    for await (const message of feed.messages(deadline.signal)) {
      if (!isWanted(message) || !(options.isEverythingWanted || hasContent(message))) continue;
      await output.item(message, (shown) => renderMessage(shown, output));
      // Nothing is confirmed, here or in the mark, that could still get lost.
      if (options.receipts || mark) await output.flush();
      if (options.receipts) await confirm(session, message);
      await mark?.move(feed.position);
      printed += 1;
      if (count !== undefined && printed >= count) break;
    }
    signal.throwIfAborted();
  } finally {
    await output.flush();
    await mark?.save(feed.position);
  }
}

function feedOptions(
  { rooms, from, nick, create, carbons, priority, until }: ListenOptions,
  session: Session,
  { output, signal, clock }: Context,
  since: FeedOptions['since'],
  password: string | undefined,
): FeedOptions {
  const ownName = session.jid.local ?? session.jid.domain;
  return {
    rooms: rooms.map((room) => ({
      room,
      nick: nick ?? ownName,
      mayRename: nick === undefined,
      password,
      create,
    })),
    isOwnWanted: from.length > 0 || rooms.length === 0,
    carbons,
    priority,
    since,
    until,
    signal,
    now: () => clock.now(),
    note: (text) => output.note(text),
    warn: (text) => output.warn(text),
  };
}

/** Aborts at a time; when that has passed already, at once: then only the archive is read. */
function deadlineAt(until: Date | undefined, nowMs: number): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const maxDelayMs = 2 ** 31 - 1;
  let timer: NodeJS.Timeout | undefined;
  const arm = (leftMs: number): void => {
    if (leftMs <= 0) {
      controller.abort();
      return;
    }
    const stepMs = Math.min(leftMs, maxDelayMs);
    timer = setTimeout(() => arm(leftMs - stepMs), stepMs);
  };
  if (until) arm(until.getTime() - nowMs);
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Only what was sent to us directly and live: a copy or the archive has been, or will be, confirmed by the one it was for. */
async function confirm(session: Session, message: Message): Promise<void> {
  const { wantsReceipt, from, id, type, carbon, isArchived } = message;
  if (!wantsReceipt || from === undefined || id === undefined || carbon || isArchived) return;
  if (type === 'groupchat' || type === 'error') return;
  const { sendReceipt } = await import('../lib/messaging/send-message.js');
  await sendReceipt(session, { from, id, type });
}

function renderMessage(message: Message, { isTerminal, style }: Output): string {
  const sender = safeText(message.from ?? '', { singleLine: true });
  if (!isTerminal) {
    const text = safeText(textOf(message), { singleLine: true }).replaceAll('\t', ' ');
    return `${message.time}\t${sender}\t${text}`;
  }
  const time = new Date(message.time).toTimeString().slice(0, 8);
  const arrow = message.carbon === 'sent' ? ` → ${safeText(message.to ?? '', { singleLine: true })}` : '';
  const text = safeText(textOf(message)).replaceAll('\n', '\n  ');
  return `${style.dim(time)} ${style.name(`${sender}${arrow}`)}: ${text}`;
}
