export const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
export const NS_SASL2 = 'urn:xmpp:sasl:2';
export const NS_BIND2 = 'urn:xmpp:bind:0';
export const NS_FAST = 'urn:xmpp:fast:0';
export const NS_CHANNEL_BINDING = 'urn:xmpp:sasl-cb:0';
