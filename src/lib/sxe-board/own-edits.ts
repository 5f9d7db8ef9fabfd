/** What this participant has drawn, and can take back: its own edits, whatever the others do meanwhile. */
import type { Change, Outcome } from '../sxe/edits.js';
import type { Participant } from '../sxe/participant.js';
import { planStep, type Plan, type Step } from './steps.js';

/** What an EditingSession can do. */
export interface Editor {
  readonly participant: Participant;
  edit(changes: readonly Change[]): Outcome[];
}

interface Entry {
  gesture: string;
  /** What takes it back, in the order in which it was done. */
  inverses: Step[];
}

const MAX_ENTRIES = 1000;

export class OwnEdits {
  #undo: Entry[] = [];
  #redo: Entry[] = [];
  /** What was erased and brought back is another record. */
  readonly #renamed = new Map<string, string>();

  constructor(private readonly editor: Editor) {}

  get canUndo(): boolean {
    return this.#undo.length > 0;
  }

  get canRedo(): boolean {
    return this.#redo.length > 0;
  }

  /**
   * Does something as one message. Steps of the same gesture are taken back together.
   * @returns the ids of what was drawn; `undefined` when nothing could be done
   */
  perform(gesture: string, steps: readonly Step[]): string[] | undefined {
    const done = this.#run(steps);
    if (!done) return undefined;
    this.#redo = [];
    const last = this.#undo.at(-1);
    if (last?.gesture === gesture) join(last, done.inverses);
    else this.#undo.push({ gesture, inverses: done.inverses });
    if (this.#undo.length > MAX_ENTRIES) this.#undo.shift();
    return done.made;
  }

  /** @returns whether there was anything that could be taken back */
  undo(): boolean {
    return this.#reverse(this.#undo, this.#redo);
  }

  redo(): boolean {
    return this.#reverse(this.#redo, this.#undo);
  }

  /** What nobody can take back any more, because others have changed it, is passed over. */
  #reverse(from: Entry[], to: Entry[]): boolean {
    for (let entry = from.pop(); entry; entry = from.pop()) {
      const done = this.#run(entry.inverses.toReversed());
      if (!done) continue;
      // What is drawn on after it belongs to something else.
      to.push({ gesture: '', inverses: done.inverses });
      return true;
    }
    return false;
  }

  #run(steps: readonly Step[]): { inverses: Step[]; made: string[] } | undefined {
    const plans: Plan[] = [];
    for (const step of steps) {
      const plan = planStep(this.editor.participant, this.#withNewIds(step));
      if (plan) plans.push(plan);
    }
    if (plans.length === 0) return undefined;
    const outcomes = this.editor.edit(plans.flatMap(({ changes }) => changes));
    if (outcomes.every(({ kind }) => kind === 'refused')) return undefined;
    const made: string[] = [];
    for (const { inverse, renamed } of plans) {
      for (const [old, now] of renamed) if (old !== undefined) this.#renamed.set(old, now);
      if (inverse.kind === 'erase') made.push(inverse.id);
    }
    return { inverses: plans.map(({ inverse }) => inverse), made };
  }

  #withNewIds(step: Step): Step {
    if (step.kind !== 'create') return { ...step, id: this.#idOf(step.id) };
    if (!step.place) return step;
    return { ...step, place: { ...step.place, parent: this.#idOf(step.place.parent) } };
  }

  #idOf(id: string): string {
    let now = id;
    for (let next = this.#renamed.get(now); next !== undefined; next = this.#renamed.get(now)) now = next;
    return now;
  }
}

/** A gesture goes on: back means to where it began. */
function join({ inverses }: Entry, more: readonly Step[]): void {
  for (const step of more) {
    if (step.kind !== 'attribute' && step.kind !== 'text') {
      inverses.push(step);
      continue;
    }
    if (inverses.some((each) => each.kind === 'erase' && each.id === step.id)) continue;
    const same = inverses.find(
      (each): each is typeof step =>
        each.kind === step.kind &&
        each.id === step.id &&
        (each.kind !== 'attribute' || step.kind !== 'attribute' || each.name === step.name),
    );
    if (!same) inverses.push(step);
    else if (step.expected) same.expected = step.expected;
  }
}
