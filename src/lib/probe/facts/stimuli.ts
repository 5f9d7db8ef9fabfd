/**
 * What is sent to see whether a server keeps to RFC 6120: each stimulus on a connection of its own, and harmless. An
 * answer is right, tolerable, or wrong.
 */
import { streamHeader, type StreamOpening } from '../wire/probe-stream.js';
import { escapeAnywhere } from '../../xml/escape.js';

export interface Stimulus {
  id: string;
  title: string;
  /** What the server is sent, in words. */
  sends: string;
  references: readonly string[];
  why: string;
  /** `opening`: the first bytes of a connection; `stream`: behind the features, inside TLS. */
  phase: 'opening' | 'stream';
  write: (opening: StreamOpening) => string | Buffer;
  /** Outcomes that the specification asks for. */
  right: readonly string[];
  /** Outcomes that end in safety, though not by the letter. */
  tolerated: readonly string[];
  /** Anything else is a failure, not a warning. */
  isSecurity?: boolean;
}

/** RFC 6120 §4.9.1.1 lets a server close without an error only where there is no stream yet; everybody does it. */
const ENDED = ['closed', 'ended', 'broken'] as const;

const rawHeader = (
  opening: StreamOpening,
  changes: { prolog?: string; content?: string; streams?: string },
): string => {
  const {
    prolog = "<?xml version='1.0'?>",
    content = opening.namespace,
    streams = 'http://etherx.jabber.org/streams',
  } = changes;
  const to = escapeAnywhere(opening.to ?? '');
  const from = opening.from === undefined ? '' : ` from='${escapeAnywhere(opening.from)}'`;
  return `${prolog}<stream:stream xmlns='${content}' xmlns:stream='${streams}' to='${to}'${from} version='1.0'>`;
};

