/** What `authenticate` refuses by itself, whatever its caller has checked before. */
import { expect, test } from 'vitest';
import { AuthError } from '../../../../src/lib/errors.js';
import { JID } from '../../../../src/lib/jid/jid.js';
import { authenticate } from '../../../../src/lib/session/sasl/authenticate.js';
import type { SaslStream } from '../../../../src/lib/session/sasl/authentication.js';
import type { ConnectOptions } from '../../../../src/lib/session/options.js';
import type { Element } from '../../../../src/lib/xml/element.js';
import { parseXml } from '../../../../src/lib/xml/parse.js';

const features = (content: string): Element =>
  parseXml(`<features xmlns='http://etherx.jabber.org/streams'>${content}</features>`);
const sasl =
  "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256</mechanism></mechanisms>";
const sasl2 = "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism></authentication>";

class SilentStream implements SaslStream {
  sent: string[] = [];
  send(element: Element): void {
    this.sent.push(element.toString());
  }
  next(): Promise<Element> {
    return Promise.reject(new Error('the server says nothing'));
  }
}

async function attempt(
  offer: string,
  isSecure: boolean,
  overrides: Partial<ConnectOptions> = {},
): Promise<[unknown, string[]]> {
  const stream = new SilentStream();
  const options: ConnectOptions = {
    jid: JID.parse('alice@example.org'),
    credentials: { password: () => Promise.resolve('wonderland') },
    timeoutMs: 1000,
    ...overrides,
  };
  const failure: unknown = await authenticate(stream, features(offer), {
    options,
    isSecure,
    channelBinding: () => undefined,
  }).catch((error: unknown) => error);
  return [failure, stream.sent];
}

test('nothing is sent over a connection that is not encrypted', async () => {
  const [failure, sent] = await attempt(sasl + sasl2, false);
  expect(failure).toBeInstanceOf(AuthError);
  expect(String(failure)).toContain('not encrypted');
  expect(sent).toEqual([]);
});

test('SASL2 is left alone over a connection that is not encrypted', async () => {
  const [, sent] = await attempt(sasl + sasl2, false, { allowPlain: true });
  expect(sent).toEqual([expect.stringContaining('mechanism="SCRAM-SHA-256"')]);
});

test.each([
  ['no login at all', ''],
  ['a login of another kind', "<auth xmlns='http://jabber.org/features/iq-auth'/>"],
])('a server that offers %s', async (_title, offer) => {
  const [failure, sent] = await attempt(offer, true);
  expect(failure).toBeInstanceOf(AuthError);
  expect(String(failure)).toContain('example.org offers no way to log in');
  expect(sent).toEqual([]);
});

test('an address without a user name has no password to it', async () => {
  const [failure, sent] = await attempt(sasl, true, { jid: JID.parse('example.org') });
  expect(String(failure)).toContain('has no user name');
  expect(sent).toEqual([]);
});
