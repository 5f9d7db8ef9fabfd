/** What the commands that take part in calls have in common: what is sent, what becomes of what comes, and by which way. */
import { isIPv6 } from 'node:net';
import type { Command } from '@commander-js/extra-typings';
import type { Context } from '../lib/context.js';
import { UsageError } from '../lib/errors.js';
import { readPrivateFile } from '../lib/config/private-file.js';
import type { AudioSource, IceServer, MediaSink } from '../lib/media/media-link.js';

const collect = (value: string, list: string[]): string[] => [...list, value];

/** The options of every command that takes part in a call. */
export function addCallOptions(command: Command) {
  return command
    .option('--play <file>', 'send this: WAV or Ogg Opus; the call ends with it')
    .option('--loop', 'begin again when the file of --play or --video has ended')
    .option('--tone <hz>', 'send a tone')
    .option('--silence', 'send silence, which is what is sent when nothing is said')
    .option('--stdin', 'send PCM from standard input: s16le, 48 kHz, mono')
    .option('--capture <command>', 'send what this prints, in the same form; run with sh')
    .option('--video <file>', 'send pictures: VP8 in IVF or WebM')
    .option('--record <folder>', 'record: one file for each participant, and a mix')
    .option('--pcm-out <where>', 'the mix as PCM, in the same form; - is standard output')
    .option('--null', 'keep nothing, only count; what is done when nothing is said')
    .option('--duration <s>', 'end the call by itself after so many seconds')
    .option('--relay-only', 'through TURN servers only: no address of this machine is told')
    .option('--interface <name>', 'use this network interface, or address (repeatable)', collect, [])
    .option('--stun <host[:port]>', 'ask this STUN server (repeatable)', collect, [])
    .option(
      '--turn <[user@]host[:port]>',
      'a TURN server (repeatable); ?transport=tcp behind it for TCP',
      collect,
      [],
    )
    .option('--turn-password-file <file>', 'the password of --turn, in its first line')
    .option('--no-servers', 'do not ask the own server for STUN and TURN servers');
}

export const callCompletes = {
  '--play': 'file',
  '--tone': 'none',
  '--capture': 'none',
  '--video': 'file',
  '--record': 'directory',
  '--pcm-out': ['-'],
  '--duration': 'none',
  '--interface': 'none',
  '--stun': 'none',
  '--turn': 'none',
  '--turn-password-file': 'file',
} as const;

export interface CallFlags {
  play?: string | undefined;
  loop?: true | undefined;
  tone?: string | undefined;
  silence?: true | undefined;
  stdin?: true | undefined;
  capture?: string | undefined;
  video?: string | undefined;
  record?: string | undefined;
  pcmOut?: string | undefined;
  null?: true | undefined;
  duration?: string | undefined;
  relayOnly?: true | undefined;
  interface: string[];
  stun: string[];
  turn: string[];
  turnPasswordFile?: string | undefined;
  servers: boolean;
}

export interface CallOptions {
  source: Exclude<AudioSource, { kind: 'stdin' }> | { kind: 'stdin' };
  sink: { recordDirectory: string | undefined; isPcmOut: boolean };
  video: { path: string; loops: boolean } | undefined;
  durationMs: number | undefined;
  isRelayOnly: boolean;
  interfaces: string[];
  /** Passwords are still to be read. */
  servers: IceServer[];
  turnPasswordFile: string | undefined;
  /** Whether the own server is asked, too. */
  asksServer: boolean;
}

/** @throws UsageError */
export function toCallOptions(flags: CallFlags, isJson: boolean): CallOptions {
  const { play, loop, video, record, pcmOut } = flags;
  if (loop === true && play === undefined && video === undefined)
    throw new UsageError('--loop is for --play and --video');
  if (pcmOut !== undefined && pcmOut !== '-')
    throw new UsageError('--pcm-out writes to standard output only: --pcm-out -', {
      hint: 'redirect it to have a file',
    });
  if (pcmOut !== undefined && isJson)
    throw new UsageError('--pcm-out - and --json both want standard output');
  if (flags.null === true && (record !== undefined || pcmOut !== undefined))
    throw new UsageError('--null keeps nothing, so it excludes --record and --pcm-out');
  const servers = [
    ...flags.stun.map((text) => serverOf('stun', text)),
    ...flags.turn.map((text) => serverOf('turn', text)),
  ];
  return {
    source: sourceOf(flags),
    sink: { recordDirectory: record, isPcmOut: pcmOut !== undefined },
    video: video === undefined ? undefined : { path: video, loops: loop === true },
    durationMs: flags.duration === undefined ? undefined : 1000 * positive('--duration', flags.duration),
    isRelayOnly: flags.relayOnly === true,
    interfaces: flags.interface,
    servers,
    turnPasswordFile: flags.turnPasswordFile,
    asksServer: flags.servers && servers.length === 0,
  };
}

