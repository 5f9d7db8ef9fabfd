import { describe, expect, it } from 'vitest';
import { SecretScanner } from '../../../src/lib/trace/secret-scanner.js';

const SECRET = 'c2VjcmV0LXBhc3N3b3Jk';
const stream = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

function redact(
  text: string,
  cuts: readonly number[] = [],
): { text: string; redacted: number; marks: number } {
  const bytes = Buffer.from(text);
  const scanner = new SecretScanner();
  const pieces: Uint8Array[] = [];
  let redacted = 0;
  let marks = 0;
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    const { bytes: piece, redactions } = scanner.scan(bytes.subarray(at, cut));
    pieces.push(Buffer.from(piece));
    for (const redaction of redactions) {
      redacted += redaction.bytes;
      if (!redaction.continued) {
        marks += 1;
        expect(Buffer.from(piece).toString('latin1').slice(redaction.at)).toMatch(/^\[redacted\]/);
      }
    }
    at = cut;
  }
  pieces.push(scanner.end());
  return { text: Buffer.concat(pieces).toString(), redacted, marks };
}

/** Text with the secret in it → the same with the marker, for every way of cutting it in two and for single bytes. */
function expectRedacted(text: string, expected = text.replaceAll(SECRET, '[redacted]')): void {
  const whole = redact(text);
  expect(whole.text).toBe(expected);
  const bytes = Buffer.byteLength(text);
  expect(bytes - whole.redacted + whole.marks * '[redacted]'.length).toBe(Buffer.byteLength(expected));
  for (let cut = 0; cut <= bytes; cut += 1) expect(redact(text, [cut])).toEqual(whole);
  expect(
    redact(
      text,
      Array.from({ length: bytes }, (_, index) => index),
    ),
  ).toEqual(whole);
}

