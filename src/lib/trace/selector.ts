/**
 * A small language that selects stanzas by what is in them, in the manner of CSS:
 *
 *     message[type=chat] > body        a child element
 *     iq {urn:xmpp:ping}ping           an element in a namespace, at any depth
 *     presence[type^=un], {jabber:iq:roster}*
 *     body[. *= 'hello']               the element's text
 *
 * A name without a namespace means any. A stanza is selected when an element in it, or itself, matches.
 */
import { UsageError } from '../errors.js';
import { attributeOf, elementsOf, textOf, type TraceElement } from './trace-element.js';

type Operator = '=' | '!=' | '^=' | '$=' | '*=';

interface AttributeTest {
  /** `.` is the text. */
  name: string;
  operator: Operator | undefined;
  value: string;
}

interface Step {
  name: string | undefined;
  namespace: string | undefined;
  tests: AttributeTest[];
  /** How it hangs on the step before. */
  isChild: boolean;
}

/** Whether an element, or one inside of it, matches. */
export type Selector = (stanza: TraceElement) => boolean;

/** @throws UsageError the text is not a selector; the message says where */
export function parseSelector(text: string): Selector {
  const alternatives = new SelectorParser(text).parse();
  return (stanza) => alternatives.some((steps) => findsMatch(steps, stanza));
}

/** An element on its way down, and which beginnings of the path have been seen above it. */
interface Visit {
  element: TraceElement;
  /** The first so many steps lead to the parent. */
  atParent: ReadonlySet<number>;
  /** They lead to the parent or to something that it is in. */
  above: ReadonlySet<number>;
}

const start: ReadonlySet<number> = new Set([0]);

/** Looks at each element once, without recursion: what was recorded may be nested to hurt. */
function findsMatch(steps: readonly Step[], root: TraceElement): boolean {
  const waiting: Visit[] = [{ element: root, atParent: start, above: start }];
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    const { element, atParent, above } = visit;
    const here = new Set<number>([0]);
    for (const [index, step] of steps.entries()) {
      if ((step.isChild ? atParent : above).has(index) && matchesStep(step, element)) here.add(index + 1);
    }
    if (here.has(steps.length)) return true;
    const isNew = [...here].some((length) => !above.has(length));
    const below = isNew ? new Set([...above, ...here]) : above;
    for (const child of elementsOf(element)) waiting.push({ element: child, atParent: here, above: below });
  }
  return false;
}

function matchesStep(step: Step, element: TraceElement): boolean {
  return (
    (step.name === undefined || step.name === element.name) &&
    (step.namespace === undefined || step.namespace === element.namespace) &&
    step.tests.every((test) => matchesTest(test, element))
  );
}

function matchesTest({ name, operator, value }: AttributeTest, element: TraceElement): boolean {
  const actual = name === '.' ? textOf(element) : attributeOf(element, name);
  switch (operator) {
    case undefined:
      return actual !== undefined && (name !== '.' || actual !== '');
    case '=':
      return actual === value;
    case '!=':
      return actual !== value;
    case '^=':
      return actual?.startsWith(value) === true;
    case '$=':
      return actual?.endsWith(value) === true;
    case '*=':
      return actual?.includes(value) === true;
  }
}

class SelectorParser {
  #at = 0;

  constructor(private readonly text: string) {}

  parse(): Step[][] {
    const alternatives: Step[][] = [];
    do alternatives.push(this.#readSteps());
    while (this.#take(/,/y) !== undefined);
    if (this.#at < this.text.length) throw this.#wrong('expected an element, `>`, `,` or the end');
    return alternatives;
  }

  #readSteps(): Step[] {
    const steps: Step[] = [this.#readStep(false)];
    for (;;) {
      const isChild = this.#take(/>/y) !== undefined;
      if (!isChild && !/[^\s,]/y.test(this.#rest())) return steps;
      steps.push(this.#readStep(isChild));
    }
  }

  #readStep(isChild: boolean): Step {
    const namespace = this.#take(/\{([^}]*)\}/y);
    const name = this.#take(/\*|[\p{L}_][\p{L}\p{N}_.-]*/uy, namespace === undefined);
    const tests: AttributeTest[] = [];
    const isNamed = namespace !== undefined || name !== undefined;
    while (this.#take(/\[/y, !isNamed && tests.length === 0) !== undefined) tests.push(this.#readTest());
    if (!isNamed && tests.length === 0) {
      throw this.#wrong('expected an element: name, {namespace}name or *');
    }
    return { name: name === '*' ? undefined : name, namespace: namespace?.slice(1, -1), tests, isChild };
  }

  #readTest(): AttributeTest {
    const name = this.#take(/\.|[\p{L}_][\p{L}\p{N}_.:-]*/uy);
    if (name === undefined) throw this.#wrong('expected an attribute name, or `.` for the text');
    const operator = this.#take(/[!^$*]?=/y) as Operator | undefined;
    let value = '';
    if (operator !== undefined) {
      const quoted = this.#take(/"[^"]*"|'[^']*'/y);
      const plain = quoted === undefined ? this.#take(/[^\]'"]+/y) : undefined;
      if (quoted === undefined && plain === undefined) throw this.#wrong('expected a value');
      value = quoted?.slice(1, -1) ?? plain?.trim() ?? '';
    }
    if (this.#take(/\]/y) === undefined) throw this.#wrong('expected `]`');
    return { name, operator, value };
  }

  #rest(): string {
    return this.text.slice(this.#at).trimStart();
  }

  /** Takes what the sticky pattern matches, after white space if that is allowed. */
  #take(pattern: RegExp, mayFollowSpace = true): string | undefined {
    const start = mayFollowSpace ? this.text.length - this.#rest().length : this.#at;
    pattern.lastIndex = start;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#at = start + found.length;
    else if (this.#rest() === '') this.#at = this.text.length;
    return found;
  }

  #wrong(what: string): UsageError {
    return new UsageError(`not a selector: ${this.text} (at character ${this.#at + 1}: ${what})`, {
      hint: 'for example: message[type=chat] > body, or iq > {urn:xmpp:ping}ping; see xmppctl trace show --help',
    });
  }
}
