/** Nodes and how they are configured, by their owner (XEP-0060 §8.1–8.5). */
import { formValue } from '../forms/values.js';
import { DataForm } from '../forms/stanzas.js';
import { fillForm, type Answers } from '../forms/answers.js';
import type { WaitOptions } from '../session/session.js';
import { xml, type Element } from '../xml/element.js';
import type { IqRequester, NodeAddress } from './requester.js';
import { NS_NODE_CONFIG, NS_PUBSUB, NS_PUBSUB_OWNER, PubsubConfiguration, PubsubDefault } from './stanzas.js';

export const accessModels = ['open', 'presence', 'roster', 'authorize', 'whitelist'] as const;
export type AccessModel = (typeof accessModels)[number];

/**
 * Who may read a node.
 * @returns undefined when the service does not say, or says what is not known here
 * @throws StanzaError see `isNothingThere`
 */
export async function fetchAccessModel(
  requester: IqRequester,
  { service, node }: NodeAddress,
  options?: WaitOptions,
): Promise<AccessModel | undefined> {
  const payload = xml('pubsub', { xmlns: NS_PUBSUB_OWNER }, xml('configure', { node }));
  const reply = await requester.request({ type: 'get', ...(service && { to: service }), payload }, options);
  const form = PubsubConfiguration.find(reply)?.configure.form;
  const value = form && formValue(form, 'pubsub#access_model');
  return accessModels.find((model) => model === value);
}

/**
 * Changes some fields of the configuration; the others stay.
 * @param fields by name, without `pubsub#`
 * @throws StanzaError
 */
export async function configureNode(
  requester: IqRequester,
  { service, node, fields }: NodeAddress & { fields: Readonly<Record<string, string>> },
  options?: WaitOptions,
): Promise<void> {
  const form = DataForm.encode({
    type: 'submit',
    fields: [
      { name: 'FORM_TYPE', type: 'hidden', values: [NS_NODE_CONFIG] },
      ...Object.entries(fields).map(([name, value]) => ({ name: `pubsub#${name}`, values: [value] })),
    ],
  });
  const payload = xml('pubsub', { xmlns: NS_PUBSUB_OWNER }, xml('configure', { node }, form));
  await requester.request({ type: 'set', ...(service && { to: service }), payload }, options);
}

/** `access_model` and `pubsub#access_model` are the same field to whoever types it. */
export function fullFieldNames(answers: Answers): Answers {
  return Object.fromEntries(
    Object.entries(answers).map(([name, values]) => [name.includes('#') ? name : `pubsub#${name}`, values]),
  );
}

/** The whole form (§8.2.1). @returns undefined where the service gives none. @throws StanzaError */
export async function fetchConfiguration(
  requester: IqRequester,
  { service, node }: NodeAddress,
  options?: WaitOptions,
): Promise<DataForm | undefined> {
  const reply = await requester.request(
    { type: 'get', ...(service && { to: service }), payload: owner(xml('configure', { node })) },
    options,
  );
  return PubsubConfiguration.find(reply)?.configure.form;
}

/** What new nodes have (§8.3). @throws StanzaError */
export async function fetchDefaultConfiguration(
  requester: IqRequester,
  service: NodeAddress['service'],
  options?: WaitOptions,
): Promise<DataForm | undefined> {
  const reply = await requester.request(
    { type: 'get', ...(service && { to: service }), payload: owner(xml('default')) },
    options,
  );
  return PubsubDefault.find(reply)?.default.form;
}

/**
 * Fills in the form that the service gives, and sends it back: an answer that it does not know, or that its field does
 * not allow, is found out here.
 *
 * @throws UsageError an answer does not fit @throws StanzaError
 */
export async function changeConfiguration(
  requester: IqRequester,
  address: NodeAddress,
  answers: Answers,
  options?: WaitOptions,
): Promise<void> {
  const form = await fetchConfiguration(requester, address, options);
  const filled = form && DataForm.encode(fillForm(form, fullFieldNames(answers)));
  const { service, node } = address;
  const payload = owner(xml('configure', { node }, filled));
  await requester.request({ type: 'set', ...(service && { to: service }), payload }, options);
}

/**
 * @param node made up by the service when left out (§8.1.2)
 * @returns the name of the node
 * @throws StanzaError conflict, where it is there already
 */
export async function createNode(
  requester: IqRequester,
  { service, node }: { service?: NodeAddress['service']; node?: string | undefined },
  answers: Answers,
  options?: WaitOptions,
): Promise<string> {
  const fields = Object.entries(fullFieldNames(answers));
  const form =
    fields.length === 0
      ? undefined
      : DataForm.encode({
          type: 'submit',
          fields: [
            { name: 'FORM_TYPE', type: 'hidden', values: [NS_NODE_CONFIG] },
            ...fields.map(([name, values]) => ({ name, values: [...values] })),
          ],
        });
  const payload = xml(
    'pubsub',
    { xmlns: NS_PUBSUB },
    xml('create', { node }),
    form && xml('configure', {}, form),
  );
  const reply = await requester.request({ type: 'set', ...(service && { to: service }), payload }, options);
  const named: unknown = reply.getChild('pubsub', NS_PUBSUB)?.getChild('create')?.attrs['node'];
  return typeof named === 'string' ? named : (node ?? '');
}

/** @throws StanzaError */
export async function deleteNode(
  requester: IqRequester,
  { service, node }: NodeAddress,
  options?: WaitOptions,
): Promise<void> {
  const payload = owner(xml('delete', { node }));
  await requester.request({ type: 'set', ...(service && { to: service }), payload }, options);
}

/** Takes all items away (§8.5). @throws StanzaError */
export async function purgeNode(
  requester: IqRequester,
  { service, node }: NodeAddress,
  options?: WaitOptions,
): Promise<void> {
  const payload = owner(xml('purge', { node }));
  await requester.request({ type: 'set', ...(service && { to: service }), payload }, options);
}

function owner(child: Element): Element {
  return xml('pubsub', { xmlns: NS_PUBSUB_OWNER }, child);
}
