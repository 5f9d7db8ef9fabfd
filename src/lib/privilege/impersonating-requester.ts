/**
 * COMPAT(ejabberd < 24.10): it knows no privileged requests (XEP-0356), but a component behind a listener with
 * `check_from: false` may send in anybody's name (XEP-0114). What is answered goes to whom it was sent for: a change is
 * sent and has to be read back, and reading is done in the component's own name.
 */
import { randomUUID } from 'node:crypto';
import type { JID } from '../jid/jid.js';
import type { IqRequest, Session, WaitOptions } from '../session/session.js';
import { xml, type Element } from '../xml/element.js';

export class ImpersonatingRequester implements Pick<Session, 'request'> {
  constructor(
    private readonly session: Pick<Session, 'request' | 'send'>,
    private readonly account: JID,
  ) {}

  /**
   * @returns for a change an empty answer, whatever becomes of it
   * @throws StanzaError the component may not read that
   */
  async request({ type, to = this.account, payload }: IqRequest, options?: WaitOptions): Promise<Element> {
    if (type === 'get') return this.session.request({ type, to, payload }, options);
    const from = this.account.toString();
    await this.session.send(xml('iq', { type, id: randomUUID(), from, to: to.toString() }, payload), options);
    return xml('iq', { type: 'result' });
  }
}
