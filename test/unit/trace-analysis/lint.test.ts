import { describe, expect, it } from 'vitest';
import { rules, type Finding } from '../../../src/lib/trace-analysis/findings.js';
import { TraceLinter } from '../../../src/lib/trace-analysis/lint.js';
import type { TraceRecord } from '../../../src/lib/trace/record.js';
import {
  clientHeader,
  login,
  managed,
  nest,
  recordTrace,
  serverHeader,
  type Line,
} from '../../support/recorded-trace.js';

function lintRecords(records: readonly TraceRecord[]): Finding[] {
  const linter = new TraceLinter();
  return [...linter.push(records), ...linter.end()];
}

const codes = (...connections: readonly (readonly Line[])[]): string[] =>
  lintRecords(recordTrace(...connections)).map(({ code }) => code);

const sm = "xmlns='urn:xmpp:sm:3'";
const ping = "<ping xmlns='urn:xmpp:ping'/>";
const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';

describe('trace lint', () => {
  it('has nothing to say about a good stream', () => {
    expect(
      codes([
        ...managed,
        '→<presence/>',
        `→<r ${sm}/>`,
        `←<a ${sm} h='1'/>`,
        `→<iq type='get' id='1' to='example.org'>${ping}</iq>`,
        "←<message from='bob@example.org/x' type='chat'><body>hi</body></message>",
        "←<iq type='result' id='1' from='example.org'/>",
        `→<a ${sm} h='2'/>`,
        '→</stream:stream>',
        `←<r ${sm}/></stream:stream>`,
        { name: 'close', detail: { clean: true } },
      ]),
    ).toEqual([]);
  });

  it.each<[string, string[], Line[]]>([
    ['nobody answers', ['iq.unanswered'], [`→<iq type='get' id='1'>${ping}</iq>`]],
    ['an answer nobody asked for', ['iq.orphan'], ["←<iq type='result' id='9'/>"]],
    [
      'an id that is used twice',
      ['iq.id-reused'],
      [
        `→<iq type='get' id='1'>${ping}</iq>`,
        `→<iq type='get' id='1'>${ping}</iq>`,
        "←<iq type='result' id='1'/>",
      ],
    ],
    [
      'a stranger answers',
      ['iq.wrong-sender', 'iq.unanswered'],
      [
        `→<iq type='get' id='1' to='bob@b.org/x'>${ping}</iq>`,
        "←<iq type='result' id='1' from='eve@b.org'/>",
      ],
    ],
    [
      'the answer goes to a stranger',
      ['iq.wrong-recipient'],
      [
        `←<iq type='get' id='1' from='bob@b.org/x'>${ping}</iq>`,
        "→<iq type='result' id='1' to='eve@b.org'/>",
      ],
    ],
    ['no id', ['iq.no-id'], [`→<iq type='get'>${ping}</iq>`]],
    ['no type', ['iq.type'], ["→<iq id='1'/>"]],
    ['an unknown type', ['iq.type'], ["→<iq id='1' type='fetch'/>"]],
    ['no payload', ['iq.payload'], ["→<iq type='get' id='1'/>", "←<iq type='result' id='1'/>"]],
    ['an unknown type of message', ['message.type'], ["→<message type='shout' to='b@c'/>"]],
    ['an unknown type of presence', ['presence.type'], ["→<presence type='available'/>"]],
    ['an error that is none', ['error.none'], ["←<message type='error' from='b@c'/>"]],
    [
      'an error in a message of another type',
      ['error.untyped'],
      ["←<message from='b@c'><error type='cancel'/></message>"],
    ],
    [
      'an error without a condition',
      ['error.type', 'error.no-condition'],
      [`←<presence type='error'><error code='404'><text xmlns='${stanzas}'>no</text></error></presence>`],
    ],
    [
      'an error with a condition of its own',
      ['error.unknown-condition'],
      [`←<presence type='error'><error type='cancel'><no-idea xmlns='${stanzas}'/></error></presence>`],
    ],
    ['a payload that has no namespace of its own', ['ns.payload'], ['→<message><request/></message>']],
    ['no namespace at all', ['ns.none'], ["→<message><x xmlns='a'><y xmlns=''/></x></message>"]],
    ['a stanza in another namespace', ['ns.stanza'], ["→<message xmlns='jabber:server'/>"]],
    ['broken XML', ['xml.malformed'], ['→<message><body></subject></message>']],
    ['an undeclared prefix', ['xml.malformed'], ["→<message><x:y z='1'/></message>"]],
    ['an attribute twice', ['xml.malformed'], ["→<message to='a' to='b'/>"]],
    ['a comment', ['xml.restricted'], ['→<message><!-- hi --></message>']],
    ['an entity', ['xml.restricted'], ['→<message><body>&nbsp;</body></message>']],
    ['text between stanzas', ['xml.foreign'], ['←HTTP/1.1 400']],
    ['an element that never ends', ['xml.incomplete'], ['→<message><body>hel']],
    ["another's address", ['stream.wrong-from'], ["→<message from='bob@example.org'/>"]],
    [
      'a stream error',
      ['stream.error'],
      ["←<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"],
    ],
    ['a stanza after the end', ['stream.after-end'], ['→</stream:stream>', '→<presence/>']],
    ['an acknowledgement without management', ['sm.not-enabled'], [`←<r ${sm}/>`]],
  ])('finds %s', (_, expected, lines) => {
    const found = codes([...login, ...lines]);
    // An undeclared prefix is in no namespace either.
    expect(found.filter((code) => code !== 'ns.none' || expected.includes(code))).toEqual(expected);
  });

  it.each<[string, string[], Line[]]>([
    [
      'a counter that goes back',
      ['sm.h-backwards'],
      ['→<presence/>', `←<a ${sm} h='1'/>`, `←<a ${sm} h='0'/>`],
    ],
    ['more acknowledged than sent', ['sm.h-beyond'], ['→<presence/>', `←<a ${sm} h='2'/>`]],
    ['h that is no number', ['sm.h-invalid'], [`←<a ${sm} h='one'/>`]],
    ['no acknowledgement', ['sm.unacknowledged'], [`→<r ${sm}/>`, '←<message><body>x</body></message>']],
  ])('counts stream management: %s', (_, expected, lines) => {
    expect(codes([...managed, ...lines])).toEqual(expected);
  });

  it('follows a session over its connections', () => {
    const request = `→<iq type='get' id='1'>${ping}</iq>` as const;
    const resumption: Line[] = [
      ...login.slice(0, 6),
      `→<resume ${sm} previd='sm1' h='1'/>`,
      `←<resumed ${sm} previd='sm1' h='0'/>`,
      request,
      "←<iq type='result' id='1'/>",
      `←<a ${sm} h='1'/>`,
    ];
    expect(codes([...managed, request, '←<message><body>x</body></message>'], resumption)).toEqual([]);
    expect(codes([...managed, request], resumption.with(6, `→<resume ${sm} previd='sm1' h='7'/>`))).toEqual([
      'sm.h-beyond',
    ]);
  });

  it.each<[string, string, Line[]]>([
    [
      'a stanza before authentication',
      'stream.before-auth',
      [`→${clientHeader}`, `←${serverHeader}`, '→<presence/>'],
    ],
    ['a stanza before a resource is bound', 'stream.before-bind', [...login.slice(0, 6), '→<presence/>']],
    ['no new header after SASL', 'stream.no-restart', [...login.slice(0, 4), ...login.slice(6)]],
    [
      'a mechanism that was not offered',
      'sasl.not-offered',
      [...login.slice(0, 2), "→<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>x</auth>"],
    ],
    [
      'STARTTLS that was not offered',
      'starttls.not-offered',
      [...login.slice(0, 2), "→<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"],
    ],
    [
      'stream management that was not offered',
      'sm.not-offered',
      [...login, "→<enable xmlns='urn:xmpp:sm:2'/>"],
    ],
    ['a header that is none', 'ns.stream', ["→<stream xmlns='jabber:client' to='a'>"]],
    [
      'a bind that was not offered',
      'bind.not-offered',
      login.map((line): Line =>
        typeof line === 'string' && line.includes('<bind') && line.includes('features')
          ? `←${serverHeader}<stream:features/>`
          : line,
      ),
    ],
    [
      'a password in the clear',
      'sasl.in-clear',
      [
        { name: 'tcp', detail: { address: '192.0.2.1' } },
        `→${clientHeader}`,
        `←${serverHeader}<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>`,
        "→<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>[redacted]</auth>",
      ],
    ],
  ])('knows the order of a stream: %s', (_, code, lines) => {
    expect(codes(lines)).toContain(code);
  });

  it('understands SASL2 with Bind 2, where all is granted at once', () => {
    const sasl2 = "xmlns='urn:xmpp:sasl:2'";
    const lines: Line[] = [
      `→${clientHeader}`,
      `←${serverHeader}<stream:features><authentication ${sasl2}><mechanism>SCRAM-SHA-256</mechanism><inline><bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/></inline></bind></inline></authentication></stream:features>`,
      `→<authenticate ${sasl2} mechanism='SCRAM-SHA-256'><initial-response>[redacted]</initial-response><bind xmlns='urn:xmpp:bind:0'><enable ${sm}/></bind></authenticate>`,
      `←<success ${sasl2}><authorization-identifier>alice@example.org/d</authorization-identifier><bound xmlns='urn:xmpp:bind:0'><enabled ${sm} id='x'/></bound></success>`,
      "→<presence from='alice@example.org/d'/>",
      `←<a ${sm} h='1'/>`,
    ];
    expect(codes(lines)).toEqual([]);
    expect(codes([...lines, `←<a ${sm} h='2'/>`, "→<presence from='bob@example.org'/>"])).toEqual([
      'sm.h-beyond',
      'stream.wrong-from',
    ]);
  });

  it('knows what may be asked for together with authentication', () => {
    const sasl2 = "xmlns='urn:xmpp:sasl:2'";
    const bind = "xmlns='urn:xmpp:bind:0'";
    const fast = "xmlns='urn:xmpp:fast:0'";
    const login = (inline: string, asked: string, mechanism = 'SCRAM-SHA-256'): string[] =>
      codes([
        `→${clientHeader}`,
        `←${serverHeader}<stream:features><authentication ${sasl2}><mechanism>SCRAM-SHA-256</mechanism><inline>${inline}</inline></authentication></stream:features>`,
        `→<authenticate ${sasl2} mechanism='${mechanism}'><initial-response>[redacted]</initial-response>${asked}</authenticate>`,
      ]);
    const offer = `<bind ${bind}><inline><feature var='urn:xmpp:sm:3'/></inline></bind><sm ${sm}/><fast ${fast}><mechanism>HT-SHA-256-NONE</mechanism></fast>`;
    const everything = `<bind ${bind}><enable ${sm}/></bind><resume ${sm} previd='x' h='0'/><request-token ${fast} mechanism='HT-SHA-256-NONE'/>`;
    expect(login(offer, everything)).toEqual([]);
    expect(login('', everything)).toEqual(['bind.not-offered', 'sm.not-offered', 'sasl.fast-not-offered']);
    expect(login(`<bind ${bind}/>`, `<bind ${bind}><enable ${sm}/></bind>`)).toEqual(['sm.not-offered']);
    expect(login(offer, `<fast ${fast}/>`, 'HT-SHA-256-NONE')).toEqual([]);
    expect(login(offer, `<fast ${fast}/>`, 'HT-SHA-512-NONE')).toEqual(['sasl.fast-not-offered']);
    expect(login(offer, '', 'HT-SHA-256-NONE')).toEqual(['sasl.not-offered']);
  });

  it('lets the counters begin again at 2³²', () => {
    const resumed = (h: number): Line[] => [
      ...managed,
      `→<resume ${sm} previd='sm1' h='0'/>`,
      `←<resumed ${sm} previd='sm1' h='${h}'/>`,
    ];
    const last = 2 ** 32 - 1;
    const message: Line = '→<message/>';
    const ask = (h: number): Line => `←<a ${sm} h='${h}'/>`;
    const of = (...lines: Line[]): string[] =>
      codes([...resumed(last), ...lines]).filter((code) => code.startsWith('sm.'));
    const before = of();
    expect(of(message, message, ask(0), ask(1))).toEqual(before);
    expect(of(message, message, ask(2))).toEqual([...before, 'sm.h-beyond']);
    expect(of(message, message, ask(1), ask(0))).toEqual([...before, 'sm.h-backwards']);
    expect(codes([...managed, ask(last)])).toEqual(['sm.h-beyond']);
    expect(codes([...managed, ask(2 ** 32)])).toEqual(['sm.h-invalid']);
  });

  it('wants both addresses between servers', () => {
    const server = clientHeader.replace('jabber:client', 'jabber:server');
    const dialback = "xmlns:db='jabber:server:dialback'";
    expect(
      codes([
        `→${server}`,
        `←${server.replace('to=', 'from=')}`,
        `→<db:result ${dialback} from='a.example' to='b.example'>[redacted]</db:result>`,
        `←<db:result ${dialback} from='b.example' to='a.example' type='valid'/>`,
        "→<message from='x@a.example' to='y@b.example'/>",
        "→<message to='y@b.example'/>",
        '←<presence/>',
      ]).filter((code) => code.startsWith('stream.')),
    ).toEqual(['stream.no-address', 'stream.no-address']);
  });

  it('understands WebSocket and components', () => {
    const framing = "xmlns='urn:ietf:params:xml:ns:xmpp-framing'";
    expect(
      codes([
        `→<open ${framing} to='example.org' version='1.0'/>`,
        `←<open ${framing} from='example.org' id='1' version='1.0'/>`,
        "→<iq xmlns='jabber:client' type='set' id='a'><query xmlns='jabber:iq:auth'/></iq>",
        "←<iq xmlns='jabber:client' type='result' id='a'/>",
        "→<presence xmlns='jabber:client'/>",
        '→<presence/>',
        `→<close ${framing}/>`,
      ]),
    ).toEqual(['ns.stanza']);
    const component = clientHeader.replace('jabber:client', 'jabber:component:accept');
    expect(
      codes([
        `→${component}`,
        `←${component.replace('to=', 'from=')}`,
        '→<handshake>[redacted]</handshake>',
        '←<handshake/>',
        "→<message from='news@example.org' to='a@b'/>",
        "→<message from='news@sub.example.org' to='a@b'/>",
        "→<message from='news@other.org' to='a@b'/>",
        "→<message to='a@b'/>",
      ]),
    ).toEqual(['stream.wrong-from', 'stream.wrong-from']);
  });

  it('names connection, records, and where it is written', () => {
    const found = lintRecords(recordTrace([...login, `→<iq type='get' id='q' to='bob@b.org'>${ping}</iq>`]));
    expect(found).toEqual([
      {
        code: 'iq.unanswered',
        records: [10],
        conn: 1,
        message: 'get q (ping of urn:xmpp:ping) to bob@b.org was never answered',
        spec: 'RFC 6120 §8.2.3',
      },
    ]);
  });

  it('believes nothing across a gap', () => {
    const lines: Line[] = [...managed, `→<iq type='get' id='1'>${ping}</iq>`, { gap: [13, 20] }];
    expect(codes([...lines, "←<iq type='result' id='5'/>", `←<a ${sm} h='4'/>`])).toEqual(['trace.missing']);
  });

  it('sees that records are missing, or in disorder', () => {
    const records = recordTrace([...login, '→<presence/>']);
    expect(lintRecords([...records.slice(0, 9), ...records.slice(10)]).map(({ code }) => code)).toContain(
      'trace.missing',
    );
    expect(lintRecords([...records, ...records.slice(9, 10)]).map(({ code }) => code)).toContain(
      'trace.order',
    );
  });

  it('bears what is nested to hurt, and text without end', () => {
    expect(codes([...login, `→${nest(100_000)}`])).toEqual(['ns.payload']);
    const [finding] = lintRecords(recordTrace([...login, `←${'x'.repeat(100_000)}`]));
    expect(finding?.message.length).toBeLessThan(200);
  });

  it.each(['<!--', '<![x', '<![CDATA[', '<?', '<a x="', '<a '])(
    'takes no time to the square for %s without end',
    (piece) => {
      expect(codes([...login, `→<message>${piece.repeat(50_000)}`])).toEqual(['xml.incomplete']);
    },
  );

  it('bears an element with attributes without end', () => {
    const attributes = Array.from({ length: 20_000 }, (_, i) => `xmlns:p${i}='n' p${i}:a='1'`).join(' ');
    expect(codes([...login, `→<message ${attributes}/>`])).toEqual([]);
  });

  it('says of each code what it means', () => {
    for (const { meaning, spec } of Object.values(rules)) {
      expect(meaning).not.toMatch(/\.$/);
      expect(spec).toMatch(/^(RFC \d{4} §[\d.]+|XEP-\d{4} §\d|xmppctl-trace\(5\))$/);
    }
  });
});
