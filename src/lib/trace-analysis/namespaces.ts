/** The namespaces that the analysis of streams looks at. */
export const NS_SERVER = 'jabber:server';
export const NS_COMPONENT = 'jabber:component:accept';
export const NS_FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing';
export const NS_TLS = 'urn:ietf:params:xml:ns:xmpp-tls';
export const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
export const NS_SASL2 = 'urn:xmpp:sasl:2';
export const NS_BIND = 'urn:ietf:params:xml:ns:xmpp-bind';
export const NS_BIND2 = 'urn:xmpp:bind:0';
export const NS_FAST = 'urn:xmpp:fast:0';
export const NS_STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas';
export const NS_STREAM_ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams';
export const NS_DIALBACK = 'jabber:server:dialback';
export const NS_AUTH = 'jabber:iq:auth';
export const NS_REGISTER = 'jabber:iq:register';
/** Both versions of stream management that are in the field. */
export const smNamespaces: ReadonlySet<string> = new Set(['urn:xmpp:sm:2', 'urn:xmpp:sm:3']);
