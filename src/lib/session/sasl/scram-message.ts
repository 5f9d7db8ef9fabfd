/**
 * The messages of SCRAM (RFC 5802 §5.1, §7), read strictly: what the grammar does not allow is not an honest server's.
 */
import { isUtf8 } from 'node:buffer';
import { AuthError } from '../../errors.js';
import { decodeBase64 } from './base64.js';

/** RFC 7677 §4: "a server SHOULD announce at least 4096". Fewer make a stolen exchange cheap to crack. */
export const MIN_ITERATIONS = 4096;
/** Five to twelve seconds of one core, and well above what anybody recommends (1,400,000): a hostile server gets no more. */
export const MAX_ITERATIONS = 10_000_000;

export interface ServerFirst {
  /** The whole nonce, ours at its beginning. */
  nonce: string;
  salt: Buffer;
  iterations: number;
  /** Optional attributes by their letter. */
  extensions: ReadonlyMap<string, string>;
}

const NONCE = /^[\x21-\x2b\x2d-\x7e]+$/;

/**
 * Reads `r=…,s=…,i=…`.
 *
 * @throws AuthError
 */
export function readServerFirst(message: Buffer, clientNonce: string): ServerFirst {
  const [first, second, third, ...rest] = readAttributes(message);
  if (first?.[0] === 'm') throw dishonest('the server demands a SCRAM extension that does not exist');
  if (first?.[0] === 'e') throw serverError(first[1]);
  if (first?.[0] !== 'r' || second?.[0] !== 's' || third?.[0] !== 'i') {
    throw dishonest('the server sent a SCRAM challenge that cannot be read');
  }
  const nonce = first[1];
  if (!nonce.startsWith(clientNonce) || nonce.length === clientNonce.length || !NONCE.test(nonce)) {
    throw dishonest('the server did not extend the nonce of the SCRAM exchange');
  }
  const salt = decodeBase64(second[1]);
  if (salt === undefined || salt.length === 0)
    throw dishonest('the server sent a SCRAM salt that is not base64');
  return { nonce, salt, iterations: readIterations(third[1]), extensions: new Map(rest) };
}

function readIterations(text: string): number {
  const iterations = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0;
  if (iterations < MIN_ITERATIONS) {
    throw new AuthError(
      `the server asks for ${safeNumber(text)} SCRAM iterations; fewer than ${MIN_ITERATIONS} are not safe`,
      {
        hint: 'this may be an attack on the password; otherwise the server has to store it with more iterations',
      },
    );
  }
  if (iterations > MAX_ITERATIONS) {
    throw new AuthError(
      `the server asks for ${iterations} SCRAM iterations; more than ${MAX_ITERATIONS} are refused`,
    );
  }
  return iterations;
}

function safeNumber(text: string): string {
  return /^\d{1,15}$/.test(text) ? text : 'an unreadable number of';
}

/**
 * Reads `v=…`.
 *
 * @returns the server's signature
 * @throws AuthError also for `e=…`
 */
export function readServerFinal(message: Buffer): Buffer {
  const [first] = readAttributes(message);
  if (first?.[0] === 'e') throw serverError(first[1]);
  const signature = first?.[0] === 'v' ? decodeBase64(first[1]) : undefined;
  if (signature === undefined) throw dishonest('the server sent a SCRAM signature that cannot be read');
  return signature;
}

function readAttributes(message: Buffer): [letter: string, value: string][] {
  if (!isUtf8(message)) throw dishonest('the server sent a SCRAM message that is not UTF-8');
  return message
    .toString('utf8')
    .split(',')
    .map((attribute) => {
      if (!/^[A-Za-z]=./su.test(attribute))
        throw dishonest('the server sent a SCRAM message that cannot be read');
      return [attribute.charAt(0), attribute.slice(2)];
    });
}

/** Commas and equals signs are spelt out in a user name (RFC 5802 §5.1, `saslname`). */
export function escapeSaslName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

function dishonest(message: string): AuthError {
  return new AuthError(message, {
    hint: 'the server is broken, or something between it and us is not honest',
  });
}

/** `server-error-value` of RFC 5802 §7. */
const serverErrors: Readonly<Record<string, string>> = {
  'invalid-encoding': 'the message could not be decoded',
  'extensions-not-supported': 'an extension is not supported',
  'invalid-proof': 'the password is wrong',
  'channel-bindings-dont-match': 'the channel bindings differ: somebody may be between us and the server',
  'server-does-support-channel-binding':
    'the server does offer channel binding, but the offer did not arrive: somebody may be between us and the server',
  'channel-binding-not-supported': 'the server does not support channel binding',
  'unsupported-channel-binding-type': 'the server does not support this type of channel binding',
  'unknown-user': 'the server does not know the user',
  'invalid-username-encoding': 'the user name is not acceptable',
  'no-resources': 'the server has no resources left',
};

function serverError(value: string): AuthError {
  const meaning = serverErrors[value];
  return meaning === undefined
    ? new AuthError('the server refused the SCRAM exchange')
    : new AuthError(`the server refused the SCRAM exchange: ${meaning}`, { details: { scramError: value } });
}
