/**
 * One SASL exchange on a stream, in the dress of RFC 6120 §6 or of XEP-0388 (SASL2).
 *
 * Not here: SASL2 tasks (`<continue/>`): second factors and forced password changes end in an error that names them.
 */
import { AuthError, ProtocolError } from '../../errors.js';
import { xml, type Element } from '../../xml/element.js';
import type { SaslStream } from './authentication.js';
import { decodeBase64 } from './base64.js';
import { readFailure, type SaslFailure } from './failure.js';
import type { SaslMechanism } from './mechanism.js';
import { NS_SASL, NS_SASL2 } from './namespaces.js';

export type ExchangeOutcome =
  | { success: Element }
  | {
      failure: SaslFailure;
      /** False where the server refused the very first message. */
      wasChallenged: boolean;
    };

interface Profile {
  namespace: string;
  begin(mechanism: string, initialResponse: string, extras: readonly Element[]): Element;
  /** The base64 text that came with the success, if any did. */
  additionalData(success: Element): string | undefined;
}

const profiles: Readonly<Record<'sasl' | 'sasl2', Profile>> = {
  sasl: {
    namespace: NS_SASL,
    // RFC 6120 §6.4.2: `=` is an initial response of no bytes.
    begin: (mechanism, initial) => xml('auth', { xmlns: NS_SASL, mechanism }, initial || '='),
    additionalData: (success) => success.text(),
  },
  sasl2: {
    namespace: NS_SASL2,
    begin: (mechanism, initial, extras) =>
      xml('authenticate', { xmlns: NS_SASL2, mechanism }, xml('initial-response', {}, initial), ...extras),
    additionalData: (success) => success.getChild('additional-data')?.text(),
  },
};

/**
 * Runs a mechanism to its end. After a success the server has proved itself, where the mechanism can do that.
 *
 * @param extras SASL2: what goes along inside `<authenticate/>`
 * @throws AuthError the server broke the rules of the mechanism, or did not prove itself
 * @throws ProtocolError it answered something else
 */
export async function exchange(
  stream: SaslStream,
  profileName: 'sasl' | 'sasl2',
  mechanism: SaslMechanism,
  extras: readonly Element[],
): Promise<ExchangeOutcome> {
  const profile = profiles[profileName];
  const doing = `waiting for the server in the login with ${mechanism.name}`;
  const initial = await mechanism.start();
  stream.send(profile.begin(mechanism.name, initial.toString('base64'), extras));
  let wasChallenged = false;
  for (;;) {
    const element = await stream.next(doing);
    const name = element.getNS() === profile.namespace ? element.getName() : '';
    switch (name) {
      case 'challenge': {
        wasChallenged = true;
        const response = await mechanism.respond(decode(element.text(), mechanism));
        stream.send(xml('response', { xmlns: profile.namespace }, response.toString('base64') || undefined));
        break;
      }
      case 'success': {
        const data = profile.additionalData(element);
        mechanism.finish(data === undefined ? undefined : decode(data, mechanism));
        return { success: element };
      }
      case 'failure':
        return { failure: readFailure(element), wasChallenged };
      case 'continue':
        throw furtherTasks(element);
      default:
        throw new ProtocolError(`the server sent <${element.getName()}/> in the middle of the login`);
    }
  }
}

function decode(text: string, mechanism: SaslMechanism): Buffer {
  const trimmed = text.trim();
  // RFC 6120 §6.4.2 again.
  const data = decodeBase64(trimmed === '=' ? '' : trimmed);
  if (data) return data;
  throw new AuthError(`the server sent a message of ${mechanism.name} that is not base64`);
}

function furtherTasks(element: Element): AuthError {
  const tasks = (element.getChild('tasks')?.getChildren('task') ?? [])
    .map((task) => task.text().trim())
    .filter((task) => /^[\w-]{1,40}$/.test(task));
  return new AuthError(
    `the server asks for more than the password: ${tasks.join(' or ') || 'a further step'}`,
    {
      hint: 'second factors and forced changes of the password need another client',
      details: { tasks },
    },
  );
}
