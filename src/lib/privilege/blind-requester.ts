/**
 * COMPAT(ejabberd < 24.10): it knows no privileged requests (XEP-0356), but there are two ways to send in anybody's name:
 * a component behind a listener with `check_from: false` (XEP-0114), and the command send_stanza of its HTTP interface.
 * What is answered goes to whom it was sent for: a change is sent and has to be read back, and reading is done in the
 * own name.
 */
import { randomUUID } from 'node:crypto';
import type { JID } from '../jid/jid.js';
import type { IqRequest, Session, WaitOptions } from '../session/session.js';
import { xml, type Element } from '../xml/element.js';
import type { EjabberdApi } from './ejabberd-api.js';

export interface BlindChange {
  from: JID;
  to: JID | string;
  type: 'set';
  payload: Element;
}

/** Resolves when it is on its way. */
export type SendInName = (change: BlindChange, options?: WaitOptions) => Promise<void>;

export class BlindRequester implements Pick<Session, 'request'> {
  constructor(
    private readonly reader: Pick<Session, 'request'>,
    private readonly send: SendInName,
    private readonly account: JID,
  ) {}

  /**
   * @returns for a change an empty answer, whatever becomes of it
   * @throws StanzaError we may not read that
   */
  async request({ type, to = this.account, payload }: IqRequest, options?: WaitOptions): Promise<Element> {
    if (type === 'get') return this.reader.request({ type, to, payload }, options);
    await this.send({ from: this.account, to, type, payload }, options);
    return xml('iq', { type: 'result' });
  }
}

/** Through a component. */
export function sendAsComponent(session: Pick<Session, 'send'>): SendInName {
  return ({ from, to, type, payload }, options) => {
    const addresses = { from: from.toString(), to: to.toString() };
    return session.send(xml('iq', { type, id: randomUUID(), ...addresses }, payload), options);
  };
}

/** Through ejabberd's HTTP interface. */
export function sendByApi(api: Pick<EjabberdApi, 'sendStanza'>): SendInName {
  return ({ from, to, type, payload }, { signal } = {}) => {
    const stanza = xml('iq', { type, id: randomUUID() }, payload);
    return api.sendStanza({ from, to, text: stanza.toString() }, { signal });
  };
}
