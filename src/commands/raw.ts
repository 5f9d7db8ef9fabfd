import { defineCommand } from '../lib/command/definition.js';
import type { Context } from '../lib/context.js';
import { UsageError } from '../lib/errors.js';
import { attributesOf, checkStanza, isAnswerer, isRequest } from '../lib/console/typed-stanza.js';
import { readText } from '../lib/input/stdin.js';
import type { Output } from '../lib/output/output.js';
import { expectStanza } from '../lib/session/expect-stanza.js';
import type { Session } from '../lib/session/session.js';
import { prettyXml } from '../lib/xml/canonical.js';
import type { Element } from '../lib/xml/element.js';
import { parseTypedXml } from '../lib/xml/parse.js';
import { stanzaErrorFrom } from '../lib/xml/stanza-error.js';
import { paintFor, stanzaToJson } from './stanza-output.js';

export interface RawOptions {
  /** Undefined: from stdin. */
  xml: string | undefined;
  /** Also print the next stanzas that come: so many, or for so long. */
  count: number | undefined;
  waitMs: number | undefined;
}

const maxInputBytes = 16 * 1024 * 1024;

export const command = defineCommand({
  path: 'raw',
  summary: 'send stanzas as XML and print what is answered',
  description: [
    'Sends message, presence and iq stanzas as they are written, one after the other. The answer to an iq is printed before the next stanza goes out; an iq without an id is given one. Elements without a namespace are in that of the stream (jabber:client).',
    'With --count or --wait, what comes in afterwards is printed too, whatever it is. XML is indented for reading; with --json each stanza is a line with its name, type, id, from and xml.',
  ].join('\n\n'),
  examples: [
    {
      does: 'ask a server for its version',
      line: 'xmppctl raw \'<iq type="get" to="example.org"><query xmlns="jabber:iq:version"/></iq>\'',
    },
    {
      does: 'become available and print what comes in the next 10 seconds',
      line: "echo '<presence/>' | xmppctl raw --wait 10",
    },
  ],
  exitCodes: {
    2: 'not well-formed, or not a stanza; nothing was sent',
    5: 'an iq was answered with an error',
  },
  completes: { xml: 'none', '--count': 'none', '--wait': 'none' },
  build: (command) =>
    command
      .argument('[xml]', 'the stanzas; from stdin when left out or -')
      .option('-c, --count <n>', 'print the next n stanzas that come in')
      .option('-w, --wait <seconds>', 'print what comes in for so long'),
  parse: ([text], { count, wait }): RawOptions => ({
    xml: text === '-' ? undefined : text,
    count: count === undefined ? undefined : positive('--count', count),
    waitMs: wait === undefined ? undefined : positive('--wait', wait) * 1000,
  }),
  run: runRaw,
});

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value))
    throw new UsageError(`${name} takes a number above 0, not ${text}`);
  return value;
}

export async function runRaw(options: RawOptions, context: Context): Promise<void> {
  const { output, signal, stdin } = context;
  if (options.xml === undefined && stdin.isTTY)
    output.note('reading stanzas from the terminal; end with Ctrl-D');
  const text = options.xml ?? (await readText(stdin, { signal, limit: maxInputBytes }));
  const stanzas = parseTypedXml(text, { defaultNamespace: 'jabber:client' }).map(checkStanza);
  if (stanzas.length === 0) throw new UsageError('there is no stanza to send');

  await using session = await context.connect();
  const limit = new AbortController();
  const wantsMore = options.count !== undefined || options.waitMs !== undefined;
  // From before the first stanza is sent: what it brings may come at once.
  const incoming = wantsMore
    ? session.stanzas({}, { signal: AbortSignal.any([signal, limit.signal]) })
    : undefined;
  const answers = new Set<Element>();
  let failure: Error | undefined;
  for (const stanza of stanzas) {
    const answer = await exchange(session, stanza, signal);
    if (!answer) continue;
    answers.add(answer);
    await print(output, answer);
    if (answer.attrs['type'] === 'error') failure = stanzaErrorFrom(answer);
  }
  await session.flush({ signal });
  if (incoming) await printIncoming(incoming, answers, limit, options, context);
  if (failure) throw failure;
}

/** Sends a stanza. @returns the answer to a request */
async function exchange(
  session: Session,
  stanza: Element,
  signal: AbortSignal,
): Promise<Element | undefined> {
  if (!isRequest(stanza)) {
    await session.send(stanza, { signal });
    return undefined;
  }
  const { id, to } = attributesOf(stanza);
  return expectStanza(
    session,
    {
      filter: { name: 'iq', type: ['result', 'error'] },
      fits: (iq) => attributesOf(iq)['id'] === id && isAnswerer(attributesOf(iq)['from'], to, session.jid),
      doing: `waiting for ${to ?? 'the server'} to answer`,
    },
    () => session.send(stanza, { signal }),
    { signal },
  );
}

async function printIncoming(
  incoming: AsyncIterable<Element>,
  answers: ReadonlySet<Element>,
  limit: AbortController,
  { count, waitMs }: RawOptions,
  { output, signal }: Context,
): Promise<void> {
  const timer = waitMs === undefined ? undefined : setTimeout(() => limit.abort(), waitMs);
  let seen = 0;
  try {
    for await (const stanza of incoming) {
      if (answers.has(stanza)) continue;
      await print(output, stanza);
      seen += 1;
      if (count !== undefined && seen >= count) return;
    }
  } catch (error) {
    if (!limit.signal.aborted || signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
}

function print(output: Output, stanza: Element): Promise<void> {
  return output.item(stanzaToJson(stanza), () => prettyXml(stanza, paintFor(output.style)));
}
