import { randomUUID } from 'node:crypto';
import { defineCommand } from '../lib/command/definition.js';
import type { Context } from '../lib/context.js';
import { UsageError } from '../lib/errors.js';
import { readLines, readText, withoutFinalNewline } from '../lib/input/stdin.js';
import type { JID } from '../lib/jid/jid.js';
import { parseAddress } from '../lib/jid/xmpp-uri.js';
import {
  acknowledgedOf,
  reportOf,
  throwProblems,
  waitConfirmed,
  waitSettled,
} from '../lib/messaging/delivery-report.js';
import { DeliveryWatch, type Confirmation } from '../lib/messaging/delivery.js';
import { sendMessage } from '../lib/messaging/send-message.js';
import type { Occupancy } from '../lib/muc/room.js';
import type { Session } from '../lib/session/session.js';
import { findForbiddenCharacter } from '../lib/xml/characters.js';

const messageTypes = ['chat', 'normal', 'headline'] as const;

export interface SendOptions {
  to: JID[];
  /** Undefined: from stdin. */
  text: string | undefined;
  perLine: boolean;
  type: (typeof messageTypes)[number] | 'groupchat';
  subject: string | undefined;
  thread: string | undefined;
  lang: string | undefined;
  wantsReceipt: boolean;
  /** The rest is for rooms. */
  nick: string | undefined;
  roomPasswordFile: string | undefined;
  create: boolean;
}

const maxTextBytes = 4 * 1024 * 1024;

export const command = defineCommand({
  path: 'send',
  summary: 'send a message',
  description: [
    'Sends a message and ends when the server has acknowledged it. The text is the argument, or what is read from stdin, without one final newline. Nothing is printed when all went well.',
    'A message that the server or the recipient refuses is an error (exit code 5). Refusals by the own server are always seen; those of another server only when they are back before the own server has answered a ping.',
    'With --per-line each line of stdin becomes a message as soon as it is read, so that a log can be piped in; empty lines are skipped. If the connection is lost for good, it says how many messages were acknowledged.',
    'With --groupchat the recipients are rooms: each is entered, given the message, and left when the message has come back from it. Passwords of rooms come from XMPPCTL_ROOM_PASSWORD or a file.',
    'Addresses may be written as xmpp: URIs; what follows a question mark is ignored.',
  ].join('\n\n'),
  examples: [
    { does: 'send a line', line: 'xmppctl send bob@example.org "the backup is done"' },
    {
      does: 'send the output of a program to two people',
      line: 'df -h | xmppctl send bob@example.org --to carol@example.org',
    },
    {
      does: 'a message for every line of a log',
      line: 'tail -f app.log | xmppctl send ops@example.org --per-line',
    },
    {
      does: 'speak in a room',
      line: 'xmppctl send --groupchat team@chat.example.org "deployed" --nick robot',
    },
    {
      does: 'be sure that it arrived',
      line: 'xmppctl send bob@example.org "wake up" --receipt --timeout 60',
    },
  ],
  exitCodes: {
    2: 'an address that is none, no text, or a character that XML cannot carry: nothing was sent, with --per-line nothing from the line on that is named',
    5: 'a message was refused, or a room could not be entered',
    6: 'with --receipt: not everybody confirmed in time',
  },
  completes: {
    jid: 'jid',
    '--to': 'jid',
    '--type': messageTypes,
    '--room-password-file': 'file',
    text: 'none',
    '--subject': 'none',
    '--thread': 'none',
    '--lang': 'none',
    '--nick': 'none',
  },
  build: (command) =>
    command
      .argument('<jid>', 'the recipient; a room with --groupchat')
      .argument('[text]', 'the text; from stdin when left out or -')
      .option(
        '--to <jid>',
        'a further recipient (repeatable)',
        (value: string, list: string[]) => [...list, value],
        [],
      )
      .option('-s, --subject <text>', 'a subject')
      .option('--per-line', 'a message for each line of stdin')
      .option('--receipt', 'wait until the recipients confirm that it arrived (XEP-0184)')
      .option('--type <type>', 'chat, normal or headline', 'chat')
      .option('--thread <id>', 'the conversation it belongs to')
      .option('--lang <tag>', 'the language of the text, for example de')
      .option('--groupchat', 'the recipients are rooms (XEP-0045)')
      .option('--nick <name>', 'the nickname in the rooms; the own name when left out')
      .option('--room-password-file <file>', 'the password of the rooms is the first line of this file')
      .option('--create', 'make a room that does not exist'),
  parse: ([jid, text], flags): SendOptions => {
    const type = messageTypes.find((known) => known === flags.type);
    if (!type) throw new UsageError(`--type takes ${messageTypes.join(', ')}, not ${flags.type}`);
    const isPerLine = flags.perLine === true;
    const isGroupchat = flags.groupchat === true;
    if (isPerLine && text !== undefined && text !== '-') {
      throw new UsageError('--per-line reads the lines from stdin, so there can be no text beside it');
    }
    if (isGroupchat && flags.receipt === true) {
      throw new UsageError('there are no receipts in a room', {
        hint: 'the room itself confirms: leave out --receipt',
      });
    }
    if (isGroupchat && flags.type !== 'chat')
      throw new UsageError('--groupchat and --type exclude each other');
    if (!isGroupchat && (flags.nick ?? flags.roomPasswordFile ?? flags.create) !== undefined) {
      throw new UsageError('--nick, --room-password-file and --create are for --groupchat');
    }
    for (const [name, value] of Object.entries({
      subject: flags.subject,
      thread: flags.thread,
      lang: flags.lang,
    })) {
      if (value !== undefined) checkCharacters(value, `the ${name}`);
    }
    const fromArgument = text === '-' ? undefined : text;
    if (fromArgument !== undefined) checkText(fromArgument, flags.subject);
    return {
      to: distinct([jid, ...flags.to].map(parseAddress)),
      text: fromArgument,
      perLine: isPerLine,
      type: isGroupchat ? 'groupchat' : type,
      subject: flags.subject,
      thread: flags.thread,
      lang: flags.lang,
      wantsReceipt: flags.receipt === true,
      nick: flags.nick,
      roomPasswordFile: flags.roomPasswordFile,
      create: flags.create === true,
    };
  },
  run: runSend,
});

