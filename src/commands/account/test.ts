import { accountConnectOptions } from '../../lib/config/account-connect-options.js';
import type { Context } from '../../lib/context.js';
import { defineCommand } from '../../lib/command/definition.js';
import { StanzaError } from '../../lib/errors.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { Session } from '../../lib/session/session.js';
import { xml } from '../../lib/xml/element.js';

export interface TestOptions {
  name: string | undefined;
}

/** What the connection turned out to be. */
export interface TestReport {
  account: string | null;
  jid: string;
  endpoint: string;
  transport: string;
  tls: { version: string; cipher: string; alpn: string | null; fingerprintSha256: string } | null;
  mechanism: string | null;
  channelBinding: string | null;
  streamManagement: { isOn: boolean; isResumable: boolean };
  /** Until the session was online. */
  connectMs: number;
  /** One ping to the server. */
  rttMs: number;
}

export const command = defineCommand({
  path: 'account test',
  summary: 'log in and report how: server, TLS, mechanism, round trip',
  description: `Connects as any other command would, with the options of this one, and says what came of it: where the server was found, TLS with the fingerprint of the certificate, the SASL mechanism and its channel binding, stream management, and how long one question takes.`,
  examples: [
    { does: 'the account that is used when none is named', line: 'xmppctl account test' },
    {
      does: 'pin the certificate that the server has now',
      line: 'xmppctl account test work --json | jq -r .tls.fingerprintSha256',
    },
  ],
  completes: { name: 'account' },
  build: (command) => command.argument('[name]', 'the account; the default one when left out'),
  parse: ([name]): TestOptions => ({ name }),
  run: runTest,
});

export async function runTest({ name }: TestOptions, context: Context): Promise<void> {
  const { global, env, output, prompt, signal } = context;
  const options =
    name === undefined
      ? undefined
      : await accountConnectOptions({ global: { ...global, account: name }, env, prompt });
  const started = performance.now();
  await using session = await context.connect(options);
  const connectMs = performance.now() - started;
  const report: TestReport = {
    account: name ?? global.account ?? null,
    jid: session.jid.toString(),
    ...describeConnection(session),
    connectMs: round(connectMs),
    rttMs: round(await measureRoundTrip(session, signal)),
  };
  await output.result(report, (shown) =>
    renderReport(shown)
      .map(
        ([term, value]) =>
          `${output.style.dim(`${term}:`.padEnd(19))}${safeText(value, { singleLine: true })}`,
      )
      .join('\n'),
  );
}

function describeConnection(session: Session): Omit<TestReport, 'account' | 'jid' | 'connectMs' | 'rttMs'> {
  const { info } = session;
  return {
    endpoint: info.endpoint,
    transport: info.transport,
    tls: info.tls ? { ...info.tls, alpn: info.tls.alpn ?? null } : null,
    mechanism: info.mechanism ?? null,
    channelBinding: info.channelBinding ?? null,
    streamManagement: { isOn: info.isStreamManaged, isResumable: info.isResumable },
  };
}

/** A server without XEP-0199 refuses at once: that takes as long. */
async function measureRoundTrip(session: Session, signal: AbortSignal): Promise<number> {
  const started = performance.now();
  try {
    await session.request(
      { type: 'get', to: session.jid.domain, payload: xml('ping', { xmlns: 'urn:xmpp:ping' }) },
      { signal },
    );
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error;
  }
  return performance.now() - started;
}

function renderReport(report: TestReport): [string, string][] {
  const { tls, streamManagement } = report;
  return [
    ['logged in as', report.jid],
    ['server', `${report.endpoint} (${report.transport})`],
    ['TLS', tls ? `${tls.version}, ${tls.cipher}` : 'none'],
    ...(tls
      ? [['certificate', `sha256:${tls.fingerprintSha256.replace(/^sha256:/, '')}`] as [string, string]]
      : []),
    ['mechanism', report.mechanism ?? 'the handshake of a component'],
    ['channel binding', report.channelBinding ?? 'none'],
    [
      'stream management',
      streamManagement.isOn ? (streamManagement.isResumable ? 'on, resumable' : 'on') : 'off',
    ],
    ['connected in', `${report.connectMs} ms`],
    ['round trip', `${report.rttMs} ms`],
  ];
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
