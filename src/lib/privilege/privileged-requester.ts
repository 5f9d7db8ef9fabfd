/**
 * XEP-0356: Privileged Entity, version 0.4.1: requests of a component in the name of an account (§6, IQ permission).
 *
 * Not here: permissions for rosters, messages and presence.
 */
import { ProtocolError, RemoteError, StanzaError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import type { IqRequest, Session, WaitOptions } from '../session/session.js';
import { childElements, xml, type Element } from '../xml/element.js';
import { stanzaErrorFrom } from '../xml/stanza-error.js';
import { NS_PRIVILEGE } from './grants.js';

const NS_FORWARD = 'urn:xmpp:forward:0';

/** Speaks for one account, through a component that may. */
export class PrivilegedRequester implements Pick<Session, 'request'> {
  #count = 0;

  constructor(
    private readonly session: Pick<Session, 'request'>,
    private readonly account: JID,
  ) {}

  /**
   * @returns the reply that the account got
   * @throws StanzaError the account's request was refused
   * @throws RemoteError there is no such account, or the component may not do that: a server tells them not apart
   */
  async request({ type, to, payload }: IqRequest, options?: WaitOptions): Promise<Element> {
    this.#count += 1;
    const inner = xml(
      'iq',
      { xmlns: 'jabber:client', type, id: `p${this.#count}`, to: (to ?? this.account).toString() },
      payload,
    );
    const outer = xml('privileged_iq', { xmlns: NS_PRIVILEGE }, inner);
    let reply: Element;
    try {
      reply = await this.session.request({ type, to: this.account, payload: outer }, options);
    } catch (error) {
      throw explain(error, this.account);
    }
    const answer = innerReply(reply);
    // The outer result only says that the request was passed on.
    if (answer.attrs['type'] === 'error') throw stanzaErrorFrom(answer);
    return answer;
  }
}

function innerReply(reply: Element): Element {
  const forwarded = reply.getChild('privilege', NS_PRIVILEGE)?.getChild('forwarded', NS_FORWARD);
  const answer = forwarded && childElements(forwarded).find((child) => child.getName() === 'iq');
  if (!answer)
    throw new ProtocolError('the answer to a privileged request has no answer in it (XEP-0356 §6)');
  return answer;
}

function explain(error: unknown, account: JID): unknown {
  if (!(error instanceof StanzaError)) return error;
  if (error.condition === 'forbidden')
    return new RemoteError(
      `there is no account ${account.toString()}, or its host gives this component no privilege`,
      {
        hint: 'see "privileged_entities" of mod_privilege (XEP-0356): it wants iq privileges for pubsub, pubsub#owner and vcard-temp',
        cause: error,
      },
    );
  if (error.condition === 'service-unavailable')
    return new RemoteError('the server knows no privileged requests (XEP-0356, urn:xmpp:privilege:2)', {
      hint: 'Prosody has them with mod_privilege, ejabberd since 24.10',
      cause: error,
    });
  return error;
}
