/** Listeners for the events of a session. */
export class EventRegistry<Events> {
  readonly #listeners = new Map<keyof Events, Set<(detail: never) => void>>();

  on<K extends keyof Events>(event: K, listener: (detail: Events[K]) => void): Disposable {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  emit<K extends keyof Events>(event: K, detail: Events[K]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      (listener as (detail: Events[K]) => void)(detail);
    }
  }
}
