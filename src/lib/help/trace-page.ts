/** The format of trace files: `xmppctl help trace-format` and xmppctl-trace(5). The records are declared in lib/trace/record.ts. */
import { REDACTION_MARKER, TRACE_FORMAT, TRACE_VERSION } from '../trace/record.js';
import { code, terms, text, type Page } from './document.js';

/** A whole trace: a component logs in, a message comes in two packets, and the connection breaks. */
export const traceExample = `{"kind":"header","format":"${TRACE_FORMAT}","version":${TRACE_VERSION},"started":"2026-01-31T10:00:00.000Z","tool":"xmppctl 0.1.0","redacted":true}
{"n":1,"t":0.211,"kind":"connection","conn":1,"label":"component echo.example.org"}
{"n":2,"t":1.404,"conn":1,"kind":"event","name":"tcp","detail":{"address":"192.0.2.1","port":5347,"family":4}}
{"n":3,"t":1.87,"conn":1,"kind":"data","dir":"out","text":"<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='echo.example.org'>"}
{"n":4,"t":3.02,"conn":1,"kind":"data","dir":"in","text":"<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='7f3a'>"}
{"n":5,"t":3.3,"conn":1,"kind":"data","dir":"out","text":"<handshake>${REDACTION_MARKER}</handshake>","redacted":[{"at":11,"bytes":40,"reason":"handshake"}]}
{"n":6,"t":4.115,"conn":1,"kind":"data","dir":"in","text":"<handshake/>"}
{"n":7,"t":912.6,"conn":1,"kind":"data","dir":"in","base64":"PG1lc3NhZ2U+PGJvZHk+R3LDvMM="}
{"n":8,"t":912.9,"conn":1,"kind":"data","dir":"in","base64":"n2U8L2JvZHk+PC9tZXNzYWdlPg=="}
{"n":9,"t":1500.02,"conn":1,"kind":"event","name":"close","detail":{"clean":false,"reason":"connection reset"}}`;

