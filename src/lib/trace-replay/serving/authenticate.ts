/**
 * Authentication of a client that is served, in the profile that it chooses: that of RFC 6120 §6, or the extensible one.
 *
 * XEP-0388: Extensible SASL Profile, version 1.0.4: without tasks, and without channel binding.
 */
import { AuthError, ConnectionLostError, ProtocolError } from '../../errors.js';
import { decodeBase64 } from '../../session/sasl/base64.js';
import { NS_SASL, NS_SASL2 } from '../../trace-analysis/namespaces.js';
import { elementsOf, textOf, type TraceElement } from '../../trace/trace-element.js';
import type { ServedLink } from './link.js';
import type { Mechanisms, ServerMechanism, Step } from './mechanisms.js';

export interface AuthenticateOptions {
  domain: string;
  mechanisms: Mechanisms;
  /** The extensible profile was offered, too. */
  hasSasl2: boolean;
}

export interface Authenticated {
  /** The local part of the client's address. */
  name: string;
  mechanism: string;
  namespace: typeof NS_SASL | typeof NS_SASL2;
  /** How the client began: with SASL2 it says what it wants besides. */
  request: TraceElement;
  /** What has to be said with the success. */
  data: Buffer | undefined;
}

const maxFailures = 5;
const doing = 'waiting for the client to log in';

/**
 * Authenticates the client as whoever it says it is. Its success is still to be told.
 * @throws AuthError it has no way of logging in that is served, or has another password than the one given
 * @throws ProtocolError @throws ConnectionLostError @throws TimeoutError @throws InterruptedError
 */
export async function authenticate(link: ServedLink, options: AuthenticateOptions): Promise<Authenticated> {
  let refusal: AuthError | undefined;
  for (let failures = 0; failures < maxFailures; failures += 1) {
    let request: TraceElement;
    try {
      request = await link.element(doing);
    } catch (error) {
      // It went because it was refused.
      const isOver = error instanceof ProtocolError || error instanceof ConnectionLostError;
      throw isOver && refusal ? refusal : error;
    }
    const namespace = profileOf(request, options.hasSasl2);
    if (namespace === undefined)
      throw new ProtocolError(`the client sent <${request.name}/> instead of logging in`);
    const mechanism = request.attributes['mechanism'] ?? '';
    const start = options.mechanisms.get(mechanism);
    const step: Step = start
      ? await exchange(link, start(), request, namespace)
      : { kind: 'failure', condition: 'invalid-mechanism' };
    if (step.kind === 'success') {
      const name = localPartOf(step.name, options.domain);
      if (name !== undefined) return { name, mechanism, namespace, request, data: step.data };
    }
    const condition = step.kind === 'failure' ? step.condition : 'malformed-request';
    link.write(
      `<failure xmlns="${namespace}"><${condition}${namespace === NS_SASL2 ? ` xmlns="${NS_SASL}"` : ''}/></failure>`,
    );
    refusal = explain(mechanism, condition, options.mechanisms);
  }
  throw refusal ?? new AuthError('the client could not log in');
}

function profileOf(
  { name, namespace }: TraceElement,
  hasSasl2: boolean,
): Authenticated['namespace'] | undefined {
  if (name === 'auth' && namespace === NS_SASL) return NS_SASL;
  return hasSasl2 && name === 'authenticate' && namespace === NS_SASL2 ? NS_SASL2 : undefined;
}

async function exchange(
  link: ServedLink,
  mechanism: ServerMechanism,
  request: TraceElement,
  namespace: string,
): Promise<Exclude<Step, { kind: 'challenge' }>> {
  let message = initialResponse(request, namespace);
  let step: Step = { kind: 'challenge', data: Buffer.alloc(0) };
  for (;;) {
    if (message === 'malformed') return { kind: 'failure', condition: 'incorrect-encoding' };
    // Nothing yet: an empty challenge lets the client begin (RFC 4422 §3).
    if (message !== undefined) step = await mechanism.next(message);
    if (step.kind !== 'challenge') return step;
    link.write(`<challenge xmlns="${namespace}">${step.data.toString('base64')}</challenge>`);
    const answer = await link.element(doing);
    if (answer.namespace === namespace && answer.name === 'abort')
      return { kind: 'failure', condition: 'aborted' };
    if (answer.namespace !== namespace || answer.name !== 'response')
      throw new ProtocolError(`the client sent <${answer.name}/> in the middle of logging in`);
    message = decode(textOf(answer));
  }
}

/** @returns undefined where the client lets the server begin */
function initialResponse(request: TraceElement, namespace: string): Buffer | 'malformed' | undefined {
  if (namespace === NS_SASL) {
    const text = textOf(request).trim();
    return text === '' ? undefined : decode(text);
  }
  const initial = elementsOf(request).find(({ name }) => name === 'initial-response');
  return initial && decode(textOf(initial));
}

function decode(text: string): Buffer | 'malformed' {
  const trimmed = text.trim();
  // RFC 6120 §6.4.2: a response of no bytes.
  return trimmed === '=' ? Buffer.alloc(0) : (decodeBase64(trimmed) ?? 'malformed');
}

/** Without the domain that some clients put behind it. @returns undefined for what is no local part (RFC 7622 §3.3) */
function localPartOf(name: string, domain: string): string | undefined {
  const suffix = `@${domain}`;
  const local = name.toLowerCase().endsWith(suffix.toLowerCase()) ? name.slice(0, -suffix.length) : name;
  return local === '' || Buffer.byteLength(local) > 1023 || /[\p{Cc}\s"&'/:<>@]/u.test(local)
    ? undefined
    : local;
}

function explain(mechanism: string, condition: string, mechanisms: Mechanisms): AuthError {
  const hasScram = [...mechanisms.keys()].some((name) => name.startsWith('SCRAM'));
  if (condition === 'not-authorized')
    return new AuthError(`the client has another password than the one that ${mechanism} is served with`);
  if (condition !== 'invalid-mechanism')
    return new AuthError(`the client could not log in with ${mechanism}: ${condition}`);
  return new AuthError(`the client wants to log in with ${mechanism || 'nothing'}`, {
    hint: hasScram
      ? `what is served is ${[...mechanisms.keys()].join(', ')}, without channel binding`
      : 'let it use PLAIN, which is inside TLS here; or give its password, and --scram',
  });
}
