/** A console's line that has logged in: stanzas in both directions, with times. */
import { Conversation, type Received } from '../../lib/console/conversation.js';
import { attributesOf, checkTypedElement } from '../../lib/console/typed-stanza.js';
import { UsageError } from '../../lib/errors.js';
import { openStream } from '../../lib/session/open-stream.js';
import { prettyXml } from '../../lib/xml/canonical.js';
import type { Element } from '../../lib/xml/element.js';
import { serialize } from '../../lib/xml/serialize.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { ConsoleOptions } from '../console.js';
import type { Line, LineSurroundings } from './terminal.js';
import { paintFor } from '../stanza-output.js';

const maxAddresses = 1000;

/** @throws XmppctlError whatever stands in the way of logging in */
export async function openStanzaLine(
  { isAnswering }: ConsoleOptions,
  { context, trace, print, onEnd }: LineSurroundings,
): Promise<Line> {
  const { output, clock } = context;
  const { style } = output;
  const stream = await openStream(await context.connectOptions({ tracer: trace }));
  const addresses = new Set<string>();
  let isOneLine = false;

  const clockTime = (): string => {
    const now = new Date(clock.now());
    const part = (value: number, width = 2): string => String(value).padStart(width, '0');
    return `${part(now.getHours())}:${part(now.getMinutes())}:${part(now.getSeconds())}.${part(now.getMilliseconds(), 3)}`;
  };
  const show = (dir: 'in' | 'out', element: Element, note: string): void => {
    const mark = dir === 'in' ? style.incoming('←') : style.outgoing('→');
    const body = isOneLine
      ? safeText(serialize(element), { singleLine: true })
      : prettyXml(element, paintFor(style));
    print(`${mark} ${style.dim(`${clockTime()}${note}`)}${isOneLine ? ' ' : '\n'}${body}`);
  };
  const remember = (address: string | undefined): void => {
    if (address === undefined || addresses.size >= maxAddresses) return;
    if (!/["'<>\s]/.test(address) && safeText(address) === address) addresses.add(address);
  };
  const note = (element: Element): void => {
    const { from, to } = attributesOf(element);
    remember(from);
    remember(to);
  };
  for (const own of [stream.jid.domain, stream.jid.bare, stream.jid]) remember(own.toString());
  const conversation = new Conversation(stream, {
    isAnswering,
    now: () => performance.now(),
    onReceived: ({ element, rttMs }: Received) => {
      note(element);
      show('in', element, rttMs === undefined ? '' : `  round trip ${rttMs.toFixed(1)} ms`);
    },
    onAnswered: (element) => show('out', element, '  by itself'),
    onEnd,
  });

  // The server has chosen it, and it is put on the line that is edited.
  const own = (jid: string): string => safeText(jid, { singleLine: true });
  return {
    prompt: `${own(stream.jid.bare.toString())}> `,
    isRaw: false,
    values: {
      me: own(stream.jid.toString()),
      bare: own(stream.jid.bare.toString()),
      domain: own(stream.jid.domain),
    },
    addresses,
    async send(text, isChecked) {
      let typed: { text: string; element: Element | undefined };
      try {
        const checked = checkTypedElement(text);
        // As it is means without an id of ours.
        typed = isChecked || checked.text === text ? checked : { text, element: undefined };
      } catch (error) {
        if (isChecked || !(error instanceof UsageError)) throw error;
        typed = { text, element: undefined };
      }
      if (typed.element) {
        note(typed.element);
        show('out', typed.element, '');
      } else print(`${style.outgoing('→')} ${style.dim(`${clockTime()}  as it is`)} ${safeText(text)}`);
      await conversation.send(typed.text, typed.element);
    },
    setting(name, value) {
      if (name === 'raw') return (isOneLine = value ?? isOneLine);
      return (conversation.isAnswering = value ?? conversation.isAnswering);
    },
    describe: () => {
      const { info, jid } = stream;
      const facts = [
        jid.toString(),
        info.endpoint,
        info.tls?.version ?? 'without TLS',
        info.mechanism,
        info.isStreamManaged ? 'stream management is offered' : undefined,
      ];
      return facts.filter((fact) => fact !== undefined).join(', ');
    },
    startTls: () => Promise.reject(new UsageError('the stream has its TLS already')),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    close: () => stream.close(),
  };
}