describe('SecretScanner', () => {
  const sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
  const exchanges: Record<string, string> = {
    'SASL auth': `<auth ${sasl} mechanism='PLAIN'>${SECRET}</auth>`,
    'SASL challenge': `<challenge ${sasl}>${SECRET}</challenge>`,
    'SASL response': `<response ${sasl}>${SECRET}</response>`,
    'SASL success': `<success ${sasl}>${SECRET}</success>`,
    'SASL with a prefix declared on the element': `<s:auth xmlns:s='urn:ietf:params:xml:ns:xmpp-sasl'>${SECRET}</s:auth>`,
    'SASL with a prefix declared on the stream': `<stream:stream xmlns:s="urn:ietf:params:xml:ns:xmpp-sasl" xmlns:stream='http://etherx.jabber.org/streams'><s:response>${SECRET}</s:response>`,
    'SASL2 authenticate': `<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>${SECRET}</initial-response><user-agent id='u'><software>x</software></user-agent></authenticate>`,
    'SASL2 challenge and response': `<challenge xmlns='urn:xmpp:sasl:2'>${SECRET}</challenge><response xmlns='urn:xmpp:sasl:2'>${SECRET}</response>`,
    'SASL2 success with FAST': `<success xmlns='urn:xmpp:sasl:2'><additional-data>${SECRET}</additional-data><authorization-identifier>a@b</authorization-identifier><token xmlns='urn:xmpp:fast:0' expiry='2030-01-01T00:00:00Z' token='${SECRET}'/></success>`,
    'SASL2 continue': `<continue xmlns='urn:xmpp:sasl:2'><additional-data>${SECRET}</additional-data><tasks><task>UPGR-SCRAM-SHA-256</task></tasks></continue>`,
    'SASL2 upgrade': `<task-data xmlns='urn:xmpp:sasl:2'><hash xmlns='urn:xmpp:scram-upgrade:0'>${SECRET}</hash></task-data>`,
    'FAST token, attribute before the namespace': `<token token="${SECRET}" xmlns="urn:xmpp:fast:0"/>`,
    'FAST token with a prefix': `<f:token xmlns:f='urn:xmpp:fast:0' f:token = '${SECRET}' />`,
    registration: `<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>bob</username><password>${SECRET}</password></query></iq>`,
    'registration form': `<iq type='set'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='username'><value>bob</value></field><field var='password'><value>${SECRET}</value></field></x></query></iq>`,
    'private form field': `<x xmlns='jabber:x:data' type='form'><field label='x' var='geheim' type='text-private'><required/><value>${SECRET}</value></field><field var='open'><value>o</value></field></x>`,
    'form field with a prefix': `<d:x xmlns:d='jabber:x:data'><d:field type='text-private' var='x'><d:value>${SECRET}</d:value></d:field></d:x>`,
    'old authentication': `<iq type='set'><query xmlns='jabber:iq:auth'><username>bob</username><digest>${SECRET}</digest><resource>r</resource></query></iq>`,
    'component handshake': `<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'><handshake>${SECRET}</handshake>`,
    dialback: `<db:result xmlns:db='jabber:server:dialback' from='a' to='b'>${SECRET}</db:result>`,
    'upload headers': `<slot xmlns='urn:xmpp:http:upload:0'><put url='https://u/1'><header name='Authorization'>${SECRET}</header><header name="cookie">${SECRET}</header><header name='Expires'>tomorrow</header></put><get url='https://u/1'/></slot>`,
    'external services': `<services xmlns='urn:xmpp:extdisco:2'><service host='h' password='${SECRET}' port='3478' type='turn' username='u'/></services>`,
    'room password': `<presence to='r@m/n'><x xmlns='http://jabber.org/protocol/muc'><password>${SECRET}</password></x></presence>`,
    'room invitation': `<message><x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'><reason>come</reason></invite><password>${SECRET}</password></x><x xmlns='jabber:x:conference' jid='r@m' password='${SECRET}' reason='come'/></message>`,
    'room configuration': `<x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_passwordprotectedroom'><value>1</value></field><field var='muc#roomconfig_roomsecret'><value>${SECRET}</value></field></x>`,
    'media keys': `<crypto xmlns='urn:xmpp:jingle:apps:rtp:1' crypto-suite='x' key-params='${SECRET}' tag='1'/>`,
    invitation: `<preauth xmlns='urn:xmpp:pars:0' token='${SECRET}'/>`,
    CDATA: `<password><![CDATA[${SECRET}]]></password>`,
  };

  it.each(Object.entries(exchanges))('redacts %s wherever it is cut', (name, text) => {
    expectRedacted(
      stream + text + '<iq/>',
      name === 'CDATA' ? `${stream}<password>[redacted]</password><iq/>` : undefined,
    );
  });

  it('hides content of every shape: CDATA, comments, instructions, children and their attributes', () => {
    expectRedacted(
      `<password>a<!-- ${SECRET} -->b<![CDATA[ ]] ${SECRET} ]]>c<?x ${SECRET}?>&#50;<c a='${SECRET}'>${SECRET}</c>d</password><x/>`,
      "<password>[redacted]<c a='[redacted]'>[redacted]</c>[redacted]</password><x/>",
    );
  });

  it('leaves everything that is not secret exactly as it was', () => {
    const text = `<?xml version='1.0'?>\n${stream} <message to="a@b" type='chat'><body>token='x' &lt;password&gt; 🎉 &#10;</body><!-- c > --><password-hint>p</password-hint><x xmlns='a'><success>s</success><response>r</response><header name='X'>h</header></x><![CDATA[<password>p</password>]]></message>\n</stream:stream>`;
    expectRedacted(text, text);
    const bytes = Buffer.from(text);
    expect(new SecretScanner().scan(bytes).bytes).toBe(bytes);
  });

  it('remembers a private field of the form for the answer in the other direction', () => {
    const shared = new Set<string>();
    new SecretScanner(shared).scan(Buffer.from("<x><field var='geheim' type='text-private'/></x>"));
    const { bytes } = new SecretScanner(shared).scan(
      Buffer.from(`<x><field var='geheim'><value>${SECRET}</value></field></x>`),
    );
    expect(Buffer.from(bytes).toString()).not.toContain(SECRET);
  });

  it('starts anew with each stream header, so that a restart changes nothing', () => {
    const success = `<success ${sasl}/>`;
    expectRedacted(
      `${stream}${success}<?xml version='1.0'?>${stream}<iq><query xmlns='jabber:iq:auth'><password>${SECRET}</password></query></iq></stream:stream>`,
    );
  });

  describe('with broken XML', () => {
    it.each([
      ['a wrong end tag', `<auth ${sasl}>x</body>${SECRET}`],
      ['a prefix nobody declared', `<q:auth>${SECRET}</q:auth>`],
      [
        'a namespace written with an escape',
        `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sas&#108;'>${SECRET}</auth>`,
      ],
      ['a field name written with an escape', `<field var='pass&#119;ord'><value>${SECRET}</value></field>`],
      ['a missing quote', `<auth ${sasl} mechanism='PLAIN>${SECRET}</auth>`],
      ['a missing quote on the namespace', `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl>${SECRET}</auth>`],
      ['an unfinished tag', `<auth ${sasl} <password>${SECRET}`],
      ['no quotes at all', `<token token=${SECRET} x='1'/>`],
      ['a secret value with a <', `<service password='<a>${SECRET}'/>`],
      ['no end', `<auth ${sasl}>${SECRET}`],
      ['an end before the start', `</a></b><password>${SECRET}</password>`],
      ['double <', `<<password>${SECRET}</password>`],
    ])('lets nothing through: %s', (_name, text) => {
      for (const cuts of [[], Array.from({ length: text.length }, (_, index) => index)]) {
        expect(redact(stream + text, cuts).text).not.toContain(SECRET);
      }
    });
  });
});
