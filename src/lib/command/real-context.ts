/**
 * The context of a real run: each part is made when a command first asks for it.
 */
import type { Readable, Writable } from 'node:stream';
import type { Clock, Context, Prompt } from '../context.js';
import type { ConnectOptions } from '../session/options.js';
import type { Session } from '../session/session.js';
import type { Tracer } from '../trace/events.js';
import type { GlobalOptions } from './global-options.js';
import type { Output } from '../output/output.js';
import { loadColourStyle, plainStyle, wantsColour } from '../output/style.js';
import { ConsoleOutput } from '../output/console-output.js';

export interface Surroundings {
  /** Opened when it is first asked for. */
  readonly stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean; columns?: number };
  stderr: Writable & { isTTY?: boolean; columns?: number };
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
  pid: number;
  program: readonly [node: string, script: string];
  interceptSignals: (handler: (name: NodeJS.Signals) => void) => Disposable;
}

/** A context, and the end of it: what was opened on the way is closed by `dispose`. */
export interface RealContext extends Context {
  dispose(): Promise<void>;
}

const clock: Clock = { now: () => Date.now() };

export async function createRealContext(global: GlobalOptions, around: Surroundings): Promise<RealContext> {
  const { env, signal } = around;
  const style = async (stream: { isTTY?: boolean }) =>
    wantsColour(stream, env, global.color) ? loadColourStyle() : plainStyle;
  const messageStyle = await style(around.stderr);
  const output: Output = new ConsoleOutput({
    stdout: around.stdout,
    stderr: around.stderr,
    isJson: global.json === true,
    isQuiet: global.quiet === true,
    isVerbose: global.verbose === true,
    style: await style(around.stdout),
    messageStyle,
  });
  let tracer: Promise<Tracer | undefined> | undefined;

  const context: RealContext = {
    global,
    output,
    prompt: lazyPrompt(around),
    signal,
    env,
    get stdin() {
      return around.stdin;
    },
    clock,
    pid: around.pid,
    program: around.program,
    interceptSignals: around.interceptSignals,
    tracer: () => (tracer ??= openTracer()),
    connectOptions,
    connect,
    dispose: async () => {
      // A tracer that could not be opened was reported when it was asked for.
      const opened = await tracer?.catch(() => undefined);
      await opened?.close();
    },
  };
  return context;

  async function openTracer(): Promise<Tracer | undefined> {
    const target = global.trace ?? env['XMPPCTL_TRACE'];
    if (target === undefined || target === '') return undefined;
    const { openTracer } = await import('../trace/open-tracer.js');
    return openTracer({
      target,
      redact: global.traceSecrets !== true,
      stderr: around.stderr,
      style: messageStyle,
      warn: (message) => output.warn(message),
    });
  }

  async function connectOptions(overrides: Partial<ConnectOptions> = {}): Promise<ConnectOptions> {
    const { jid, credentials, timeoutMs } = overrides;
    // A command that says everything itself (`account test NAME`) needs no account to be chosen.
    const options =
      jid && credentials && timeoutMs !== undefined ? { jid, credentials, timeoutMs } : await chosenAccount();
    return {
      ...options,
      tracer: await context.tracer(),
      signal,
      warn: (message) => output.warn(message),
      ...overrides,
    };
  }

  async function chosenAccount(): Promise<ConnectOptions> {
    const { accountConnectOptions } = await import('../config/account-connect-options.js');
    return accountConnectOptions({
      global,
      env,
      prompt: context.prompt,
      warn: (message) => output.warn(message),
    });
  }

  async function connect(overrides?: Partial<ConnectOptions>): Promise<Session> {
    const [{ connect }, options] = await Promise.all([
      import('../session/connect.js'),
      connectOptions(overrides),
    ]);
    const place = options.service ?? options.jid.domain;
    output.detail(`connecting to ${place} as ${options.jid.toString()}`);
    using _activity = output.activity(`connecting to ${place}`);
    const session = await connect(options);
    output.detail(describeConnection(session));
    return session;
  }
}

/** `connected to xmpp://127.0.0.1:5222, TLSv1.3, SCRAM-SHA-256: alice@example.org/x` */
function describeConnection({ info, jid }: Session): string {
  const { tls, mechanism, channelBinding } = info;
  const facts = [
    info.endpoint,
    tls?.version ?? 'without TLS',
    mechanism && `${mechanism}${channelBinding === undefined ? '' : ` bound by ${channelBinding}`}`,
  ];
  return `connected to ${facts.filter(Boolean).join(', ')}: ${jid.toString()}`;
}

/** Loads inquirer when the first question is asked. */
function lazyPrompt(around: Surroundings): Prompt {
  const isAvailable = (): boolean => around.stdin.isTTY === true && around.stderr.isTTY === true;
  const load = async (): Promise<Prompt> => {
    const { createPrompt } = await import('../output/prompt.js');
    const { stdin, stderr, signal } = around;
    return createPrompt({ stdin, stderr, signal, isAvailable: isAvailable() });
  };
  return {
    get isAvailable() {
      return isAvailable();
    },
    text: async (...question) => (await load()).text(...question),
    secret: async (...question) => (await load()).secret(...question),
    confirm: async (...question) => (await load()).confirm(...question),
    select: async (...question) => (await load()).select(...question),
  };
}
