/** What `trace lint` can find: the codes, what each means, and where it is written. */

interface Rule {
  meaning: string;
  /** The section of the specification. */
  spec: string;
}

export const rules = {
  'iq.unanswered': { meaning: 'a request got neither a result nor an error', spec: 'RFC 6120 §8.2.3' },
  'iq.orphan': { meaning: 'a reply to no open request', spec: 'RFC 6120 §8.2.3' },
  'iq.id-reused': {
    meaning: 'the id of a request that is still open is used again',
    spec: 'RFC 6120 §8.1.3',
  },
  'iq.wrong-sender': { meaning: 'a reply comes from somebody who was not asked', spec: 'RFC 6120 §8.1.2.1' },
  'iq.wrong-recipient': {
    meaning: 'a reply goes to somebody who did not ask, or names another sender than was asked',
    spec: 'RFC 6120 §8.1.1.1',
  },
  'iq.no-id': { meaning: 'an iq without an id', spec: 'RFC 6120 §8.1.3' },
  'iq.type': { meaning: 'an iq whose type is not get, set, result or error', spec: 'RFC 6120 §8.2.3' },
  'iq.payload': {
    meaning: 'a get or set without exactly one child, or a result with several',
    spec: 'RFC 6120 §8.2.3',
  },
  'message.type': { meaning: 'a message of a type that is not defined', spec: 'RFC 6121 §5.2.2' },
  'presence.type': { meaning: 'a presence of a type that is not defined', spec: 'RFC 6121 §4.7.1' },
  'error.none': { meaning: 'a stanza of type error without an error element', spec: 'RFC 6120 §8.3.1' },
  'error.untyped': {
    meaning: 'an error element in a stanza that is not of type error',
    spec: 'RFC 6120 §8.3.1',
  },
  'error.type': {
    meaning: 'an error that is not of type auth, cancel, continue, modify or wait',
    spec: 'RFC 6120 §8.3.2',
  },
  'error.no-condition': {
    meaning: 'an error without a condition of urn:ietf:params:xml:ns:xmpp-stanzas',
    spec: 'RFC 6120 §8.3.2',
  },
  'error.unknown-condition': {
    meaning: 'an error with a condition that is not defined',
    spec: 'RFC 6120 §8.3.3',
  },
  'sm.h-backwards': { meaning: 'an acknowledgement counts less than one before it', spec: 'XEP-0198 §4' },
  'sm.h-beyond': {
    meaning: 'more stanzas are acknowledged than were sent',
    spec: 'XEP-0198 §4',
  },
  'sm.h-invalid': { meaning: 'an acknowledgement whose h is no number', spec: 'XEP-0198 §4' },
  'sm.unacknowledged': {
    meaning: 'a request for an acknowledgement was passed over',
    spec: 'XEP-0198 §4',
  },
  'sm.not-enabled': { meaning: 'r or a without stream management', spec: 'XEP-0198 §3' },
  'sm.not-offered': { meaning: 'stream management that was not offered', spec: 'XEP-0198 §2' },
  'starttls.not-offered': { meaning: 'STARTTLS that was not offered', spec: 'RFC 6120 §5.4.2.1' },
  'sasl.not-offered': { meaning: 'a SASL mechanism that was not offered', spec: 'RFC 6120 §6.4.2' },
  'sasl.in-clear': {
    meaning: 'a password is sent without TLS (mechanism PLAIN)',
    spec: 'RFC 6120 §13.8.3',
  },
  'sasl.fast-not-offered': {
    meaning: 'a token, or a login with one, that was not offered',
    spec: 'XEP-0484 §3',
  },
  'bind.not-offered': { meaning: 'a resource is bound without an offer', spec: 'RFC 6120 §7.4' },
  'stream.before-auth': { meaning: 'a stanza before authentication', spec: 'RFC 6120 §4.9.3.12' },
  'stream.before-bind': {
    meaning: 'a stanza to others before a resource is bound',
    spec: 'RFC 6120 §7.1',
  },
  'stream.no-restart': {
    meaning: 'the stream goes on after SASL without a new header',
    spec: 'RFC 6120 §6.4.6',
  },
  'stream.wrong-from': {
    meaning: 'a stanza whose from is not the address that sends it',
    spec: 'RFC 6120 §8.1.2.1',
  },
  'stream.no-address': {
    meaning: 'a stanza between servers without from or to',
    spec: 'RFC 6120 §8.1',
  },
  'stream.after-end': { meaning: 'a stanza after the end of the stream', spec: 'RFC 6120 §4.4' },
  'stream.error': { meaning: 'the stream ended with an error', spec: 'RFC 6120 §4.9' },
  'ns.stream': {
    meaning: 'a stream header in another namespace than that of streams',
    spec: 'RFC 6120 §4.8.1',
  },
  'ns.stanza': {
    meaning: 'a stanza that is not in the content namespace of its stream',
    spec: 'RFC 6120 §4.8.3',
  },
  'ns.payload': {
    meaning: 'a payload in the content namespace, where only the elements of RFC 6121 may be',
    spec: 'RFC 6120 §8.4',
  },
  'ns.none': { meaning: 'an element in no namespace', spec: 'RFC 6120 §8.4' },
  'xml.malformed': { meaning: 'XML that is not well-formed', spec: 'RFC 6120 §11.3' },
  'xml.restricted': {
    meaning: 'a comment, a processing instruction, a DTD or an entity of its own',
    spec: 'RFC 6120 §11.1',
  },
  'xml.foreign': { meaning: 'text on the level of stanzas that is no XML', spec: 'RFC 6120 §11.3' },
  'xml.incomplete': { meaning: 'an element that never ended', spec: 'RFC 6120 §11.3' },
  'trace.damaged': { meaning: 'a line of the file is no record', spec: 'xmppctl-trace(5)' },
  'trace.order': { meaning: 'numbers of records go backwards', spec: 'xmppctl-trace(5)' },
  'trace.missing': { meaning: 'records are missing', spec: 'xmppctl-trace(5)' },
} as const satisfies Record<string, Rule>;

export type FindingCode = keyof typeof rules;

export interface Finding {
  code: FindingCode;
  /** The records it is about, the one that shows it last. */
  records: readonly number[];
  /** 0 when it is about the file. */
  conn: number;
  /** One line; it may quote what was recorded, and must be neutralised for a terminal. */
  message: string;
  spec: string;
}

/** Takes what a rule found. */
export type Report = (code: FindingCode, records: readonly number[], message: string) => void;

export function isFindingCode(text: string): text is FindingCode {
  return Object.hasOwn(rules, text);
}
