/** The honest conversation of the fake server, with a hook at each step. */
import { randomUUID } from 'node:crypto';
import type { Element } from '@xmpp/xml';
import { encodeData, logIn, NS_SASL, NS_SASL2, type FastRecord, type LoggedIn } from './login.js';
import { ManagedStream } from './managed-stream.js';
import type { FakeServerOptions, Step } from './options.js';
import type { FakePeer } from './peer.js';

const NS_STREAMS = 'http://etherx.jabber.org/streams';
const NS_TLS = 'urn:ietf:params:xml:ns:xmpp-tls';
const NS_BIND = 'urn:ietf:params:xml:ns:xmpp-bind';
const NS_BIND2 = 'urn:xmpp:bind:0';
const NS_SM = 'urn:xmpp:sm:3';
const NS_STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas';

export interface Shared {
  domain: string;
  options: FakeServerOptions;
  stanzas: Element[];
  logins: Element[];
  tokens: Map<string, FastRecord>;
  streams: Map<string, ManagedStream>;
}

/** One connection's story, told from top to bottom. */
export class Conversation {
  jid = '';
  managed: ManagedStream | undefined;

  constructor(
    readonly peer: FakePeer,
    private readonly shared: Shared,
  ) {}

  async run(): Promise<void> {
    const { tls = 'starttls' } = this.shared.options;
    await this.#step('connect');
    if (tls === 'direct') {
      await this.#step('tls');
      await this.peer.startTls();
    } else if (tls === 'starttls') {
      await this.#openStream('open', 'plain', `<starttls xmlns='${NS_TLS}'><required/></starttls>`);
      await this.#startTls();
    }
    await this.#openStream(tls === 'none' ? 'open' : 'secure-open', 'secure', this.#loginFeatures());
    const login = await this.#logIn();
    if (login.isSasl2) await this.#succeedWithSasl2(login);
    else await this.#succeedWithSasl(login);
    for (;;) await this.#answer(await this.peer.element());
  }

  /** Sends a stanza, and keeps it until it is acknowledged. */
  async deliver(stanza: string): Promise<void> {
    this.managed?.outbound.push(stanza);
    await this.peer.write(stanza);
  }

