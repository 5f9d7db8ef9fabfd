/** How a node is configured, by its owner (XEP-0060 §8.2). */
import { formValue } from '../forms/values.js';
import { DataForm } from '../forms/stanzas.js';
import type { WaitOptions } from '../session/session.js';
import { xml } from '../xml/element.js';
import type { IqRequester, NodeAddress } from './requester.js';
import { NS_NODE_CONFIG, NS_PUBSUB_OWNER, PubsubConfiguration } from './stanzas.js';

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
