/**
 * What arrives on the session's stream, given to whom it is for: stream management to the outbox, replies to requests,
 * requests to their responders, stanzas to handlers and readers.
 */
import type { JID } from '../jid/jid.js';
import type { Element } from '../xml/element.js';
import type { Dispatcher } from './dispatcher.js';
import type { IqRequests } from './iq-requests.js';
import { NS_SM } from './namespaces.js';
import type { Outbox } from './outbox.js';
import type { Responders } from './responders.js';

export interface IncomingOptions {
  outbox: Outbox;
  requests: IqRequests;
  dispatcher: Dispatcher;
  responders: Responders;
  /** Our own address, as bound at the moment. */
  own: () => JID;
  /** `<a/>` came. */
  onAcknowledged: () => void;
  /** A reply could not be sent. Nobody waits for it here: who asked will see the stream end, too. */
  onUnsent: (error: unknown) => void;
}

export class Incoming {
  readonly #options: IncomingOptions;

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  /** @throws ProtocolError the server acknowledges what was never sent */
  receive(element: Element): void {
    const { name } = element;
    if (name === 'message' || name === 'presence' || name === 'iq') {
      this.#options.outbox.management?.countInbound();
      this.#receiveStanza(element);
    } else if (element.attrs['xmlns'] === NS_SM) {
      this.#receiveManagement(element);
    }
  }

  #receiveStanza(stanza: Element): void {
    const { requests, dispatcher, own } = this.#options;
    const type: unknown = stanza.name === 'iq' ? stanza.attrs['type'] : undefined;
    if ((type === 'result' || type === 'error') && requests.deliver(stanza, own())) return;
    dispatcher.dispatch(stanza);
    if (type === 'get' || type === 'set') void this.#answer(stanza);
  }

  async #answer(iq: Element): Promise<void> {
    const { responders, outbox, own, onUnsent } = this.#options;
    const reply = await responders.answer(iq, own());
    try {
      await outbox.send(reply, false, { doing: 'answering a request' });
    } catch (error) {
      onUnsent(error);
    }
  }

  #receiveManagement(element: Element): void {
    const { outbox, onAcknowledged } = this.#options;
    if (element.name === 'r') outbox.onAsked();
    else if (element.name === 'a') {
      outbox.onAcknowledged(element);
      onAcknowledged();
    } else if (element.name === 'enabled') outbox.onEnabled(element);
    else if (element.name === 'failed') outbox.onEnableFailed();
  }
}
