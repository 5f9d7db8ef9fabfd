/** A node that is to be like another one, perhaps of another service: as much of it as the service can do. */
import { StanzaError, UsageError } from '../errors.js';
import type { Answers } from '../forms/answers.js';
import type { FormField } from '../forms/stanzas.js';
import type { Session, WaitOptions } from '../session/session.js';
import { changeConfiguration, createNode, fetchConfiguration, fullFieldNames } from './nodes.js';
import { isNothingThere, type NodeAddress } from './requester.js';

export interface PrepareOptions extends WaitOptions {
  /** Also a node that was there before is configured. */
  reconfigures: boolean;
  warn: (text: string) => void;
}

/** Decided by the service: they describe the node, and are no settings. */
const notSettings = new Set([
  'owner',
  'creation_date',
  'creator',
  'num_subscribers',
  'children',
  'collection',
]);

/**
 * What a node is made with, before the rest is configured. It is never open for the moment until then, and
 * COMPAT(ejabberd 23.01): the form has no fields for texts that are empty, so that they can only be given here.
 */
const atOnce = ['access_model', 'title', 'description', 'type'];

/**
 * Makes the node where it is not there, and configures it.
 *
 * @returns whether it was made
 * @throws StanzaError it may not be made, or not be configured at all
 */
export async function prepareNode(
  session: Session,
  address: NodeAddress,
  configuration: Answers,
  { reconfigures, warn, ...wait }: PrepareOptions,
): Promise<boolean> {
  const isNew = await makeNode(session, address, configuration, wait);
  if (!isNew && !reconfigures) return false;
  const form = await fetchConfiguration(session, address, wait);
  const fields = new Map(form?.fields.map((field) => [field.name, field]));
  const fitting: [string, readonly string[]][] = [];
  for (const [name, values] of Object.entries(fullFieldNames(configuration))) {
    const short = name.replace(/^pubsub#/, '');
    const field = fields.get(name);
    if (notSettings.has(short) || equal(field?.values, values)) continue;
    if (field && takes(field, values)) fitting.push([name, values]);
    else if (values.some((value) => value !== '')) warn(`the service has no ${short}=${values.join(',')}`);
  }
  await configure(session, address, fitting, warn, wait);
  return isNew;
}

async function makeNode(
  session: Session,
  address: NodeAddress,
  configuration: Answers,
  wait: WaitOptions,
): Promise<boolean> {
  const first = Object.fromEntries(
    atOnce.flatMap((name) => {
      const values = configuration[name]?.filter((value) => value !== '') ?? [];
      return values.length > 0 ? [[name, values]] : [];
    }),
  );
  try {
    await createNode(session, address, first, wait);
    return true;
  } catch (error) {
    if (error instanceof StanzaError && error.condition === 'conflict') return false;
    if (Object.keys(first).length === 0 || !(error instanceof StanzaError) || isNothingThere(error))
      throw error;
    await createNode(session, address, {}, wait);
    return true;
  }
}

/** All at once, and where that is refused one by one. */
async function configure(
  session: Session,
  address: NodeAddress,
  settings: readonly [string, readonly string[]][],
  warn: (text: string) => void,
  wait: WaitOptions,
): Promise<void> {
  if (settings.length === 0) return;
  try {
    await changeConfiguration(session, address, Object.fromEntries(settings), wait);
  } catch (error) {
    if (!(error instanceof StanzaError) && !(error instanceof UsageError)) throw error;
    if (settings.length === 1) {
      const [[name, values] = ['', []]] = settings;
      warn(`the service refuses ${name.replace(/^pubsub#/, '')}=${values.join(',')}: ${error.message}`);
      return;
    }
    for (const setting of settings) await configure(session, address, [setting], warn, wait);
  }
}

function takes({ options }: FormField, values: readonly string[]): boolean {
  return options.length === 0 || values.every((value) => options.some((option) => option.value === value));
}

function equal(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a?.length === b.length && b.every((value, index) => a[index] === value);
}