export const stimuli: readonly Stimulus[] = [
  {
    id: 'conformance.host.unknown',
    title: 'a stream to a host that is not served is refused as host-unknown',
    sends: 'a stream header to a host that nobody serves',
    references: ['RFC 6120 §4.9.3.6'],
    why: 'A client that was led to the wrong server must learn it from the error, or it shows a wrong cause.',
    phase: 'opening',
    write: (opening) => streamHeader({ ...opening, to: 'not-served.probe.invalid' }),
    right: ['host-unknown', 'host-gone'],
    tolerated: ['improper-addressing', 'policy-violation', 'not-authorized', ...ENDED],
  },
  {
    id: 'conformance.host.missing',
    title: 'a stream without an address is refused',
    sends: 'a stream header without "to"',
    references: ['RFC 6120 §4.7.2', 'RFC 6120 §4.9.3.7'],
    why: 'A server with several hosts that picks one by itself may authenticate people at the wrong one.',
    phase: 'opening',
    write: (opening) => streamHeader({ ...opening, to: undefined }),
    right: ['improper-addressing', 'host-unknown'],
    tolerated: ['undefined-condition', 'policy-violation', 'bad-format', ...ENDED],
  },
  {
    id: 'conformance.namespace.streams',
    title: 'a wrong stream namespace is refused as invalid-namespace',
    sends: 'a stream header in a namespace that does not exist',
    references: ['RFC 6120 §4.9.3.10', 'RFC 6120 §4.8.1'],
    why: 'What is not XMPP must not be taken for it.',
    phase: 'opening',
    write: (opening) => rawHeader(opening, { streams: 'urn:example:not-streams' }),
    right: ['invalid-namespace', 'bad-namespace-prefix'],
    tolerated: ['not-well-formed', 'invalid-xml', 'bad-format', ...ENDED],
  },
  {
    id: 'conformance.namespace.content',
    title: 'a wrong content namespace is refused as invalid-namespace',
    sends: 'a stream header whose content namespace does not exist',
    references: ['RFC 6120 §4.8.2', 'RFC 6120 §4.9.3.10'],
    why: 'Stanzas in an unknown namespace cannot mean anything; to go on hides the fault of a client.',
    phase: 'opening',
    write: (opening) => rawHeader(opening, { content: 'urn:example:not-jabber' }),
    right: ['invalid-namespace'],
    tolerated: ['invalid-xml', 'not-well-formed', 'bad-format', ...ENDED],
  },
  {
    id: 'conformance.version',
    title: 'a higher version is answered with one that is known',
    sends: "a stream header with version='2.0'",
    references: ['RFC 6120 §4.7.5', 'RFC 6120 §4.9.3.25'],
    why: 'Without it no later version of XMPP could ever be introduced.',
    phase: 'opening',
    write: (opening) => streamHeader({ ...opening, version: '2.0' }),
    right: ['accepted', 'unsupported-version'],
    tolerated: [...ENDED],
  },
  {
    id: 'conformance.xml.http',
    title: 'what is not XML is refused as not-well-formed',
    sends: 'an HTTP request',
    references: ['RFC 6120 §4.9.3.13'],
    why: 'A web page can make a browser send its requests to any port: they must die at the first line.',
    phase: 'opening',
    write: () => 'GET / HTTP/1.1\r\nHost: probe.invalid\r\n\r\n',
    right: ['not-well-formed', 'invalid-xml', 'bad-format', 'closed'],
    tolerated: [...ENDED, 'invalid-namespace'],
  },
  {
    id: 'conformance.xml.encoding',
    title: 'other encodings than UTF-8 are refused as unsupported-encoding',
    sends: 'an XML declaration that says ISO-8859-1',
    references: ['RFC 6120 §11.6', 'RFC 6120 §4.9.3.22'],
    why: 'XMPP is UTF-8; a server that reads it as something else changes names and passwords.',
    phase: 'opening',
    write: (opening) => rawHeader(opening, { prolog: "<?xml version='1.0' encoding='ISO-8859-1'?>" }),
    right: ['unsupported-encoding'],
    tolerated: ['not-well-formed', 'invalid-xml', ...ENDED],
  },
  {
    id: 'conformance.xml.dtd',
    title: 'a document type declaration is refused',
    sends: 'a DOCTYPE with one internal entity, before the stream header',
    references: ['RFC 6120 §11.1', 'RFC 6120 §4.9.3.18'],
    why: 'Entities of a DTD can be made to fill the memory of a server, or to read its files.',
    phase: 'opening',
    write: (opening) =>
      rawHeader(opening, { prolog: "<?xml version='1.0'?><!DOCTYPE stream:stream [<!ENTITY probe 'x'>]>" }),
    right: ['restricted-xml'],
    tolerated: ['not-well-formed', 'invalid-xml', 'bad-format', ...ENDED],
    isSecurity: true,
  },
  {
    id: 'conformance.xml.comment',
    title: 'a comment is refused as restricted-xml',
    sends: 'a comment, behind the stream header',
    references: ['RFC 6120 §11.1', 'RFC 6120 §4.9.3.18'],
    why: 'Comments split text in ways that filters and other servers read differently.',
    phase: 'stream',
    write: () => '<!-- a probe -->',
    right: ['restricted-xml'],
    tolerated: ['not-well-formed', 'invalid-xml', 'bad-format', ...ENDED],
  },
  {
    id: 'conformance.xml.instruction',
    title: 'a processing instruction is refused as restricted-xml',
    sends: 'a processing instruction, behind the stream header',
    references: ['RFC 6120 §11.1', 'RFC 6120 §4.9.3.18'],
    why: 'Processing instructions have no meaning in XMPP, and what reads them does what it was not asked for.',
    phase: 'stream',
    write: () => '<?probe harmless?>',
    right: ['restricted-xml'],
    tolerated: ['not-well-formed', 'invalid-xml', 'bad-format', ...ENDED],
  },
  {
    id: 'conformance.xml.entity',
    title: 'an entity that is not defined is refused as not-well-formed',
    sends: 'a reference to an entity that was never declared',
    references: ['RFC 6120 §11.1', 'RFC 6120 §4.9.3.13'],
    why: 'A parser that passes over unknown entities is not an XML parser, and others read the text differently.',
    phase: 'stream',
    write: () => '<message><body>&probe;</body></message>',
    right: ['not-well-formed', 'restricted-xml', 'invalid-xml'],
    tolerated: ['bad-format', ...ENDED],
    isSecurity: true,
  },
  {
    id: 'conformance.xml.utf8',
    title: 'bytes that are not UTF-8 are refused',
    sends: 'a message with bytes that no UTF-8 text has',
    references: ['RFC 6120 §11.6', 'RFC 6120 §4.9.3.13'],
    why: 'Broken text that is passed on ends the streams of those who receive it.',
    phase: 'stream',
    write: () =>
      Buffer.concat([
        Buffer.from('<message><body>'),
        Buffer.from([0xc3, 0x28, 0xff]),
        Buffer.from('</body></message>'),
      ]),
    right: ['not-well-formed', 'bad-format', 'unsupported-encoding', 'invalid-xml'],
    tolerated: [...ENDED],
    isSecurity: true,
  },
  {
    id: 'conformance.xml.control',
    title: 'control characters are refused as not-well-formed',
    sends: 'a message with the character U+0001',
    references: ['RFC 6120 §11.1', 'RFC 6120 §4.9.3.13'],
    why: 'XML has no control characters: passed on, they end the streams of those who receive them.',
    phase: 'stream',
    write: () => '<message><body>\u0001</body></message>',
    right: ['not-well-formed', 'bad-format', 'invalid-xml'],
    tolerated: [...ENDED],
    isSecurity: true,
  },
  {
    id: 'conformance.xml.tags',
    title: 'a wrong end tag is refused as not-well-formed',
    sends: 'an end tag that does not match its start tag',
    references: ['RFC 6120 §4.9.3.13'],
    why: 'A server that repairs broken XML by guessing gives others something that nobody sent.',
    phase: 'stream',
    write: () => '<message><body></subject></message>',
    right: ['not-well-formed', 'bad-format', 'invalid-xml'],
    tolerated: [...ENDED],
    isSecurity: true,
  },
  {
    id: 'conformance.stanza.unknown',
    title: 'an element that is no stanza is refused as unsupported-stanza-type',
    sends: 'a first-level element that no specification knows',
    references: ['RFC 6120 §4.9.3.24'],
    why: 'An extension that the server silently drops looks to its author as if it worked.',
    phase: 'stream',
    write: (opening) => `<probe xmlns='${opening.namespace}'/>`,
    right: ['unsupported-stanza-type', 'not-authorized'],
    tolerated: ['policy-violation', 'ignored', 'invalid-xml', 'invalid-namespace', ...ENDED],
  },
  {
    id: 'conformance.stanza.early',
    title: 'stanzas before authentication are refused',
    sends: 'a message to the server itself, before authentication',
    references: ['RFC 6120 §6.3.3', 'RFC 6120 §4.9.3.12'],
    why: 'Whoever can send without logging in can send spam that nobody answers for.',
    phase: 'stream',
    write: (opening) =>
      `<message to='${escapeAnywhere(opening.to ?? '')}'${opening.from === undefined ? '' : ` from='${escapeAnywhere(opening.from)}'`} id='p1' type='headline'><body>a probe: please ignore</body></message>`,
    right: ['not-authorized', 'stanza-error not-authorized'],
    tolerated: [
      'policy-violation',
      'invalid-from',
      'stanza-error',
      'stanza-error policy-violation',
      'unsupported-stanza-type',
      'ignored',
      ...ENDED,
    ],
    isSecurity: true,
  },
  {
    id: 'conformance.close',
    title: 'a closed stream is closed from the other side, too',
    sends: 'the end of the stream',
    references: ['RFC 6120 §4.4'],
    why: 'Who closes waits for the answer, because what was under way may still arrive before it.',
    phase: 'stream',
    write: () => '</stream:stream>',
    right: ['ended'],
    tolerated: ['closed'],
  },
];

/** The stimulus whose answer also shows whether an error comes inside of a proper stream. */
export const HEADER_STIMULUS = 'conformance.host.unknown';