export const tracePage: Page = {
  name: 'xmppctl-trace',
  section: 5,
  summary: 'what --trace=FILE writes: the bytes of a stream and what happened to it',
  sections: [
    {
      title: 'DESCRIPTION',
      blocks: [
        text(
          [
            'Every command that connects records its streams with `--trace=FILE`, or shows them on standard error with `--trace` alone. A trace is NDJSON: one JSON object a line, in the order in which things happened. It holds the bytes as they crossed the connection, inside TLS and inside WebSocket frames, and the events of the connection.',
            'Nothing is parsed, ordered or written anew: taking the data records of one connection and one direction, in order, and putting their bytes together gives what was sent, byte for byte, with a marker in the place of each secret.',
            'A new file can be read by its owner only. An older trace of the same name is overwritten; any other file that is not empty is refused. `xmppctl trace show` reads a trace; so does anything that reads JSON.',
          ].join('\n\n'),
        ),
      ],
    },
    {
      title: 'EXAMPLE',
      blocks: [
        text(
          'A component logs in, a message comes in two packets that split a character, and the connection breaks:',
        ),
        code(traceExample),
      ],
    },
    {
      title: 'EVERY RECORD',
      blocks: [
        terms([
          {
            term: 'kind',
            text: 'What the record is: `header`, `connection`, `data`, `event` or `gap`. A reader skips kinds, and keys of a record, that it does not know; a change that it would misread raises the version in the header.',
          },
          {
            term: 'n',
            text: 'The number of the record, from 1 without holes. Not in `header` and `gap`.',
          },
          {
            term: 't',
            text: 'Milliseconds since the beginning, to the microsecond, from a clock that never jumps. Not in `header` and `gap`.',
          },
          { term: 'conn', text: 'The number of the connection, from 1. Not in `header` and `gap`.' },
        ]),
      ],
    },
    {
      title: 'HEADER',
      blocks: [
        text('The first line of the file, and only the first.'),
        terms([
          { term: 'format, version', text: `"${TRACE_FORMAT}" and ${TRACE_VERSION}.` },
          { term: 'started', text: 'When recording began (ISO 8601, UTC); every `t` counts from here.' },
          { term: 'tool', text: 'Who recorded it.' },
          { term: 'redacted', text: 'Whether secrets were taken out; false with `--trace-secrets`.' },
        ]),
      ],
    },
    {
      title: 'CONNECTION',
      blocks: [
        text(
          'A connection begins. Its `label` says what it is: `c2s` for a client, `component` for a component, and the address. A reconnect is a new connection.',
        ),
      ],
    },
    {
      title: 'DATA',
      blocks: [
        text(
          'The bytes of one read or one write, so that one can see how packets were cut; on WebSocket, of one message.',
        ),
        terms([
          { term: 'dir', text: '`in` is from the server, `out` to it.' },
          { term: 'text', text: 'The bytes as text, when they are valid UTF-8 by themselves.' },
          {
            term: 'base64',
            text: 'The bytes otherwise: broken UTF-8, or a character that is split between two records. Exactly one of `text` and `base64` is there.',
          },
          {
            term: 'redacted',
            text: `The secrets that were taken out, in order: the offset in the record's bytes (\`at\`) of the marker ${REDACTION_MARKER}, how many bytes it stands for (\`bytes\`), what kind of secret it was (\`reason\`: sasl, password, token, handshake, header, form, key, secret, dialback or broken), and \`continued\` when the secret began in an earlier record of this direction; that record has the marker. A \`<\` that ends a packet inside of a secret waits for the next record; no other byte does.`,
          },
        ]),
      ],
    },
    {
      title: 'EVENT',
      blocks: [
        text(
          'Something that happened to the connection: `name` says what, and `detail` has its facts. A failure has an `error` in its detail.',
        ),
        terms([
          {
            term: 'dns',
            text: 'A question to DNS: `query`, `type` (SRV or A/AAAA) and `answers`: addresses, or objects with `target`, `port`, `priority` and `weight`.',
          },
          { term: 'tcp', text: 'A connection was made, or not: `address`, `port`, `family` (4 or 6).' },
          {
            term: 'tls',
            text: 'The handshake: `serverName` that the certificate must have, `version`, `cipher`, `alpn`, `isVerified`, and the `certificate` with `subject`, `issuer`, `names`, `validFrom`, `validTo` and `fingerprintSha256`.',
          },
          { term: 'websocket', text: 'The WebSocket was opened: `url`, `subprotocol`.' },
          { term: 'stream', text: "The server's stream header came: `id`, `from`." },
          {
            term: 'sasl',
            text: 'How authentication ended: `profile` (sasl or sasl2), `mechanism`, `channelBinding`, `outcome` (success, failure or aborted), `condition` of a failure, `downgradeProtected`.',
          },
          { term: 'bind', text: 'The address that was bound: `jid`.' },
          {
            term: 'sm',
            text: 'Stream management: `what` (enabled, resumed or failed), the `id` or the counter `h`.',
          },
          {
            term: 'reconnect',
            text: 'A new attempt: its number (`attempt`) and how long it waits (`delayMs`).',
          },
          { term: 'close', text: 'The end: `clean`, and the `reason` when it was not.' },
          {
            term: 'proxy',
            text: 'What `xmppctl trace proxy` did (`what`): TLS with the client (`version`, `cipher`), a fault, or what became of a stanza (`action`, `dir`).',
          },
          { term: 'error', text: 'What went wrong: `message`.' },
        ]),
      ],
    },
    {
      title: 'GAP',
      blocks: [
        text(
          'Records that could not be kept, because the disk was full or too slow: the numbers of the first (`from`) and the last (`to`) of them, and the `reason`. What is traced never waits for its trace.',
        ),
      ],
    },
    {
      title: 'SECRETS',
      blocks: [
        text(
          [
            `Before anything is written, ${REDACTION_MARKER} takes the place of: what SASL and SASL2 exchange; FAST and invitation tokens; passwords of registration, of old authentication and of rooms; private fields of forms; the handshake of a component and dialback keys; Authorization and Cookie headers of uploads; credentials of external services; media keys in a call's offer. In doubt, for example where XML is broken, too much is taken out. \`--trace-secrets\` leaves everything in.`,
            'Everything else is as it was: addresses, what people write, the links of uploaded files. Look at a trace before you give it away.',
          ].join('\n\n'),
        ),
      ],
    },
    {
      title: 'RECIPES',
      blocks: [
        text('Exactly what was sent on the first connection:'),
        code('xmppctl trace show a.trace --raw --dir out --conn 1'),
        text('The same with jq, where all of it is text:'),
        code(`jq -j 'select(.kind == "data" and .conn == 1 and .dir == "out") | .text' a.trace`),
        text('The same with jq, whatever it is:'),
        code(
          `jq -r 'select(.kind == "data" and .conn == 1 and .dir == "out")\n  | .base64 // (.text | @base64)' a.trace | base64 -d`,
        ),
        text('How long the TLS handshake took, and which certificate was shown:'),
        code(
          `jq -s '(map(select(.name == "tcp")) | last.t) as $tcp\n  | map(select(.name == "tls")) | last | {ms: (.t - $tcp), certificate: .detail.certificate.subject}' a.trace`,
        ),
        text('The five slowest replies:'),
        code(
          "xmppctl trace show a.trace --kind iq --json |\n  jq -sc 'map(select(.rttMs)) | sort_by(-.rttMs)[:5][] | [.rttMs, .from, .id]'",
        ),
      ],
    },
    { title: 'SEE ALSO', blocks: [text('xmppctl(1), xmppctl-trace-show(1)')] },
  ],
};
