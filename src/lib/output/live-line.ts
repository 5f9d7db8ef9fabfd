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

const PACE_MS = 5000;

export class LiveLine {
  #hide: (() => void) | undefined;
  #show: (() => void) | undefined;

  private readonly isShown: boolean;

  /** A terminal that says it has no columns has no room: ora would clear an endless number of lines. */
  constructor(
    private readonly stream: Writable & { isTTY?: boolean; columns?: number },
    isWanted: boolean,
  ) {
    this.isShown = isWanted && stream.columns !== 0;
  }

  /** Runs `write` with the live line out of the way. */
  above<T>(write: () => T): T {
    this.#hide?.();
    const result = write();
    this.#show?.();
    return result;
  }

  bar(label: string, unit: 'bytes' | 'items'): Progress {
    let latest: { label: string; done: number; total: number | undefined; note: string } = {
      label,
      done: 0,
      total: undefined,
      note: '',
    };
    let bar: SingleBar | undefined;
    let isStopped = !this.isShown;
    const pace = new Pace();
    const describe = (): string => {
      const { done, total, note } = latest;
      const show = unit === 'bytes' ? formatBytes : String;
      const rate = pace.perSecond(performance.now());
      const left = total === undefined || rate === 0 ? 0 : (total - done) / rate;
      const words = [
        safeText(latest.label, { singleLine: true }),
        ...(total === undefined ? [] : [drawCells(total === 0 ? 1 : done / total)]),
        show(done),
        `${show(Math.round(rate))}/s`,
        ...(left > 0 ? [`${formatSeconds(left)} left`] : []),
        note,
      ];
      return words.filter((word) => word !== '').join(' ');
    };
    const draw = (): void => {
      bar?.setTotal(latest.total ?? latest.done);
      bar?.update(latest.done);
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
            format: () => describe(),
          },
          cliProgress.Presets.shades_classic,
        );
        bar.start(latest.total ?? 0, latest.done);
        this.#hide = () => this.stream.write('\r\u001b[K');
        this.#show = draw;
      });
    }
    return {
      update: (done, total, note) => {
        latest = { ...latest, done, total, note: note ?? latest.note };
        pace.add(performance.now(), done);
        draw();
      },
      relabel: (text) => {
        latest = { ...latest, label: text };
        draw();
      },
      stop: ({ isKept = false } = {}) => {
        if (isStopped) return;
        isStopped = true;
        this.#hide = this.#show = undefined;
        bar?.stop();
        if (isKept) this.stream.write(`${describe()}\n`);
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

/** How fast something goes: over the last seconds, because paths change, and not counting what was there at the beginning. */
class Pace {
  readonly #samples: { ms: number; done: number }[] = [];

  add(ms: number, done: number): void {
    // A new thing is counted.
    if (done < (this.#samples.at(-1)?.done ?? 0)) this.#samples.length = 0;
    this.#samples.push({ ms, done });
    while (this.#samples.length > 2 && ms - (this.#samples[1]?.ms ?? ms) > PACE_MS) this.#samples.shift();
  }

  perSecond(nowMs: number): number {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (!first || !last || last === first) return 0;
    return ((last.done - first.done) * 1000) / Math.max(1, nowMs - first.ms);
  }
}

function drawCells(part: number): string {
  const cells = 24;
  const filled = Math.round(cells * Math.min(1, part));
  const percent = String(Math.floor(100 * Math.min(1, part)));
  return `${'█'.repeat(filled)}${'░'.repeat(cells - filled)} ${percent}%`;
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${String(whole)} s`;
  if (whole < 3600) return `${String(Math.floor(whole / 60))} min ${String(whole % 60)} s`;
  return `${String(Math.floor(whole / 3600))} h ${String(Math.floor((whole % 3600) / 60))} min`;
}
