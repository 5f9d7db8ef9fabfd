/**
 * An XMPP server that answers a probe as a good server would, but for what it is told to do badly: real servers no
 * longer do most of these things. Not a server for anything else.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createSecureContext, TLSSocket, type SecureContextOptions } from 'node:tls';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';

export interface ProbedServerOptions {
  domain: string;
  kind?: 'client' | 'server';
  /** TLS from the first byte. */
  isDirect?: boolean;
  tls: SecureContextOptions & { requestCert?: boolean };
  starttls?: 'required' | 'optional' | 'absent';
  mechanisms?: readonly string[];
  /** Offered before TLS. */
  plainMechanisms?: readonly string[];
  /** What is taken before TLS. */
  takesInClear?: readonly ('auth' | 'registration' | 'message')[];
  /** Text behind <starttls/> is answered inside TLS. */
  isInjectable?: boolean;
  answersSecondStarttls?: boolean;
  id?: 'random' | 'same' | 'empty' | 'short';
  /** Attributes of the stream header that are left out. */
  without?: readonly ('from' | 'version' | 'lang')[];
  /** More features inside TLS, and before. */
  features?: string;
  plainFeatures?: string;
  registration?: 'closed' | 'open' | 'captcha' | 'redirect' | 'form';
  unknownUser?: 'challenge' | 'failure';
  iterations?: number;
  unknownMechanism?: string;
  /** Faults of the parser that it passes over. */
  takes?: readonly (
    | 'dtd'
    | 'comment'
    | 'instruction'
    | 'entity'
    | 'utf8'
    | 'control'
    | 'tags'
    | 'encoding'
    | 'content'
    | 'host'
  )[];
  /** Bytes of an unfinished stanza. */
  maxStanzaBytes?: number;
  /** What becomes of a message before authentication. */
  earlyMessage?: 'not-authorized' | 'bounce' | 'deliver';
  /** Takes a connection over before anything is said. */
  onConnection?: (socket: Socket) => void;
}

export interface ProbedServer extends AsyncDisposable {
  port: number;
  connections: () => number;
}

export async function startProbedServer(options: ProbedServerOptions): Promise<ProbedServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const context = createSecureContext(options.tls);
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    if (options.onConnection) options.onConnection(socket);
    else new Conversation(socket, options, context).start();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';

class Conversation {
  #socket: Socket;
  #text = '';
  #isSecure = false;
  #isOpen = false;

  constructor(
    socket: Socket,
    private readonly options: ProbedServerOptions,
    private readonly context: ReturnType<typeof createSecureContext>,
  ) {
    this.#socket = socket;
  }

  start(): void {
    if (this.options.isDirect === true) this.#secure('');
    else this.#listen();
  }

