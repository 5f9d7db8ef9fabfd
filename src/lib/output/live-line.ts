/**
 * The moving line at the bottom of a terminal: a progress bar (cli-progress) or a spinner (ora).
 *
 * Both libraries are loaded when the first one is shown; elsewhere than on a terminal nothing is shown at all.
 */
import type { Writable } from 'node:stream';
import type { Ora } from 'ora';
import type { SingleBar } from 'cli-progress';
import type { Progress } from './output.js';
import { formatBytes } from './format.js';
import { safeText } from './safe-text.js';

export class LiveLine {
  #hide: (() => void) | undefined;
  #show: (() => void) | undefined;

  constructor(
    private readonly stream: Writable & { isTTY?: boolean },
    private readonly isShown: boolean,
  ) {}

  /** Runs `write` with the live line out of the way. */
  above<T>(write: () => T): T {
    this.#hide?.();
    const result = write();
    this.#show?.();
    return result;
  }

  bar(label: string, unit: 'bytes' | 'items'): Progress {
    let latest: { done: number; total: number | undefined; note: string } = {
      done: 0,
      total: undefined,
      note: '',
    };
    let bar: SingleBar | undefined;
    let isStopped = !this.isShown;
    const startedAt = performance.now();
    const draw = (): void => {
      bar?.setTotal(latest.total ?? latest.done);
      bar?.update(latest.done, { note: latest.note });
    };
    if (this.isShown) {
      void import('cli-progress').then(({ default: cliProgress }) => {
        if (isStopped) return;
        bar = new cliProgress.SingleBar(
          {
            stream: this.stream,
            hideCursor: true,
            clearOnComplete: true,
            forceRedraw: true,
            format: (_options, params, payload: { note?: string }) => {
              const seconds = Math.max(0.001, (performance.now() - startedAt) / 1000);
              const show = unit === 'bytes' ? formatBytes : String;
              const rate = params.value / seconds;
              const left =
                latest.total === undefined || rate === 0
                  ? ''
                  : ` ${formatSeconds((latest.total - params.value) / rate)} left`;
              const cells = 24;
              const filled = Math.round(cells * Math.min(1, params.progress));
              const drawn =
                latest.total === undefined
                  ? ''
                  : ` ${'█'.repeat(filled)}${'░'.repeat(cells - filled)} ${String(Math.floor(params.progress * 100))}%`;
              return `${safeText(label, { singleLine: true })}${drawn} ${show(params.value)} ${show(Math.round(rate))}/s${left} ${payload.note ?? ''}`;
            },
          },
          cliProgress.Presets.shades_classic,
        );
        bar.start(latest.total ?? 0, latest.done, { note: latest.note });
        this.#hide = () => this.stream.write('\r\u001b[K');
        this.#show = draw;
      });
    }
    return {
      update: (done, total, note) => {
        latest = { done, total: total ?? latest.total, note: note ?? latest.note };
        draw();
      },
      stop: () => {
        if (isStopped) return;
        isStopped = true;
        this.#hide = this.#show = undefined;
        bar?.stop();
      },
    };
  }

  spinner(label: string): Disposable {
    let spinner: Ora | undefined;
    let isStopped = !this.isShown;
    if (this.isShown) {
      void import('ora').then(({ default: ora }) => {
        if (isStopped) return;
        spinner = ora({
          text: safeText(label, { singleLine: true }),
          stream: this.stream as NodeJS.WritableStream,
          discardStdin: false,
        });
        spinner.start();
        this.#hide = () => void spinner?.clear();
        this.#show = () => void spinner?.render();
      });
    }
    return {
      [Symbol.dispose]: () => {
        if (isStopped) return;
        isStopped = true;
        this.#hide = this.#show = undefined;
        spinner?.stop();
      },
    };
  }
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${String(whole)} s`;
  if (whole < 3600) return `${String(Math.floor(whole / 60))} min ${String(whole % 60)} s`;
  return `${String(Math.floor(whole / 3600))} h ${String(Math.floor((whole % 3600) / 60))} min`;
}
