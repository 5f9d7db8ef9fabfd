/** What a node says of itself to whoever asks (XEP-0060 §5.4). */
import { queryInfo } from '../disco/query.js';
import { formTypeOf } from '../forms/values.js';
import type { Session, WaitOptions } from '../session/session.js';
import type { NodeAddress } from './requester.js';
import { NS_META_DATA } from './stanzas.js';

export interface NodeInfo {
  node: string;
  /** `leaf` has items, `collection` has nodes. Undefined when it does not say. */
  kind: 'leaf' | 'collection' | undefined;
  /** By field name without `pubsub#`; those that are empty are left out. */
  metadata: Readonly<Record<string, readonly string[]>>;
}

/** @throws StanzaError see `isNothingThere` */
export async function fetchNodeInfo(
  session: Session,
  { service, node }: NodeAddress,
  options?: WaitOptions,
): Promise<NodeInfo> {
  const info = await queryInfo(session, service ?? session.jid.bare, node, options);
  const types = info.identities.filter(({ category }) => category === 'pubsub').map(({ type }) => type);
  const fields = info.forms.find((form) => formTypeOf(form) === NS_META_DATA)?.fields ?? [];
  return {
    node,
    kind: types.includes('collection') ? 'collection' : types.includes('leaf') ? 'leaf' : undefined,
    metadata: Object.fromEntries(
      fields.flatMap(({ name, values }) => {
        const filled = values.filter((value) => value !== '');
        return name === undefined || name === 'FORM_TYPE' || filled.length === 0
          ? []
          : [[name.replace(/^pubsub#/, ''), filled]];
      }),
    ),
  };
}
