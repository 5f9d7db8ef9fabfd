/** The server's side of logins: SCRAM by the vectors of its specifications, and each side against our own client. */
import { describe, expect, it } from 'vitest';
import { Scram, type ScramHash } from '../../../src/lib/session/sasl/scram.js';
import { bindInline } from '../../../src/lib/trace-replay/serving/bind.js';
import { loginFeatures } from '../../../src/lib/trace-replay/serving/features.js';
import { servedMechanisms, type Step } from '../../../src/lib/trace-replay/serving/mechanisms.js';
import { ServerScram } from '../../../src/lib/trace-replay/serving/scram.js';
import { parseTraceElement, type TraceElement } from '../../../src/lib/trace/trace-element.js';

function element(text: string): TraceElement {
  const found = parseTraceElement(text);
  if (!found) throw new Error(`no element: ${text}`);
  return found;
}

const textOfStep = (step: Step): string =>
  step.kind === 'failure' ? step.condition : `${step.kind} ${step.data?.toString() ?? ''}`;

describe('SCRAM, as a server', () => {
  // RFC 5802 §5, RFC 7677 §3.
  it.each<[ScramHash, string, string, string, string, string]>([
    [
      'sha1',
      '3rfcNHYJY1ZVvWVs7j',
      'QSXCR+Q6sek8bf92',
      'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
      'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
      'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    ],
    [
      'sha256',
      '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
      'W22ZaJ0SNY7soEsUEjb6gQ==',
      'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    ],
  ])('passes the vectors of %s', async (hash, nonce, salt, first, final, verifier) => {
    const server = new ServerScram(hash, 'pencil', { nonce, salt: Buffer.from(salt, 'base64') });
    const clientNonce = first.slice(first.indexOf('r=') + 2);
    expect(textOfStep(await server.next(Buffer.from(first)))).toBe(
      `challenge r=${clientNonce}${nonce},s=${salt},i=4096`,
    );
    expect(await server.next(Buffer.from(final))).toEqual({
      kind: 'success',
      name: 'user',
      data: Buffer.from(verifier),
    });
  });

  it.each<[string, string, string]>([
    ['right', 'pencil', 'success'],
    ['wrong', 'pen', 'not-authorized'],
  ])('judges our own client with the %s password', async (_what, password, expected) => {
    for (const hash of ['sha1', 'sha256', 'sha512'] as const) {
      for (const flag of ['n', 'y'] as const) {
        const client = new Scram({
          hash,
          username: 'a=b,c',
          password: () => Promise.resolve(password),
          binding: { flag },
          lists: { mechanisms: [], channelBindings: [] },
        });
        const server = new ServerScram(hash, 'pencil');
        const challenge = await server.next(await client.start());
        if (challenge.kind !== 'challenge') throw new Error('no challenge');
        const last = await server.next(await client.respond(challenge.data));
        expect(last.kind === 'failure' ? last.condition : last.kind).toBe(expected);
        if (last.kind !== 'success') continue;
        expect(last.name).toBe('a=b,c');
        client.finish(last.data);
      }
    }
  });

  const first = 'n,,n=user,r=abc';
  it.each<[string, string[], string]>([
    ['nothing', [''], 'malformed-request'],
    ['channel binding, which was not offered', ['p=tls-exporter,,n=user,r=abc'], 'malformed-request'],
    ['somebody else', ['n,a=root,n=user,r=abc'], 'malformed-request'],
    ['a name that is not escaped', ['n,,n=a=b,r=abc'], 'malformed-request'],
    ['a nonce with a comma in it', ['n,,n=user,r='], 'malformed-request'],
    ['a proof that is none', [first, 'c=biws,r=abcN,p=%'], 'malformed-request'],
    ['a proof that is too short', [first, 'c=biws,r=abcN,p=AAAA'], 'not-authorized'],
    ['a proof that is too long', [first, `c=biws,r=abcN,p=${'AAAA'.repeat(100)}`], 'not-authorized'],
    ['bytes that are no text', [first, '\u00ff'], 'malformed-request'],
  ])('refuses %s', async (_what, messages, condition) => {
    const server = new ServerScram('sha1', 'pencil', { nonce: 'N' });
    let step: Step | undefined;
    for (const message of messages) step = await server.next(Buffer.from(message, 'latin1'));
    expect(step).toEqual({ kind: 'failure', condition });
  });
});

describe('mechanisms that are served', () => {
  it('are SCRAM only where the password is known', async () => {
    expect([...(await servedMechanisms(undefined)).keys()]).toEqual(['PLAIN', 'ANONYMOUS']);
    expect([...(await servedMechanisms('pencil')).keys()]).toEqual([
      'SCRAM-SHA-512',
      'SCRAM-SHA-256',
      'SCRAM-SHA-1',
      'PLAIN',
      'ANONYMOUS',
    ]);
  });

  it('take any password with PLAIN, and nobody without a name', async () => {
    const plain = async (message: string): Promise<string | undefined> => {
      const step = await (await servedMechanisms(undefined)).get('PLAIN')?.().next(Buffer.from(message));
      return step?.kind === 'success' ? step.name : undefined;
    };
    expect(await plain('\0alice\0anything')).toBe('alice');
    expect(await plain('\0\0anything')).toBeUndefined();
    expect(await plain('alice')).toBeUndefined();
  });
});

describe('SASL2', () => {
  const offer = element(
    "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1-PLUS</mechanism><inline><sm xmlns='urn:xmpp:sm:3'/><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/></inline></bind><fast xmlns='urn:xmpp:fast:0'/></inline></authentication>",
  );

  it('is offered as it was, without what is not served: tokens, resumption, channel binding', () => {
    const mechanism = '<mechanism>PLAIN</mechanism>';
    expect(loginFeatures(['PLAIN'], offer)).toBe(
      `<stream:features xmlns:stream="http://etherx.jabber.org/streams"><mechanisms xmlns="urn:ietf:params:xml:ns:xmpp-sasl">${mechanism}</mechanisms>` +
        `<authentication xmlns="urn:xmpp:sasl:2">${mechanism}<inline><bind xmlns="urn:xmpp:bind:0"><inline><feature var="urn:xmpp:carbons:2"/></inline></bind></inline></authentication></stream:features>`,
    );
    expect(loginFeatures(['PLAIN'], undefined)).not.toContain('urn:xmpp:sasl:2');
  });

  it('binds inline, under the tag of the client, and switches on what is asked for', () => {
    const request = (inner: string): TraceElement =>
      element(`<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>${inner}</authenticate>`);
    expect(bindInline(request(''), 'a@b')).toBeUndefined();
    const bound = bindInline(
      request(
        "<bind xmlns='urn:xmpp:bind:0'><tag>desk</tag><enable xmlns='urn:xmpp:carbons:2'/><enable xmlns='urn:xmpp:sm:3'/></bind>",
      ),
      'a@b',
    );
    expect(bound?.jid).toMatch(/^a@b\/desk\.[\da-f]{12}$/);
    expect(bound?.inline).toEqual(['urn:xmpp:carbons:2', 'urn:xmpp:sm:3']);
    expect(bound?.answer).toBe('<bound xmlns="urn:xmpp:bind:0"><enabled xmlns="urn:xmpp:sm:3"/></bound>');
  });
});
