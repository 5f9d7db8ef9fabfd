/**
 * XEP-0261: Jingle In-Band Bytestreams Transport Method, version 1.0.
 *
 * Not here: more than one bytestream for a content, which a transport-info would add (§2.4).
 */
import { randomUUID } from 'node:crypto';
import { DecodeError, StanzaError } from '../../errors.js';
import {
  TransportFailedError,
  type Bytestream,
  type JingleTransport,
  type TransportContext,
  type TransportNegotiation,
} from '../../jingle/transport.js';
import { element, type Infer } from '../../xml/codec.js';
import type { Element } from '../../xml/element.js';
import { attr, withDefault } from '../../xml/fields.js';
import { token } from '../../xml/scalars.js';
import { acceptInBandBytestream, openInBandBytestream, type InBandAcceptor } from './in-band-bytestream.js';
import { LARGE_BYTES } from './block-pace.js';
import { MAX_BLOCK_BYTES, NS_IN_BAND, blockSize, stanzaKind, type StanzaKind } from './stanzas.js';

export const NS_JINGLE_IN_BAND = 'urn:xmpp:jingle:transports:ibb:1';

export const InBandParameters = element(NS_JINGLE_IN_BAND, 'transport', {
  blockSize: attr('block-size', blockSize),
  sid: attr('sid', token),
  stanza: withDefault(attr<StanzaKind>('stanza', stanzaKind), 'iq'),
});
type InBandParameters = Infer<typeof InBandParameters>;

export interface InBandTransportOptions {
  /** The most bytes of a block that we offer; of what the other party offers, any size is taken. */
  blockSize?: number;
  stanza?: StanzaKind;
}

export function inBandTransport(options: InBandTransportOptions = {}): JingleTransport {
  return {
    namespace: NS_JINGLE_IN_BAND,
    features: [NS_JINGLE_IN_BAND, NS_IN_BAND],
    isQuickToOpen: true,
    begin: (context) => new InBandNegotiation(context, options),
  };
}

class InBandNegotiation implements TransportNegotiation {
  readonly namespace = NS_JINGLE_IN_BAND;
  readonly #context: TransportContext;
  readonly #options: InBandTransportOptions;
  /** What both parties know: first as offered, then as agreed on. */
  #parameters: InBandParameters;
  #acceptor: InBandAcceptor | undefined;
  #isConnecting = false;
  #isAbandoned = false;

  constructor(context: TransportContext, options: InBandTransportOptions) {
    this.#context = context;
    this.#options = options;
    const { blockSize = LARGE_BYTES, stanza = 'iq' } = options;
    this.#parameters = { sid: randomUUID(), blockSize, stanza };
  }

  get sid(): string {
    return this.#parameters.sid;
  }

  offer(): Promise<Element> {
    // An answer and the opening may come in one breath.
    this.#expectOpening();
    return Promise.resolve(InBandParameters.encode(this.#parameters));
  }

  answer(theirs: Element): Promise<Element> {
    return new Promise((resolve) => resolve(this.#answer(theirs)));
  }

  #answer(theirs: Element): Element {
    const offered = decode(theirs);
    const blockSize = Math.min(offered.blockSize, this.#options.blockSize ?? MAX_BLOCK_BYTES);
    this.#parameters = { ...offered, blockSize };
    this.#expectOpening();
    return InBandParameters.encode(this.#parameters);
  }

  setAnswer(theirs: Element): void {
    const { blockSize } = decode(theirs);
    this.#parameters = { ...this.#parameters, blockSize: Math.min(blockSize, this.#parameters.blockSize) };
  }

  receiveInfo(): void {
    // It could only add another bytestream.
  }

  async connect(): Promise<Bytestream> {
    const { session, peer, timeoutMs, signal, note } = this.#context;
    if (this.#acceptor) {
      this.#isConnecting = true;
      return this.#acceptor.opened;
    }
    const { sid, blockSize, stanza } = this.#parameters;
    try {
      const bytestream = await openInBandBytestream(
        session,
        peer,
        { sid, blockSize, stanza },
        { timeoutMs, ...(signal && { signal }) },
      );
      if (this.#isAbandoned) {
        bytestream.stream.destroy();
        throw new TransportFailedError('the in-band bytestream is not wanted any more');
      }
      return bytestream;
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      note?.(`in-band: ${error.message}`);
      throw new TransportFailedError(`no in-band bytestream: ${error.message}`, { cause: error });
    }
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.#acceptor?.[Symbol.dispose]();
    // Opened already, and never asked for.
    if (!this.#isConnecting)
      this.#acceptor?.opened.then(({ stream }) => stream.destroy()).catch(() => undefined);
  }

  /** The initiator of the session opens the bytestream (XEP-0261 §2.2), whoever has offered it in a transport-replace. */
  #expectOpening(): void {
    const { session, peer, role, timeoutMs, signal } = this.#context;
    if (role === 'initiator') return;
    this.#acceptor = acceptInBandBytestream(
      session,
      { peer, sid: this.sid },
      { timeoutMs, ...(signal && { signal }) },
    );
  }
}

function decode(theirs: Element): InBandParameters {
  try {
    return InBandParameters.decode(theirs);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new TransportFailedError(`the other party's in-band transport is not usable: ${error.reason}`, {
      cause: error,
    });
  }
}