/** @throws UsageError what XML cannot carry would only come to light when half of it is sent */
function checkCharacters(text: string, what: string): void {
  const found = findForbiddenCharacter(text);
  if (!found) return;
  throw new UsageError(
    `${what} contains ${found.codePoint}, character ${found.index + 1}, which XML cannot carry`,
    {
      details: { ...found },
    },
  );
}

function checkText(text: string, subject: string | undefined): void {
  if (text === '' && subject === undefined) throw new UsageError('there is no text to send');
  checkCharacters(text, 'the text');
}

function distinct(addresses: readonly JID[]): JID[] {
  return [...new Map(addresses.map((address) => [address.toString(), address])).values()];
}

export async function runSend(options: SendOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  const { perLine, subject } = options;
  if (options.text === undefined && context.stdin.isTTY) {
    output.note('reading the text from the terminal; end with Ctrl-D');
  }
  let text = options.text;
  if (text === undefined && !perLine) {
    text = withoutFinalNewline(await readText(context.stdin, { signal, limit: maxTextBytes }));
    checkText(text, subject);
  }
  const roomPassword = options.type === 'groupchat' ? await roomPasswordOf(options, context) : undefined;

  // A pipe may go on for days: then the stream is resumed when it is cut.
  await using session = await context.connect({ resume: perLine });
  const confirmation = confirmationFor(options);
  using watch = new DeliveryWatch(session, options.to, confirmation, randomUUID());
  const rooms = await enterRooms(session, options, roomPassword, signal);
  try {
    if (text !== undefined) await sendToAll(session, watch, options, text, signal);
    else await sendLines(session, watch, options, context);
    await waitSettled(session, signal);
    output.detail(`the server has taken over ${watch.sent} ${watch.sent === 1 ? 'message' : 'messages'}`);
    if (confirmation !== 'none') await waitConfirmed(session, watch, signal);
  } catch (error) {
    // Whoever mends the input has to know from where to go on.
    if (error instanceof UsageError) await waitSettled(session, signal).catch(() => undefined);
    if (watch.sent > (perLine ? 0 : 1)) {
      const what = watch.sent === 1 ? 'message was' : 'messages were';
      output.warn(`${acknowledgedOf(watch, session)} of ${watch.sent} ${what} acknowledged`);
    }
    throw error;
  }
  await leaveRooms(session, rooms, signal);
  await output.result(reportOf(watch, session, confirmation), () => '');
  throwProblems(watch, confirmation, session.timeoutMs);
}

function confirmationFor({ type, wantsReceipt }: SendOptions): Confirmation {
  if (type === 'groupchat') return 'reflection';
  return wantsReceipt ? 'receipt' : 'none';
}

async function roomPasswordOf({ roomPasswordFile }: SendOptions, { env }: Context) {
  const { roomPasswordFrom } = await import('../lib/muc/room-password.js');
  return roomPasswordFrom(roomPasswordFile, env);
}

async function enterRooms(
  session: Session,
  { type, to, nick, create }: SendOptions,
  password: string | undefined,
  signal: AbortSignal,
): Promise<Occupancy[]> {
  if (type !== 'groupchat') return [];
  const { joinRoom } = await import('../lib/muc/room.js');
  const ownName = session.jid.local ?? session.jid.domain;
  return Promise.all(
    to.map((room) =>
      joinRoom(
        session,
        { room: room.bare, nick: nick ?? ownName, password, create, mayRename: nick === undefined },
        { signal },
      ),
    ),
  );
}

async function leaveRooms(session: Session, rooms: readonly Occupancy[], signal: AbortSignal): Promise<void> {
  if (rooms.length === 0) return;
  const { leaveRoom } = await import('../lib/muc/room.js');
  await Promise.all(rooms.map((room) => leaveRoom(session, room, { signal })));
}

async function sendToAll(
  session: Session,
  watch: DeliveryWatch,
  { type, subject, thread, lang, wantsReceipt }: SendOptions,
  body: string,
  signal: AbortSignal,
): Promise<void> {
  for (const recipient of watch.recipients) {
    const to = type === 'groupchat' ? recipient.to.bare : recipient.to;
    const id = watch.nextId(recipient);
    await sendMessage(
      session,
      { to, id, type, body: body === '' ? undefined : body, subject, thread, lang, wantsReceipt },
      { signal },
    );
  }
}

async function sendLines(
  session: Session,
  watch: DeliveryWatch,
  options: SendOptions,
  { stdin, signal }: Context,
): Promise<void> {
  let number = 0;
  for await (const line of readLines(stdin, { signal, limit: maxTextBytes })) {
    number += 1;
    if (line === '') continue;
    checkCharacters(line, `line ${number}`);
    await sendToAll(session, watch, options, line, signal);
  }
}
