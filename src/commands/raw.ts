import { randomUUID } from 'node:crypto';
import { defineCommand } from '../lib/command/definition.js';
import type { Context } from '../lib/context.js';
import { UsageError } from '../lib/errors.js';
import { readText } from '../lib/input/stdin.js';
import { JID } from '../lib/jid/jid.js';
import type { Output } from '../lib/output/output.js';
import { safeText } from '../lib/output/safe-text.js';
import { expectStanza } from '../lib/session/expect-stanza.js';
import type { Session } from '../lib/session/session.js';
import { prettyXml, type XmlPaint } from '../lib/xml/canonical.js';
import type { Element } from '../lib/xml/element.js';
import { parseTypedXml } from '../lib/xml/parse.js';
import { serialize } from '../lib/xml/serialize.js';
import { stanzaErrorFrom } from '../lib/xml/stanza-error.js';

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

/** @throws UsageError it is no stanza */
function checkStanza(element: Element): Element {
  const name = element.getName();
  const namespace = element.getNS();
  if (!['message', 'presence', 'iq'].includes(name) || namespace !== 'jabber:client') {
    throw new UsageError(`<${name}/> is not a stanza`, { hint: 'send message, presence or iq elements' });
  }
  const type: unknown = element.attrs['type'];
  if (name === 'iq' && !['get', 'set', 'result', 'error'].includes(String(type))) {
    throw new UsageError('an iq needs a type: get, set, result or error');
  }
  if (name === 'iq' && element.attrs['id'] === undefined) element.attrs['id'] = randomUUID();
  // The stream is in its own namespace, which for a component is another.
  delete element.attrs['xmlns'];
  serialize(element);
  return element;
}

/** Sends a stanza. @returns the answer to a request */
async function exchange(
  session: Session,
  stanza: Element,
  signal: AbortSignal,
): Promise<Element | undefined> {
  const type: unknown = stanza.attrs['type'];
  if (stanza.getName() !== 'iq' || (type !== 'get' && type !== 'set')) {
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

function attributesOf(element: Element): Readonly<Record<string, string | undefined>> {
  return element.attrs;
}

/** The one who was asked; our account's server may answer as the account, as itself, or without saying (RFC 6120 §8.1.2.1). */
function isAnswerer(from: string | undefined, to: string | undefined, me: JID): boolean {
  const own = [me.toString(), me.bare.toString(), me.domain];
  if (from === undefined) return to === undefined || own.includes(to);
  if (to === undefined) return own.includes(from);
  return JID.fromServer(from).equals(JID.fromServer(to));
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
  const { type, id, from } = attributesOf(stanza);
  return output.item(
    {
      name: stanza.getName(),
      ...(type !== undefined && { type }),
      ...(id !== undefined && { id }),
      ...(from !== undefined && { from }),
      xml: stanza.toString(),
    },
    () => prettyXml(stanza, paintFor(output)),
  );
}

/** What came from the network is neutralised piece by piece, before colours are added. */
function paintFor({ style }: Output): XmlPaint {
  return {
    name: (text) => style.name(safeText(text, { singleLine: true })),
    attribute: (text) => style.dim(safeText(text, { singleLine: true })),
    value: (text) => style.good(safeText(text, { singleLine: true })),
    text: (text) => safeText(text),
  };
}
