/** `--rules`: what is done with stanzas that a selector matches. The first rule that matches decides. */
import { UsageError } from '../errors.js';
import type { Direction } from '../trace/events.js';
import { parseSelector, type Selector } from '../trace/selector.js';
import { parseTraceElement } from '../trace/trace-element.js';
import { escapeAnywhere } from '../xml/escape.js';
import type { InterceptedStanza, Interceptor, Verdict } from './intercept.js';

export const ruleActions = ['drop', 'delay', 'duplicate', 'replace', 'reply'] as const;
type RuleAction = (typeof ruleActions)[number];

export interface Rule {
  match: Selector;
  direction: Direction | undefined;
  action: RuleAction;
  ms: number;
  with: string;
}

/**
 * Reads a list of rules from YAML, of which JSON is a part.
 * @throws UsageError it is no such list; the message says which rule is wrong, and why
 */
export async function parseRules(text: string): Promise<Rule[]> {
  const { parse } = await import('yaml');
  let list: unknown;
  try {
    list = parse(text);
  } catch (cause) {
    const [line] = String(cause instanceof Error ? cause.message : cause).split('\n');
    throw new UsageError(`the rules are no YAML: ${line ?? ''}`, { cause });
  }
  if (!Array.isArray(list)) throw new UsageError('the rules must be a list', { hint: example });
  return list.map((value: unknown, index) => parseRule(value, index + 1));
}

const example = 'for example: - {match: "message > body", direction: in, action: drop}';
const known: ReadonlySet<string> = new Set(['match', 'direction', 'action', 'ms', 'with']);

function parseRule(value: unknown, number: number): Rule {
  const wrong = (why: string): UsageError => new UsageError(`rule ${number}: ${why}`, { hint: example });
  if (typeof value !== 'object' || value === null) throw wrong('it is not a map');
  const rule = value as Record<string, unknown>;
  for (const key of Object.keys(rule)) if (!known.has(key)) throw wrong(`there is no key ${key}`);
  const { match, direction, action, ms = 0, with: xml = '' } = rule;
  if (typeof match !== 'string') throw wrong('it needs a selector: match');
  if (direction !== undefined && direction !== 'in' && direction !== 'out')
    throw wrong('its direction is in or out');
  const found = ruleActions.find((name) => name === action);
  if (found === undefined) throw wrong(`its action must be one of ${ruleActions.join(', ')}`);
  if (typeof ms !== 'number' || !(ms >= 0)) throw wrong('ms is a number of milliseconds');
  if (found === 'delay' && rule['ms'] === undefined) throw wrong('a delay needs its length: ms');
  if (typeof xml !== 'string') throw wrong('with is a text of XML');
  if ((found === 'replace' || found === 'reply') && parseTraceElement(xml) === undefined)
    throw wrong(`${found} needs a stanza: with`);
  return { match: parseSelector(match), direction, action: found, ms, with: xml };
}

/** The rules as one interceptor. */
export function applyRules(rules: readonly Rule[]): Interceptor {
  return (stanza) => {
    const rule = rules.find(
      ({ match, direction }) => (direction === undefined || direction === stanza.dir) && match(stanza.tree),
    );
    return rule && verdictOf(rule, stanza);
  };
}

function verdictOf(rule: Rule, stanza: InterceptedStanza): Verdict {
  const { action } = rule;
  const delay = rule.ms > 0 && { delayMs: rule.ms };
  switch (action) {
    case 'drop':
      return { action, forward: [] };
    case 'delay':
      return { action, forward: ['original'], ...delay };
    case 'duplicate':
      return { action, forward: ['original', 'original'], ...delay };
    case 'replace':
      return { action, forward: [{ xml: fillIn(rule.with, stanza) }], ...delay };
    case 'reply':
      return { action, forward: [], reply: [fillIn(rule.with, stanza)], ...delay };
  }
}

/** `{id}`, `{from}`, `{to}` and `{type}` stand for the attributes of the stanza that matched. */
export function fillIn(template: string, { tree }: InterceptedStanza): string {
  return template.replace(/\{(id|from|to|type)\}/g, (_whole, name: string) =>
    escapeAnywhere(tree.attributes[name] ?? ''),
  );
}
