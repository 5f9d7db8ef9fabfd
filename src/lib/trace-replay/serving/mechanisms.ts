/** The mechanisms of SASL (RFC 4422) that a client can log in with where a recording stands for the server. */
import { randomUUID } from 'node:crypto';
import { saslprep } from '../../session/sasl/saslprep.js';
import { ServerScram, type ScramHash } from './scram.js';

/** What the server says next. */
export type Step =
  | { kind: 'challenge'; data: Buffer }
  /** `name` is the local part of who it is, as the client wrote it. */
  | { kind: 'success'; name: string; data?: Buffer }
  /** A condition of RFC 6120 §6.5. */
  | { kind: 'failure'; condition: string };

/** The server's side of one exchange. The client begins. */
export interface ServerMechanism {
  next(message: Buffer): Promise<Step>;
}

export type Mechanisms = ReadonlyMap<string, () => ServerMechanism>;

const scramHashes: readonly [name: string, hash: ScramHash][] = [
  ['SCRAM-SHA-512', 'sha512'],
  ['SCRAM-SHA-256', 'sha256'],
  ['SCRAM-SHA-1', 'sha1'],
];

/**
 * PLAIN takes any password and ANONYMOUS asks for none; SCRAM proves itself to the client, and so has to know the password.
 *
 * @param password undefined leaves SCRAM out
 * @throws AuthError SASLprep forbids the password
 */
export async function servedMechanisms(password: string | undefined): Promise<Mechanisms> {
  const mechanisms = new Map<string, () => ServerMechanism>();
  if (password !== undefined) {
    const prepared = await saslprep(password, 'the password');
    for (const [name, hash] of scramHashes) mechanisms.set(name, () => new ServerScram(hash, prepared));
  }
  mechanisms.set('PLAIN', () => ({ next: (message) => Promise.resolve(takePlain(message)) }));
  mechanisms.set('ANONYMOUS', () => ({
    next: () => Promise.resolve<Step>({ kind: 'success', name: randomUUID() }),
  }));
  return mechanisms;
}

/** RFC 4616: `authzid NUL authcid NUL password`. */
function takePlain(message: Buffer): Step {
  const [, name, password] = message.toString('utf8').split('\0');
  if (name === undefined || name === '' || password === undefined)
    return { kind: 'failure', condition: 'malformed-request' };
  return { kind: 'success', name };
}
