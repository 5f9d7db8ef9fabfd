import { AuthError } from '../../errors.js';

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/**
 * Prepares a user name or a password by SASLprep (RFC 4013), as RFC 5802 §5.1 says.
 *
 * RFC 8265 replaces SASLprep with the PRECIS profile OpaqueString. They differ outside ASCII: SASLprep applies NFKC and
 * OpaqueString NFC, so that `ﬁ` or full-width digits come out differently. The keys that servers have stored were derived
 * from SASLprepped passwords (Prosody: SASLprep; ejabberd: the closely related Resourceprep), and a client that prepares
 * otherwise than the server stored cannot log in. Text is prepared as a "query": code points that Unicode 3.2 did not know,
 * such as most emoji, pass unchanged.
 *
 * @param what the subject of the error message: `the password`
 */
export async function saslprep(text: string, what: string): Promise<string> {
  if (text === '') throw new AuthError(`${what} is empty`);
  // The tables of SASLprep cost milliseconds to load, and printable ASCII is its own SASLprep.
  if (PRINTABLE_ASCII.test(text)) return text;
  const { saslprep: prepare } = await import('@mongodb-js/saslprep');
  try {
    return prepare(text, { allowUnassigned: true });
  } catch {
    // The library's message may quote the text. It also fails where nothing is left of it.
    throw new AuthError(`${what} contains a character that SASLprep (RFC 4013) forbids`);
  }
}
