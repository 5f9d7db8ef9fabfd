/** Every exchange in which a secret crosses a stream, with the secret written as `SECRET`. */

/** Base64 of `secret-password`, so that it can stand wherever a secret can. */
export const SECRET = 'c2VjcmV0LXBhc3N3b3Jk';

export const streamHeader =
  "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
export const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const sasl = `xmlns='${NS_SASL}'`;

export const exchanges: Readonly<Record<string, string>> = {
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
