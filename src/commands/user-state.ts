/** What the commands have in common by which people tell of themselves. */
import { Option } from '@commander-js/extra-typings';
import type { Context } from '../lib/context.js';
import { NegativeError, UsageError } from '../lib/errors.js';
import type { JID } from '../lib/jid/jid.js';
import { parseAddress } from '../lib/jid/xmpp-uri.js';
import { safeText } from '../lib/output/safe-text.js';
import { accessModels, type AccessModel } from '../lib/pubsub/nodes.js';
import type { StateFields, UserState } from '../lib/user-state/states.js';
import { fetchState, tellState } from '../lib/user-state/store.js';

export const ofOption = new Option('--of <jid>', 'show that of somebody else');
export const clearOption = new Option('--clear', 'take it back');
export const accessOption = new Option('--access <model>', 'who is told, from now on').choices(accessModels);

export const stateCompletes = { '--of': 'jid', '--access': accessModels } as const;

export const stateExitCodes = {
  1: 'nothing is told',
  2: 'a word or a value that the specification does not have',
  5: 'it is not for this account, or the server does not take it',
} as const;

export interface StateOptions {
  of: JID | undefined;
  /** What is told; shown when undefined. */
  fields: StateFields | undefined;
  access: AccessModel | undefined;
}

export interface StateFlags {
  of?: string | undefined;
  clear?: true | undefined;
  access?: AccessModel | undefined;
}

/** @throws UsageError flags that do not go together */
export function stateOptions(fields: StateFields, { of, clear, access }: StateFlags): StateOptions {
  const tells = Object.keys(fields).length > 0 || clear === true;
  if (of !== undefined && tells)
    throw new UsageError('--of shows what somebody else tells: nothing can be said there');
  if (clear === true && Object.keys(fields).length > 0) throw new UsageError('--clear goes alone');
  if (access !== undefined && !tells) throw new UsageError('--access goes with what is told');
  return {
    of: of === undefined ? undefined : parseAddress(of).bare,
    fields: tells ? fields : undefined,
    access,
  };
}

/** @throws NegativeError nothing is told @throws StanzaError @throws UsageError */
export async function runState(
  state: UserState,
  { of, fields, access }: StateOptions,
  { output, signal, connect }: Pick<Context, 'output' | 'signal' | 'connect'>,
  render: (fields: StateFields) => string,
): Promise<void> {
  // What is wrong with it costs nothing.
  if (fields) state.make(fields);
  await using session = await connect();
  if (fields) {
    await tellState(session, state, fields, { access, signal, warn: (text) => output.warn(text) });
    return;
  }
  const told = await fetchState(session, state, of, { signal });
  if (!told) throw new NegativeError(`${(of ?? session.jid.bare).toString()} tells nothing`);
  await output.result(told, render);
}

/** `name=value`, a line each. */
export function renderFields(fields: StateFields): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${safeText(value, { singleLine: true })}`)
    .join('\n');
}

/** The values, with tabs between them. */
export function renderValues(...names: readonly string[]): (fields: StateFields) => string {
  return (fields) =>
    names
      .flatMap((name) => fields[name] ?? [])
      .map((value) => safeText(value, { singleLine: true }))
      .join('\t');
}

/** @throws UsageError it is not name=value, or is given twice */
export function parseFields(words: readonly string[]): StateFields {
  const fields: Record<string, string> = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    const name = word.slice(0, equals);
    if (equals < 1) throw new UsageError(`${JSON.stringify(word)} is not name=value`);
    if (Object.hasOwn(fields, name)) throw new UsageError(`${name} is given twice`);
    fields[name] = word.slice(equals + 1);
  }
  return fields;
}
