/**
 * SCRAM credentials of an export, in the form that each server reads.
 *
 * XEP-0227 §4.3 wants base64 of the salt and of both keys. COMPAT(ejabberd): it keeps them in base64 and encodes that
 * once more, and decodes once when it reads them. Each server refuses every password (Prosody) or fails at every login
 * (ejabberd) with what is right for the other one.
 */
import { childElements, xml, type Element } from '../../xml/element.js';
import { NS_PIE_SCRAM } from './namespaces.js';

export type ScramForm = 'single' | 'double';

const keyBytes: Readonly<Record<string, number>> = {
  'SCRAM-SHA-1': 20,
  'SCRAM-SHA-256': 32,
  'SCRAM-SHA-512': 64,
};

/** COMPAT(ejabberd 23.01): its import ends at credentials for a mechanism that it does not know. */
export function isKnownToEjabberd(credentials: Element): boolean {
  return Object.hasOwn(keyBytes, String(credentials.attrs['mechanism'] ?? ''));
}

const encoded = ['salt', 'server-key', 'stored-key'] as const;

/** How the credentials are encoded, told by the length of their keys; undefined when they are broken. */
export function scramForm(credentials: Element): ScramForm | undefined {
  const wanted = keyBytes[String(credentials.attrs['mechanism'] ?? '').toUpperCase()];
  const keys = [textOf(credentials, 'server-key'), textOf(credentials, 'stored-key')].map(decode);
  const salt = decode(textOf(credentials, 'salt'));
  if (!/^[1-9]\d*$/.test(textOf(credentials, 'iter-count')) || !salt || salt.length === 0) return undefined;
  const isOf = (key: Buffer | undefined): boolean =>
    key !== undefined && (wanted === undefined ? key.length > 0 : key.length === wanted);
  const inner = keys.map((key) => key && decode(key.toString('latin1')));
  const innerSalt = decode(salt.toString('latin1'));
  if (inner.every(isOf) && innerSalt !== undefined && innerSalt.length > 0) return 'double';
  return keys.every(isOf) ? 'single' : undefined;
}

/** The same credentials in another form. */
export function convertScram(credentials: Element, from: ScramForm, to: ScramForm): Element {
  if (from === to) return credentials;
  const convert = (text: string): string =>
    to === 'single'
      ? Buffer.from(text, 'base64').toString('latin1')
      : Buffer.from(text, 'latin1').toString('base64');
  return xml(
    'scram-credentials',
    { ...(credentials.attrs as Record<string, string>) },
    ...childElements(credentials).map((child) => {
      const text = child.getText().trim();
      const isEncoded = (encoded as readonly string[]).includes(child.getName());
      return xml(
        child.name,
        { ...(child.attrs as Record<string, string>) },
        isEncoded ? convert(text) : text,
      );
    }),
  );
}

/**
 * COMPAT(ejabberd before 20.12): credentials stood in the attribute `password`, as
 * `scram:STORED-KEY,SERVER-KEY,SALT,ITERATIONS`. Undefined when this is a password.
 */
export function scramOfPassword(password: string): Element | undefined {
  const parts = /^scram:(?:(sha256|sha512),)?([^,]+),([^,]+),([^,]+),(\d+)$/.exec(password);
  if (!parts) return undefined;
  const [, hash, storedKey = '', serverKey = '', salt = '', iterations = ''] = parts;
  const mechanism = hash === 'sha256' ? 'SCRAM-SHA-256' : hash === 'sha512' ? 'SCRAM-SHA-512' : 'SCRAM-SHA-1';
  const credentials = xml(
    'scram-credentials',
    { xmlns: NS_PIE_SCRAM, mechanism },
    xml('iter-count', {}, iterations),
    xml('salt', {}, salt),
    xml('server-key', {}, serverKey),
    xml('stored-key', {}, storedKey),
  );
  return scramForm(credentials) === undefined ? undefined : credentials;
}

function textOf(credentials: Element, name: string): string {
  return (
    childElements(credentials)
      .find((child) => child.getName() === name)
      ?.getText()
      .trim() ?? ''
  );
}

/** Undefined: it is no base64. */
function decode(text: string | undefined): Buffer | undefined {
  if (text === undefined || text === '' || text.length % 4 !== 0) return undefined;
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}
