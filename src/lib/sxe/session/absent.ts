/** Those who have to say something and are not there: they may come back, before others say it (CLARIFICATIONS 12). */
import { Alarm, type Clock } from './clock.js';

const LEFT_MS = 20_000;

export class Absent {
  readonly #alarms = new Map<string, Alarm>();

  constructor(private readonly clock: Clock) {}

  /** @param giveUp called when somebody has not come back in time */
  waitFor(name: string, giveUp: () => void): void {
    if (this.#alarms.has(name)) return;
    const alarm = new Alarm(this.clock);
    this.#alarms.set(name, alarm);
    alarm.set(LEFT_MS, () => {
      this.#alarms.delete(name);
      giveUp();
    });
  }

  isBack(name: string): void {
    this.#alarms.get(name)?.cancel();
    this.#alarms.delete(name);
  }

  stop(): void {
    for (const alarm of this.#alarms.values()) alarm.cancel();
    this.#alarms.clear();
  }
}
