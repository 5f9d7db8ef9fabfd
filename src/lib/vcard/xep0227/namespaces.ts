/**
 * XEP-0227: Portable Import/Export Format for XMPP-IM Servers, version 1.1.
 *
 * Not here: XInclude with `parse` or `xpointer` (§5 leaves them open), and inside an account, where it is refused.
 */
export const NS_PIE = 'urn:xmpp:pie:0';
export const NS_PIE_SCRAM = 'urn:xmpp:pie:0#scram';
export const NS_XINCLUDE = 'http://www.w3.org/2001/XInclude';
/** COMPAT(ejabberd): what it wrote before the namespace was assigned, and still reads. */
export const NS_PIE_OLD = 'http://www.xmpp.org/extensions/xep-0227.html#ns';
