/** One server over its restarts: starts it, waits until it answers, ends it. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError, SandboxError } from '../errors.js';
import { registerEjabberdAccounts } from './ejabberd.js';
import type { ServerName, SandboxPlan, ServerCommand } from './options.js';
import { waitForPort, waitForStream } from './ready.js';
import { startServerProcess, type Guard, type ServerProcess } from './server-process.js';
import type { SystemUser } from './unprivileged-user.js';

const HOST = '127.0.0.1';
const DEFAULT_TIMEOUT_MS = 60_000;
const SHUT_DOWN_MS = 10_000;
const SHOWN_LOG_LINES = 8;

/** Two sandboxes that start at the same moment can pick the same port; one of them has to pick again. */
export class PortTaken extends Error {}

export class RunningServer {
  #process: ServerProcess | undefined;
  readonly logFile: string;

  constructor(
    readonly name: ServerName,
    readonly plan: SandboxPlan,
    private readonly command: ServerCommand,
    private readonly user: SystemUser | undefined,
    private readonly guard: Guard,
  ) {
    this.logFile = path.join(plan.dir, 'server.log');
  }

  /** The process group; 0 while none is running. */
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /**
   * @throws PortTaken another program listens on one of the ports
   * @throws SandboxError the server ended, or did not answer in time
   */
  async start(): Promise<void> {
    const { plan } = this;
    const timeoutMs = plan.options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const started = await startServerProcess(this.command, {
      dir: plan.dir,
      logFile: this.logFile,
      user: this.user,
    });
    this.#process = started;
    this.guard.watch(started.pid);
    void started.ended.then(() => {
      if (this.#process === started) this.guard.watch(undefined);
    });
    const failure = new AbortController();
    const signals = [failure.signal, AbortSignal.timeout(timeoutMs), plan.options.signal].filter(
      (signal) => signal !== undefined,
    );
    const endedEarly = started.ended.then((how) => {
      failure.abort();
      return how;
    });
    try {
      await this.#waitUntilUp(AbortSignal.any(signals));
    } catch (error) {
      const isOver = failure.signal.aborted;
      await this.kill();
      if (plan.options.signal?.aborted === true) throw new InterruptedError('interrupted', { cause: error });
      // ejabberd mostly goes on without a port that is taken, and sometimes ends for it.
      await this.#checkPorts();
      const reason = isOver ? await endedEarly : `it did not answer within ${timeoutMs / 1000} s`;
      throw await this.#failed(reason, error);
    }
    await this.#checkPorts();
  }

  /** @throws PortTaken somebody was faster */
  async #checkPorts(): Promise<void> {
    if (!/address already in use|eaddrinuse/i.test(await this.readLog())) return;
    await this.kill();
    throw new PortTaken(`${this.name} could not listen on a port: it is taken`);
  }

  async #waitUntilUp(signal: AbortSignal): Promise<void> {
    const { ports, domain, options } = this.plan;
    await waitForStream(HOST, ports.c2s, domain, signal);
    const { c2sTls, s2sTls, https, ...plain } = ports;
    const all = [...Object.values(plain), ...(options.encryption === 'none' ? [] : [c2sTls, s2sTls, https])];
    await Promise.all(all.map((port) => waitForPort(HOST, port, signal)));
    if (this.name === 'ejabberd') await registerEjabberdAccounts(this.plan);
  }

  async #failed(reason: string, cause: unknown): Promise<SandboxError> {
    const lines = (await this.readLog())
      .split('\n')
      .filter((line) => /\w/.test(line))
      .slice(-SHOWN_LOG_LINES);
    return new SandboxError(
      `${this.name} did not start: ${reason}; it logged: ${lines.join(' | ') || 'nothing'}`,
      {
        cause,
        details: { log: lines },
      },
    );
  }

  async waitForEnd(): Promise<string> {
    return (await this.#process?.waitForEnd()) ?? 'it is not running';
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.signal(name);
  }

  /** Ends it as an administrator would, and by force when it does not listen. */
  async shutDown(): Promise<void> {
    const running = this.#process;
    if (!running) return;
    running.signal('SIGTERM');
    const timer = setTimeout(() => {
      running.signal('SIGKILL');
    }, SHUT_DOWN_MS);
    await running.waitForEnd();
    clearTimeout(timer);
    await this.kill();
  }

  /** Ends it, and what it has started, at once. */
  async kill(): Promise<void> {
    const running = this.#process;
    if (!running) return;
    running.signal('SIGKILL');
    await running.waitForEnd();
    this.#process = undefined;
    this.guard.watch(undefined);
  }

  /** What it has logged. COMPAT(ejabberd 23.01): that includes the arguments of commands, so passwords are taken out. */
  async readLog(): Promise<string> {
    const log = await readFile(this.logFile, 'utf8').catch(() => '');
    const secrets = Object.values(this.plan.accounts).map(({ password }) => password);
    return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), log);
  }
}