  async #step(name: Step, received?: Element): Promise<void> {
    const hook = this.shared.options.at?.[name];
    if (!hook || (await hook(this.peer, received)) === 'go on') return;
    await this.peer.gone();
  }

  async #openStream(
    step: Step,
    phase: 'plain' | 'secure' | 'authenticated',
    features: string,
  ): Promise<void> {
    await this.peer.header();
    await this.#step(step);
    const { domain, options } = this.shared;
    await this.peer.write(
      `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='${NS_STREAMS}' ` +
        `version='1.0' from='${domain}' id='${randomUUID()}' xml:lang='en'>`,
    );
    await this.#sendFeatures(features, phase, options);
  }

  async #sendFeatures(
    features: string,
    phase: 'plain' | 'secure' | 'authenticated',
    options: FakeServerOptions,
  ): Promise<void> {
    const text = `<stream:features>${features}</stream:features>`;
    await this.peer.write(options.changeFeatures?.(text, phase) ?? text);
  }

  async #startTls(): Promise<void> {
    const request = await this.peer.element();
    await this.#step('starttls', request);
    await this.peer.write(`<proceed xmlns='${NS_TLS}'/>`);
    await this.#step('tls');
    await this.peer.startTls();
  }

  get #mechanisms(): readonly string[] {
    return this.shared.options.mechanisms ?? ['SCRAM-SHA-256', 'PLAIN'];
  }

  #loginFeatures(): string {
    const {
      hasSasl = true,
      hasSasl2,
      advertisedBindings,
      fastMechanisms,
      hasStreamManagement = true,
    } = this.shared.options;
    const list = (names: readonly string[]): string =>
      names.map((name) => `<mechanism>${name}</mechanism>`).join('');
    const bindings = advertisedBindings?.map((type) => `<channel-binding type='${type}'/>`).join('');
    const fast = fastMechanisms && `<fast xmlns='urn:xmpp:fast:0'>${list(fastMechanisms)}</fast>`;
    const sm = hasStreamManagement ? `<sm xmlns='${NS_SM}'/>` : '';
    const vars = ['urn:xmpp:carbons:2', ...(hasStreamManagement ? [NS_SM] : [])];
    const bind2 = `<bind xmlns='${NS_BIND2}'><inline>${vars.map((v) => `<feature var='${v}'/>`).join('')}</inline></bind>`;
    return [
      bindings === undefined
        ? ''
        : `<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>${bindings}</sasl-channel-binding>`,
      hasSasl2
        ? `<authentication xmlns='${NS_SASL2}'>${list(this.#mechanisms)}<inline>${bind2}${sm}${fast ?? ''}</inline></authentication>`
        : '',
      hasSasl ? `<mechanisms xmlns='${NS_SASL}'>${list(this.#mechanisms)}</mechanisms>` : '',
    ].join('');
  }

  #logIn(): Promise<LoggedIn> {
    const { options, tokens, logins } = this.shared;
    return logIn(this.peer, {
      options,
      tokens,
      accounts: options.accounts ?? { alice: 'wonderland' },
      mechanisms: this.#mechanisms,
      step: async (name, received) => {
        if (name === 'auth') logins.push(received);
        await this.#step(name, received);
      },
    });
  }

  #sessionFeatures(isBound: boolean): string {
    const { hasStreamManagement = true } = this.shared.options;
    return (
      (isBound ? '' : `<bind xmlns='${NS_BIND}'/>`) + (hasStreamManagement ? `<sm xmlns='${NS_SM}'/>` : '')
    );
  }

  async #succeedWithSasl({ username, request, additionalData }: LoggedIn): Promise<void> {
    const { options, domain } = this.shared;
    const data =
      additionalData === undefined ? '' : encodeData(String(request.attrs['mechanism']), additionalData);
    const success = `<success xmlns='${NS_SASL}'>${data}</success>`;
    this.jid = `${username}@${domain}`;
    this.peer.expectNewStream();
    await this.peer.write(options.changeSuccess?.(success) ?? success);
    await this.#openStream('authenticated-open', 'authenticated', this.#sessionFeatures(false));
  }

  async #succeedWithSasl2({ username, request, additionalData, token }: LoggedIn): Promise<void> {
    const { options, domain } = this.shared;
    this.jid = `${username}@${domain}`;
    const resume = request.getChild('resume', NS_SM);
    const resumption = resume ? this.#resume(resume) : undefined;
    const bind = resumption?.isResumed ? undefined : request.getChild('bind', NS_BIND2);
    let bound = '';
    if (bind) {
      this.jid += `/${bind.getChildText('tag') ?? 'x'}.${randomUUID().slice(0, 8)}`;
      bound = `<bound xmlns='${NS_BIND2}'>${bind.getChild('enable', NS_SM) ? this.#enable() : ''}</bound>`;
    }
    const data =
      additionalData === undefined ? '' : encodeData(String(request.attrs['mechanism']), additionalData);
    const success =
      `<success xmlns='${NS_SASL2}'>${data && `<additional-data>${data}</additional-data>`}` +
      `<authorization-identifier>${this.jid}</authorization-identifier>` +
      `${resumption?.text ?? ''}${bound}${token}</success>`;
    await this.peer.write(options.changeSuccess?.(success) ?? success);
    const isBound = bind !== undefined || resumption?.isResumed === true;
    await this.#sendFeatures(this.#sessionFeatures(isBound), 'authenticated', options);
    for (const stanza of resumption?.unacknowledged ?? []) await this.peer.write(stanza);
  }

  #enable(): string {
    this.managed = new ManagedStream(this.jid);
    this.shared.streams.set(this.managed.id, this.managed);
    return `<enabled xmlns='${NS_SM}' id='${this.managed.id}' resume='true' max='300'/>`;
  }

  #resume(request: Element): { text: string; isResumed: boolean; unacknowledged: readonly string[] } {
    const stream = this.shared.streams.get(String(request.attrs['previd']));
    if (!stream) {
      const text = `<failed xmlns='${NS_SM}'><item-not-found xmlns='${NS_STANZAS}'/></failed>`;
      return { text, isResumed: false, unacknowledged: [] };
    }
    this.managed = stream;
    this.jid = stream.jid;
    stream.acknowledge(Number(request.attrs['h']));
    const text = `<resumed xmlns='${NS_SM}' previd='${stream.id}' h='${stream.inbound}'/>`;
    return { text, isResumed: true, unacknowledged: stream.outbound };
  }

  async #answer(element: Element): Promise<void> {
    if (element.getNS() === NS_SM) {
      await this.#answerManagement(element);
    } else if (element.name === 'iq' && element.getChild('bind', NS_BIND)) {
      await this.#bind(element);
    } else {
      this.shared.stanzas.push(element);
      if (this.managed) this.managed.inbound += 1;
      await this.#step('stanza', element);
      const answer = (await this.shared.options.onStanza?.(this.peer, element)) ?? 'answered';
      const isOpen = this.shared.options.onStanza === undefined || answer === 'go on';
      if (isOpen && element.name === 'iq') await this.#answerIq(element);
    }
  }

  async #answerManagement(element: Element): Promise<void> {
    if (element.is('enable', NS_SM)) {
      await this.#step('enable', element);
      await this.peer.write(this.#enable());
    } else if (element.is('resume', NS_SM)) {
      await this.#step('resume', element);
      const { text, unacknowledged } = this.#resume(element);
      await this.peer.write(text);
      for (const stanza of unacknowledged) await this.peer.write(stanza);
    } else if (element.is('r', NS_SM)) {
      await this.#step('stanza', element);
      await this.peer.write(`<a xmlns='${NS_SM}' h='${this.managed?.inbound ?? 0}'/>`);
    } else if (element.is('a', NS_SM)) {
      this.managed?.acknowledge(Number(element.attrs['h']));
    }
  }

  async #bind(iq: Element): Promise<void> {
    await this.#step('bind', iq);
    this.jid += `/${iq.getChild('bind', NS_BIND)?.getChildText('resource') ?? randomUUID().slice(0, 8)}`;
    const id = String(iq.attrs['id']);
    await this.peer.write(
      `<iq type='result' id='${id}'><bind xmlns='${NS_BIND}'><jid>${this.jid}</jid></bind></iq>`,
    );
  }

  /** Pings succeed; nothing else is known. */
  async #answerIq(iq: Element): Promise<void> {
    const { id, to, type } = iq.attrs as Record<string, string | undefined>;
    if (type !== 'get' && type !== 'set') return;
    const isPing = iq.getChild('ping', 'urn:xmpp:ping') !== undefined;
    const addresses = `id='${id ?? ''}' to='${this.jid}'${to === undefined ? '' : ` from='${to}'`}`;
    const error = `<error type='cancel'><service-unavailable xmlns='${NS_STANZAS}'/></error>`;
    await this.deliver(`<iq type='${isPing ? 'result' : 'error'}' ${addresses}>${isPing ? '' : error}</iq>`);
  }
}
