/** The stream itself: its header, and what it should not offer. */
import {
  atEachEndpoint,
  fail,
  info,
  list,
  of,
  pass,
  skip,
  warn,
  type Check,
  type LocalVerdict,
} from './check.js';
import { isForServers, type EndpointFacts, type StreamFacts } from '../facts/facts.js';

/** The stream inside TLS, of the newest version that worked. */
export function insideStream({ handshakes }: EndpointFacts): StreamFacts | undefined {
  return handshakes?.['1.3']?.value?.stream ?? handshakes?.['1.2']?.value?.stream;
}

function ofHeader(
  judge: (
    header: NonNullable<StreamFacts['header']>,
    stream: StreamFacts,
    facts: EndpointFacts,
    domain: string,
  ) => LocalVerdict | undefined,
): Check['judge'] {
  return atEachEndpoint({
    judge: (facts, { domain }) => {
      const stream = insideStream(facts) ?? facts.plain?.value;
      if (!stream) return skip('no stream could be opened');
      if (!stream.header) return undefined;
      const verdict = judge(stream.header, stream, facts, domain);
      return verdict?.status === 'pass' ? verdict : verdict && { evidence: stream.evidence, ...verdict };
    },
  });
}

export const streamChecks: readonly Check[] = [
  {
    id: 'stream.open',
    group: 'stream',
    severity: 'critical',
    title: 'a stream opens inside TLS',
    expected: 'a stream header and features, after the TLS handshake',
    references: ['RFC 6120 §4.3', 'RFC 6120 §5.4.3.3'],
    why: 'Without it nobody can log in, or deliver messages, here.',
    fix: {
      prosody: 'see the log of Prosody for this connection',
      ejabberd: 'see the log of ejabberd for this connection',
    },
    caps: { security: 'F' },
    reads: ['handshakes'],
    judge: atEachEndpoint({
      judge: (facts) => {
        const { handshakes, endpoint } = facts;
        if (!handshakes) return undefined;
        const stream = insideStream(facts);
        const caps = isForServers(endpoint.service)
          ? ({ federation: 'F' } as const)
          : ({ security: 'F' } as const);
        if (!stream) {
          const reasons = [...new Set(Object.values(handshakes).map(({ reason }) => reason ?? ''))].filter(
            (reason) => reason !== '',
          );
          return fail(`no secure stream: ${list(reasons)}`, { caps });
        }
        if (stream.problem !== undefined) return fail(stream.problem, { evidence: stream.evidence, caps });
        return pass(`opened, ${stream.features.length} features`);
      },
    }),
  },
  {
    id: 'stream.id',
    group: 'stream',
    severity: 'medium',
    title: 'streams have ids that cannot be guessed',
    expected: 'an id that is not empty, is long, and differs from stream to stream',
    references: ['RFC 6120 §4.7.3'],
    why: 'Dialback keys are made from the stream id: one that can be guessed lets others forge them.',
    reads: ['stream', 'handshakes'],
    judge: ofHeader(({ id }, _stream, { handshakes, plain }) => {
      const all = [plain?.value, handshakes?.['1.2']?.value?.stream, handshakes?.['1.3']?.value?.stream]
        .map((stream) => stream?.header?.id)
        .filter((one) => one !== undefined);
      if (id === undefined || id === '') return fail('there is no id');
      if (new Set(all).size < all.length) return fail('the same id came twice');
      return id.length < 8
        ? warn(`the id has ${id.length} characters`)
        : pass(`${id.length} characters, different each time`);
    }),
  },
  {
    id: 'stream.from',
    group: 'stream',
    severity: 'low',
    title: 'the stream says whose it is',
    expected: 'from: the domain that was asked for',
    references: ['RFC 6120 §4.7.1'],
    why: 'Clients compare it, to notice that they were led to another host.',
    reads: ['stream', 'handshakes'],
    judge: ofHeader(({ from }, _stream, _facts, domain) => {
      if (from === undefined) return warn('the header has no "from"');
      return from.toLowerCase() === domain ? pass(from) : warn(`the header is from ${from}`);
    }),
  },
  {
    id: 'stream.version',
    group: 'stream',
    severity: 'high',
    title: 'the stream is of version 1.0',
    expected: "version='1.0'",
    references: ['RFC 6120 §4.7.5'],
    why: 'Without it there are no features, so neither TLS nor SASL.',
    reads: ['stream', 'handshakes'],
    judge: ofHeader(({ version }) =>
      version === '1.0' ? pass('1.0') : fail(version === undefined ? 'no version' : `version ${version}`),
    ),
  },
  {
    id: 'stream.lang',
    group: 'stream',
    severity: 'low',
    title: 'the stream says its language',
    expected: 'xml:lang on the stream header',
    references: ['RFC 6120 §4.7.4'],
    why: 'Texts of errors are in that language; programs can only show what they know.',
    reads: ['stream', 'handshakes'],
    judge: ofHeader(({ lang }) => (lang === undefined ? info('no xml:lang') : pass(lang))),
  },
  {
    id: 'stream.limits',
    group: 'stream',
    severity: 'low',
    title: 'the limits of the stream are advertised',
    expected: '<limits/> among the features',
    references: ['XEP-0478'],
    why: 'Others can keep to a limit that they know; an unknown one is met by a broken connection.',
    fix: {
      prosody: 'Prosody 13 has mod_limits advertise them',
      ejabberd: 'mod_stream_limits, in newer versions',
    },
    reads: ['handshakes'],
    judge: atEachEndpoint({
      judge: (facts) => {
        const stream = insideStream(facts);
        if (!stream) return undefined;
        const { limits } = stream;
        return limits
          ? pass(
              `max-bytes ${limits.maxBytes ?? 'not said'}, idle-seconds ${limits.idleSeconds ?? 'not said'}`,
            )
          : info('not advertised');
      },
    }),
  },
  {
    id: 'stream.compression',
    group: 'stream',
    severity: 'medium',
    title: 'stream compression is not offered',
    expected: 'no <compression/> among the features',
    references: ['XEP-0138 §7', 'RFC 3749'],
    why: 'What is compressed together can be guessed from its length, and small stanzas can be made to fill memory.',
    fix: { prosody: 'remove "compression" from modules_enabled', ejabberd: 'remove zlib from the listener' },
    reads: ['stream', 'handshakes'],
    judge: atEachEndpoint({
      judge: (facts) => {
        const streams = [facts.plain?.value, insideStream(facts)].filter((stream) => stream !== undefined);
        if (streams.length === 0) return undefined;
        return streams.some(({ features }) => features.some((name) => name.endsWith('}compression')))
          ? warn('offered')
          : pass('not offered');
      },
    }),
  },
  {
    id: 'stream.features.early',
    group: 'stream',
    severity: 'low',
    title: 'nothing but TLS is offered before TLS',
    expected: 'only <starttls/> among the features before TLS',
    references: ['RFC 6120 §5.3.1', 'RFC 6120 §13.8.3'],
    why: 'What is offered before TLS is used before TLS, by somebody.',
    reads: ['stream'],
    judge: atEachEndpoint({
      services: ['xmpp-client', 'xmpp-server'],
      judge: ({ plain }) =>
        of(plain, ({ features, problem, evidence }) => {
          if (problem !== undefined) return undefined;
          const others = features.filter((name) => !name.endsWith('}starttls') && !name.endsWith('}limits'));
          return others.length === 0
            ? pass('only <starttls/>')
            : info(`also ${list(others.slice(0, 8))}`, { evidence });
        }),
    }),
  },
];
