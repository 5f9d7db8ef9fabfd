/** Namespaces of the stream itself (RFC 6120, RFC 7395, XEP-0114, XEP-0198). */
export const NS_CLIENT = 'jabber:client';
export const NS_COMPONENT = 'jabber:component:accept';
export const NS_STREAMS = 'http://etherx.jabber.org/streams';
export const NS_STREAM_ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams';
export const NS_FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing';
export const NS_STARTTLS = 'urn:ietf:params:xml:ns:xmpp-tls';
export const NS_BIND = 'urn:ietf:params:xml:ns:xmpp-bind';
export const NS_SESSION = 'urn:ietf:params:xml:ns:xmpp-session';
export const NS_SM = 'urn:xmpp:sm:3';
export const NS_PING = 'urn:xmpp:ping';
