/** The format of trace files: `xmppctl help trace-format` and xmppctl-trace(5). The records are declared in lib/trace/record.ts. */
import { REDACTION_MARKER, TRACE_FORMAT, TRACE_VERSION } from '../trace/record.js';
import { code, terms, text, type Page } from './document.js';

const example = `{"kind":"header","format":"${TRACE_FORMAT}","version":${TRACE_VERSION},"started":"2026-11-22T20:00:00.000Z","tool":"xmppctl 0.1.0","redacted":true}
{"n":1,"t":0.2,"conn":1,"kind":"connection","label":"c2s alice@example.org"}
{"n":2,"t":3.1,"conn":1,"kind":"event","name":"tcp","detail":{"address":"192.0.2.1","port":5222}}
{"n":3,"t":3.4,"conn":1,"kind":"data","dir":"out","text":"<?xml version='1.0'?><stream:stream …>"}`;

export const tracePage: Page = {
  name: 'xmppctl-trace',
  section: 5,
  summary: 'what --trace=FILE writes: the bytes of a stream and what happened to it',
  sections: [
    {
      title: 'DESCRIPTION',
      blocks: [
        text(
          'A trace is NDJSON: one JSON object a line, in the order in which things happened. It holds the bytes exactly as they crossed the connection, inside TLS and inside WebSocket frames, and the events of the connection. Taking the data records of one connection and one direction, in order, and putting their bytes together gives what was sent, byte for byte, but for the secrets that were taken out.\n\nA reader skips records of a kind and keys that it does not know; a change that an older reader would misread raises the version.',
        ),
        code(example),
      ],
    },
    {
      title: 'EVERY RECORD',
      blocks: [
        terms([
          { term: 'kind', text: 'What the record is: header, connection, data, event or gap.' },
          { term: 'n', text: 'The number of the record, from 1 without holes. Not in header and gap.' },
          {
            term: 't',
            text: 'Milliseconds since the beginning, from a clock that never jumps. Not in header and gap.',
          },
          { term: 'conn', text: 'The number of the connection. Not in header and gap.' },
        ]),
      ],
    },
    {
      title: 'HEADER',
      blocks: [
        text('The first line of the file.'),
        terms([
          { term: 'format, version', text: `"${TRACE_FORMAT}" and ${TRACE_VERSION}.` },
          { term: 'started', text: 'When recording began (ISO 8601); every t counts from here.' },
          { term: 'tool', text: 'Who recorded it.' },
          { term: 'redacted', text: 'Whether secrets were taken out; false with `--trace-secrets`.' },
        ]),
      ],
    },
    {
      title: 'CONNECTION',
      blocks: [text('A connection begins. Its label says what it is. A reconnect is a new connection.')],
    },
    {
      title: 'DATA',
      blocks: [
        text('What one read or one write carried.'),
        terms([
          { term: 'dir', text: '"in" is from the server, "out" to it.' },
          { term: 'text', text: 'The bytes as text, when they are valid UTF-8 by themselves.' },
          {
            term: 'base64',
            text: 'The bytes otherwise: broken UTF-8, or a character that is split between two records. Exactly one of text and base64 is there.',
          },
          {
            term: 'redacted',
            text: `The secrets that were taken out, each with the offset (at) of the marker ${REDACTION_MARKER} in the record's bytes, how many bytes it stands for (bytes), what it was (reason), and continued when it began in an earlier record of this direction.`,
          },
        ]),
      ],
    },
    {
      title: 'EVENT',
      blocks: [
        text(
          'Something that happened to the connection; name says what, and detail has its facts. A failure has an error in its detail.',
        ),
        terms([
          { term: 'dns', text: 'A query and its answers.' },
          { term: 'tcp', text: 'A connection was made: address, port, family.' },
          {
            term: 'tls',
            text: 'The handshake: version, cipher, ALPN, certificate, whether it was accepted.',
          },
          { term: 'websocket', text: 'The WebSocket was opened.' },
          { term: 'stream', text: 'A stream header came.' },
          { term: 'sasl', text: 'The mechanism, its channel binding and how it ended.' },
          { term: 'bind', text: 'The address that was bound.' },
          { term: 'sm', text: 'Stream management was enabled, resumed or failed, with its counters.' },
          { term: 'reconnect', text: 'A new attempt, and how long it waits.' },
          { term: 'close', text: 'The end, and whether it was clean.' },
          { term: 'error', text: 'What went wrong.' },
        ]),
      ],
    },
    {
      title: 'GAP',
      blocks: [
        text(
          'Records that could not be kept: the numbers of the first (from) and the last (to) of them, and the reason.',
        ),
      ],
    },
    {
      title: 'SECRETS',
      blocks: [
        text(
          `Passwords, SASL exchanges, tokens, the secrets of registration and of components and the headers of uploads are replaced by ${REDACTION_MARKER} before anything is written. \`--trace-secrets\` leaves them in. Everything else is as it was, messages and addresses included: look at a trace before you give it away.`,
        ),
      ],
    },
    {
      title: 'EXAMPLES',
      blocks: [
        text('What was sent on the first connection, where it is all text:'),
        code(`jq -j 'select(.kind == "data" and .conn == 1 and .dir == "out") | .text' trace.ndjson`),
      ],
    },
    { title: 'SEE ALSO', blocks: [text('xmppctl(1), xmppctl-trace-show(1)')] },
  ],
};
