/** The server's side of a login: SASL (RFC 6120 §6), SASL2 (XEP-0388), FAST (XEP-0484). */
import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { Element } from '@xmpp/xml';
import type { FakeServerOptions } from './options.js';
import { PeerLeft, type FakePeer } from './peer.js';
import { ScramServer } from './scram-server.js';

export const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
export const NS_SASL2 = 'urn:xmpp:sasl:2';
const NS_FAST = 'urn:xmpp:fast:0';

export interface FastRecord {
  mechanism: string;
  token: string;
  userAgentId: string;
  count: number;
}

export interface LoginContext {
  options: FakeServerOptions;
  /** Tokens given out, by user name. */
  tokens: Map<string, FastRecord>;
  accounts: Readonly<Record<string, string>>;
  mechanisms: readonly string[];
  /** A hook of the server; does not return where it takes over. */
  step: (name: 'auth' | 'response', received: Element) => Promise<void>;
}

export interface LoggedIn {
  username: string;
  /** What came with SASL2's `<authenticate/>`. */
  request: Element;
  isSasl2: boolean;
  /** Text for `<success/>`. */
  additionalData: string | undefined;
  token: string;
}

/** Waits for the login that works; refuses the others. */
export async function logIn(peer: FakePeer, context: LoginContext): Promise<LoggedIn> {
  for (;;) {
    const request = await peer.element();
    await context.step('auth', request);
    const isSasl2 = request.is('authenticate', NS_SASL2);
    if (!isSasl2 && !request.is('auth', NS_SASL)) throw new PeerLeft(`<${request.name}/> is no login`);
    const mechanism = String(request.attrs['mechanism']);
    const initial = (isSasl2 ? request.getChildText('initial-response') : request.text()) ?? '';
    const outcome = await runMechanism(peer, context, { mechanism, initial, request, isSasl2 });
    if ('username' in outcome) {
      const token = issueToken(context, request, outcome.username);
      return { username: outcome.username, additionalData: outcome.final, request, isSasl2, token };
    }
    await peer.write(
      `<failure xmlns='${isSasl2 ? NS_SASL2 : NS_SASL}'><${outcome.error} xmlns='${NS_SASL}'/>` +
        `${outcome.text && `<text xml:lang='en'>${outcome.text}</text>`}</failure>`,
    );
  }
}

type Outcome = { username: string; final: string | undefined } | { error: string; text: string };

interface Attempt {
  mechanism: string;
  /** base64, or `=` */
  initial: string;
  request: Element;
  isSasl2: boolean;
}

async function runMechanism(peer: FakePeer, context: LoginContext, attempt: Attempt): Promise<Outcome> {
  const { options, accounts } = context;
  const { mechanism } = attempt;
  if (options.refuse) return { error: options.refuse.condition, text: options.refuse.text ?? '' };
  const first = Buffer.from(attempt.initial === '=' ? '' : attempt.initial, 'base64').toString('utf8');
  if (mechanism.startsWith('HT-')) return verifyToken(peer, context, attempt);
  if (!context.mechanisms.includes(mechanism)) return { error: 'invalid-mechanism', text: '' };
  switch (mechanism) {
    case 'PLAIN': {
      const [, username = '', password = ''] = first.split('\0');
      if (accounts[username] !== undefined && accounts[username] === password)
        return { username, final: undefined };
      return { error: 'not-authorized', text: '' };
    }
    case 'ANONYMOUS':
      return { username: randomUUID(), final: undefined };
    case 'EXTERNAL':
      return { username: first.split('@')[0] ?? '', final: undefined };
    default:
      return runScram(peer, context, attempt, first);
  }
}

async function runScram(
  peer: FakePeer,
  context: LoginContext,
  { mechanism, isSasl2 }: Attempt,
  clientFirst: string,
): Promise<Outcome> {
  const { options, accounts, mechanisms } = context;
  const { bindingTypes, listHash, scram: lies = {} } = options;
  const server = new ScramServer({
    mechanism,
    hasPlus: mechanisms.some((name) => name.endsWith('-PLUS')),
    passwordOf: (username) => accounts[username],
    channelBinding: (type) =>
      bindingTypes?.includes(type) === false ? undefined : peer.channelBinding(type),
    ...(listHash && { listHash: listHash === 'honest' ? honestListHash(context) : listHash }),
    lies,
  });
  const challenge = server.first(clientFirst);
  if (typeof challenge !== 'string') return challenge;
  const namespace = isSasl2 ? NS_SASL2 : NS_SASL;
  const ask = async (text: string): Promise<string> => {
    await peer.write(`<challenge xmlns='${namespace}'>${Buffer.from(text).toString('base64')}</challenge>`);
    const response = await peer.element();
    await context.step('response', response);
    return Buffer.from(response.text(), 'base64').toString('utf8');
  };
  const result = server.final(await ask(challenge));
  if ('error' in result || !lies.isFinalInChallenge || result.final === undefined) return result;
  await ask(result.final);
  return { username: result.username, final: undefined };
}

function honestListHash({ options, mechanisms }: LoginContext): (algorithm: string) => string {
  const text = [mechanisms, ...(options.advertisedBindings ? [options.advertisedBindings] : [])]
    .map((list) => [...list].sort().join('\x1e'))
    .join('\x1f');
  return (algorithm) => createHash(algorithm).update(text).digest('base64');
}

const tokenBindings: Readonly<Record<string, string>> = {
  UNIQ: 'tls-unique',
  EXPR: 'tls-exporter',
  ENDP: 'tls-server-end-point',
};

function verifyToken(
  peer: FakePeer,
  { tokens }: LoginContext,
  { mechanism, initial, request }: Attempt,
): Outcome {
  const message = Buffer.from(initial, 'base64');
  const separator = message.indexOf(0);
  const username = message.subarray(0, separator).toString('utf8');
  const record = tokens.get(username);
  const binding = tokenBindings[mechanism.slice(-4)];
  const data = binding === undefined ? Buffer.alloc(0) : (peer.channelBinding(binding) ?? Buffer.alloc(0));
  const mac = (role: string): Buffer =>
    createHmac('sha256', record?.token ?? '')
      .update(role)
      .update(data)
      .digest();
  const count = Number(request.getChild('fast', NS_FAST)?.attrs['count']);
  const isRight =
    record?.mechanism === mechanism &&
    record.userAgentId === request.getChild('user-agent')?.attrs['id'] &&
    count > record.count &&
    mac('Initiator').equals(message.subarray(separator + 1));
  if (!isRight) return { error: 'credentials-expired', text: '' };
  record.count = count;
  return { username, final: mac('Responder').toString('latin1') };
}

function issueToken({ tokens }: LoginContext, request: Element, username: string): string {
  const wanted = request.getChild('request-token', NS_FAST);
  if (!wanted) return '';
  const token = randomBytes(18).toString('base64');
  const mechanism = String(wanted.attrs['mechanism']);
  const userAgentId = String(request.getChild('user-agent')?.attrs['id']);
  tokens.set(username, { mechanism, token, userAgentId, count: 0 });
  const expiry = new Date(Date.now() + 3_600_000).toISOString();
  return `<token xmlns='${NS_FAST}' token='${token}' expiry='${expiry}'/>`;
}

/** The encoding of `<additional-data/>`: the HT mechanisms answer with bytes, SCRAM with text. */
export function encodeData(mechanism: string, data: string): string {
  return Buffer.from(data, mechanism.startsWith('HT-') ? 'latin1' : 'utf8').toString('base64');
}