function sourceOf({ play, loop, tone, silence, stdin, capture }: CallFlags): CallOptions['source'] {
  const sources: CallOptions['source'][] = [
    ...(play === undefined ? [] : [{ kind: 'file' as const, path: play, loops: loop === true }]),
    ...(tone === undefined ? [] : [{ kind: 'tone' as const, hertz: toneOf(tone) }]),
    ...(silence === true ? [{ kind: 'silence' as const }] : []),
    ...(stdin === true ? [{ kind: 'stdin' as const }] : []),
    ...(capture === undefined ? [] : [{ kind: 'command' as const, command: capture }]),
  ];
  if (sources.length > 1)
    throw new UsageError('only one of --play, --tone, --silence, --stdin and --capture can be sent');
  return sources[0] ?? { kind: 'silence' };
}

function toneOf(text: string): number {
  const hertz = positive('--tone', text);
  if (hertz > 20_000) throw new UsageError(`--tone takes a frequency up to 20000 Hz, not ${text}`);
  return hertz;
}

/** @throws UsageError */
export function positive(name: string, text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0) return value;
  throw new UsageError(`${name} takes a number above 0, not ${text}`);
}

/** `stun.example.org`, `user@turn.example.org:3478?transport=tcp`, `[2001:db8::1]:3478` */
function serverOf(kind: IceServer['kind'], text: string): IceServer {
  const parts =
    /^(?:(?<user>[^@]*)@)?(?:\[(?<v6>[0-9a-f:.]+)\]|(?<name>[^[\]:@?\s]+))(?::(?<port>\d+))?(?:\?transport=(?<transport>udp|tcp))?$/i.exec(
      text,
    )?.groups;
  const { user, v6, name, port: portText = '3478', transport = 'udp' } = parts ?? {};
  const host = isIPv6(text) ? text : (v6 ?? name);
  const port = Number(portText);
  if (user?.includes(':') === true)
    throw new UsageError('a password is not given on the command line, where everybody can see it', {
      hint: 'give it with --turn-password-file or XMPPCTL_TURN_PASSWORD',
    });
  if (
    host === undefined ||
    port < 1 ||
    port > 65_535 ||
    (kind === 'stun' && (user !== undefined || transport === 'tcp'))
  )
    throw new UsageError(`--${kind} takes a host, or a host and a port, not ${text}`, {
      hint: kind === 'turn' ? 'for example me@turn.example.org:3478' : 'for example stun.example.org:3478',
    });
  return {
    kind,
    host,
    port,
    transport: transport.toLowerCase() === 'tcp' ? 'tcp' : 'udp',
    ...(user !== undefined && { username: user }),
  };
}

/** Those of the command line, with their password. @throws FileError @throws UsageError there is no password */
export async function namedServers(
  { servers, turnPasswordFile }: CallOptions,
  env: Context['env'],
): Promise<IceServer[]> {
  if (!servers.some(({ username }) => username !== undefined)) return servers;
  const password =
    turnPasswordFile === undefined
      ? env['XMPPCTL_TURN_PASSWORD']
      : (await readPrivateFile(turnPasswordFile, 'the TURN password file')).split(/\r?\n/, 1)[0];
  if (password === undefined)
    throw new UsageError('the TURN server needs a password', {
      hint: 'give it with --turn-password-file or XMPPCTL_TURN_PASSWORD',
    });
  return servers.map((server) => (server.username === undefined ? server : { ...server, password }));
}

export function sinkOf({ sink }: CallOptions, stdout: () => NodeJS.WritableStream): MediaSink {
  return {
    ...(sink.recordDirectory !== undefined && { recordDirectory: sink.recordDirectory }),
    ...(sink.isPcmOut && { pcmOut: stdout() }),
  };
}