  #listen(): void {
    this.#socket.on('data', (data: Buffer) => this.#onData(data));
    this.#socket.on('error', () => undefined);
  }

  #secure(injected: string): void {
    this.#socket.removeAllListeners('data');
    const secured = new TLSSocket(this.#socket, {
      isServer: true,
      secureContext: this.context,
      ...(this.options.kind === 'server' && { requestCert: true, rejectUnauthorized: false }),
    });
    secured.on('error', () => undefined);
    this.#socket = secured;
    this.#isSecure = true;
    this.#isOpen = false;
    this.#text = '';
    this.#listen();
    if (injected !== '') secured.once('secure', () => this.#onData(Buffer.from(injected)));
  }

  #write(text: string): void {
    if (this.#socket.writable) this.#socket.write(text);
  }

  #onData(data: Buffer): void {
    const { takes = [], maxStanzaBytes = 10_000 } = this.options;
    if (!takes.includes('utf8') && data.includes(0xff)) {
      this.#fail('not-well-formed');
      return;
    }
    // eslint-disable-next-line no-control-regex -- what XML forbids
    if (!takes.includes('control') && /[\u0001-\u0008]/.test(data.toString('latin1'))) {
      this.#fail('not-well-formed');
      return;
    }
    this.#text += data.toString('latin1');
    if (!this.#isOpen) {
      this.#onHeader();
      return;
    }
    if (this.#text.length > maxStanzaBytes) {
      this.#fail('policy-violation');
      return;
    }
    this.#onStanzas();
  }

  #onHeader(): void {
    const { domain, takes = [] } = this.options;
    if (!/^\s*</.test(this.#text)) {
      this.#fail('not-well-formed');
      return;
    }
    const header = /<stream:stream\s[^>]*>/.exec(this.#text);
    if (!header) return;
    const prolog = this.#text.slice(0, header.index);
    const rest = this.#text.slice(header.index + header[0].length);
    const get = (name: string): string | undefined => new RegExp(`\\s${name}='([^']*)'`).exec(header[0])?.[1];
    this.#text = '';
    if (prolog.includes('<!DOCTYPE') && !takes.includes('dtd')) {
      this.#fail('restricted-xml');
      return;
    }
    if (prolog.includes('8859') && !takes.includes('encoding')) {
      this.#fail('unsupported-encoding');
      return;
    }
    if (get('xmlns:stream') !== 'http://etherx.jabber.org/streams') {
      this.#fail('invalid-namespace');
      return;
    }
    if (!/^jabber:(client|server)$/.test(get('xmlns') ?? '') && !takes.includes('content')) {
      this.#fail('invalid-namespace');
      return;
    }
    if (get('to') === undefined) {
      this.#fail('improper-addressing');
      return;
    }
    if (get('to') !== domain && !takes.includes('host')) {
      this.#fail('host-unknown');
      return;
    }
    this.#isOpen = true;
    this.#write(this.#header() + this.#features());
    this.#text = rest;
    if (rest !== '') this.#onStanzas();
  }

  #header(): string {
    const { domain, kind = 'client', id = 'random', without = [] } = this.options;
    const ids = {
      random: randomBytes(12).toString('hex'),
      same: 'always-the-same-id',
      empty: '',
      short: randomBytes(2).toString('hex'),
    };
    return (
      `<?xml version='1.0'?><stream:stream xmlns='jabber:${kind}' xmlns:stream='http://etherx.jabber.org/streams' id='${ids[id]}'` +
      `${without.includes('from') ? '' : ` from='${domain}'`}${without.includes('version') ? '' : " version='1.0'"}` +
      `${without.includes('lang') ? '' : " xml:lang='en'"}>`
    );
  }

  #features(): string {
    const {
      kind = 'client',
      starttls = 'required',
      mechanisms = ['SCRAM-SHA-256', 'PLAIN'],
      plainMechanisms = [],
      without = [],
    } = this.options;
    if (without.includes('version')) return '';
    const list = (names: readonly string[]): string =>
      names.length === 0
        ? ''
        : `<mechanisms xmlns='${NS_SASL}'>${names.map((name) => `<mechanism>${name}</mechanism>`).join('')}</mechanisms>`;
    if (!this.#isSecure) {
      const tls =
        starttls === 'absent'
          ? ''
          : `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>${starttls === 'required' ? '<required/>' : ''}</starttls>`;
      return `<stream:features>${tls}${list(plainMechanisms)}${this.options.plainFeatures ?? ''}</stream:features>`;
    }
    const own = kind === 'server' ? "<dialback xmlns='urn:xmpp:features:dialback'/>" : list(mechanisms);
    const { registration = 'closed', features = '' } = this.options;
    const register =
      registration === 'closed' ? '' : "<register xmlns='http://jabber.org/features/iq-register'/>";
    return `<stream:features>${own}${register}${features}</stream:features>`;
  }

  #onStanzas(): void {
    const { takes = [] } = this.options;
    if (this.#text.includes('<!--') && !takes.includes('comment')) {
      this.#fail('restricted-xml');
      return;
    }
    if (this.#text.includes('<?probe') && !takes.includes('instruction')) {
      this.#fail('restricted-xml');
      return;
    }
    if (this.#text.includes('&probe;') && !takes.includes('entity')) {
      this.#fail('not-well-formed');
      return;
    }
    if (this.#text.includes('<body></subject>') && !takes.includes('tags')) {
      this.#fail('not-well-formed');
      return;
    }
    if (this.#text.includes('<a><a><a>')) {
      this.#fail('policy-violation');
      return;
    }
    if (this.#text.includes('<starttls')) {
      this.#onStarttls();
      return;
    }
    if (this.#text.includes('<auth')) {
      this.#onAuth();
      return;
    }
    if (this.#text.includes('<iq')) {
      this.#onIq();
      return;
    }
    if (this.#text.includes('<probe')) {
      this.#fail('unsupported-stanza-type');
      return;
    }
    if (this.#text.includes('</message>')) {
      this.#onMessage();
      return;
    }
    if (this.#text.includes('</stream:stream>')) {
      this.#write('</stream:stream>');
      this.#socket.end();
    }
  }

  #onStarttls(): void {
    const behind = this.#text.slice(this.#text.indexOf('/>', this.#text.indexOf('<starttls')) + 2);
    this.#text = '';
    if (this.#isSecure) {
      if (this.options.answersSecondStarttls === true)
        this.#write("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      else {
        this.#write("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
        this.#socket.end();
      }
      return;
    }
    this.#write("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    this.#secure(this.options.isInjectable === true ? behind : '');
  }

  #onAuth(): void {
    const {
      takesInClear = [],
      unknownUser = 'challenge',
      iterations = 10_000,
      unknownMechanism = 'invalid-mechanism',
      mechanisms = ['SCRAM-SHA-256', 'PLAIN'],
      plainMechanisms = [],
    } = this.options;
    const mechanism = /mechanism='([^']*)'/.exec(this.#text)?.[1] ?? '';
    const first = Buffer.from(/>([^<]*)<\/auth>/.exec(this.#text)?.[1] ?? '', 'base64').toString();
    this.#text = '';
    const failure = (condition: string): void =>
      this.#write(`<failure xmlns='${NS_SASL}'><${condition}/></failure>`);
    if (!this.#isSecure && !takesInClear.includes('auth')) {
      failure('encryption-required');
      return;
    }
    if (!(this.#isSecure ? mechanisms : plainMechanisms).includes(mechanism)) {
      failure(unknownMechanism);
      return;
    }
    if (!mechanism.startsWith('SCRAM') || unknownUser === 'failure') {
      failure('not-authorized');
      return;
    }
    const nonce = /r=([^,]*)/.exec(first)?.[1] ?? '';
    const challenge = Buffer.from(
      `r=${nonce}server,s=${Buffer.from('salt').toString('base64')},i=${iterations}`,
    ).toString('base64');
    this.#write(`<challenge xmlns='${NS_SASL}'>${challenge}</challenge>`);
  }

  #onIq(): void {
    const { takesInClear = [], registration = 'closed' } = this.options;
    this.#text = '';
    const isTaken = this.#isSecure || takesInClear.includes('registration');
    const forms = {
      closed: undefined,
      open: '<username/><password/>',
      form: '<username/><password/><email/>',
      captcha:
        "<x xmlns='jabber:x:data' type='form'><field var='username'/><field var='password'/><field var='ocr'><media xmlns='urn:xmpp:media-element'/></field></x>",
      redirect:
        "<instructions>go there</instructions><x xmlns='jabber:x:oob'><url>https://example.org/</url></x>",
    };
    const form = forms[registration] ?? (takesInClear.includes('registration') ? forms.form : undefined);
    if (!isTaken)
      this.#write(
        "<iq type='error' id='r1'><error type='auth'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
      );
    else if (form === undefined)
      this.#write(
        "<iq type='error' id='reg1'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
      );
    else this.#write(`<iq type='result' id='reg1'><query xmlns='jabber:iq:register'>${form}</query></iq>`);
  }

  #onMessage(): void {
    const { takesInClear = [], earlyMessage = 'not-authorized' } = this.options;
    const text = this.#text;
    this.#text = '';
    if (!this.#isSecure) {
      if (takesInClear.includes('message')) {
        this.#write("<message type='headline'><body>welcome</body></message>");
        return;
      }
      this.#fail('policy-violation');
      return;
    }
    // A message that a lenient parser let through is as early as any other.
    if (/&probe;|<\/subject>/.test(text)) return undefined;
    if (earlyMessage === 'deliver') {
      this.#write('<message><body>delivered</body></message>');
      return;
    }
    if (earlyMessage === 'bounce') {
      this.#write(
        "<message type='error'><error type='auth'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
      );
      return;
    }
    this.#fail('not-authorized');
  }

  #fail(condition: string): void {
    if (!this.#isOpen) this.#write(this.#header());
    this.#write(
      `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`,
    );
    this.#socket.end();
  }
}
