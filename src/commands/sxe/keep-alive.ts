/** Being in a session until it ends, with a file that is kept as the document. */
import type { Output } from '../../lib/output/output.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { EditingEvent } from '../../lib/sxe/session/editing-event.js';
import type { EditingSession } from '../../lib/sxe/session/editing-session.js';
import { LiveFile, type LiveFileEvent } from '../../lib/sxe/session/live-file.js';

const MAX_REASON_LENGTH = 500;

/** Where events are told. */
export interface Teller {
  tell: (event: ShownEvent) => Promise<void>;
  warn: (text: string) => void;
}

export function tellerOf(output: Output): Teller {
  return {
    tell: async (event) => {
      await output.item(event, renderEvent);
      await output.flush();
    },
    warn: (text) => output.warn(text),
  };
}

/** A file that is kept as the document; it is written when this resolves. @throws FileError */
export function openLiveFile(
  editing: EditingSession,
  file: string,
  { tell, warn }: Teller,
): Promise<LiveFile> {
  return LiveFile.open(file, editing, ({ kind, ...rest }: LiveFileEvent): void => {
    const event: ShownEvent = { event: kind, ...rest };
    if (event.reason !== undefined) warn(`not sent: ${event.reason}`);
    if (event.lines)
      warn(`both have changed the same words, see line ${event.lines.join(', ')}: decide, and save`);
    void tell(event);
  });
}

/** After these the document is another one. */
const CHANGING: readonly EditingEvent['kind'][] = ['changed', 'document', 'corrected'];

/**
 * @param until ends it as well: that of an editor
 * @throws NegativeError the session was lost @throws FileError
 */
export async function keepAlive(
  editing: EditingSession,
  live: LiveFile | undefined,
  { tell, warn }: Teller,
  signal: AbortSignal,
  until?: AbortSignal,
): Promise<void> {
  const stop = (): void => void editing.events.return?.();
  signal.addEventListener('abort', stop);
  until?.addEventListener('abort', stop);
  try {
    if (signal.aborted || until?.aborted === true) stop();
    for await (const event of editing.events) {
      const shown = shownEvent(event);
      if (shown) await tell(shown);
      const warning = warningOf(event);
      if (warning !== undefined) warn(warning);
      if (event.kind === 'document' && event.unmerged) {
        if (live) await live.showConflict(event.unmerged);
      } else if (CHANGING.includes(event.kind)) {
        await live?.sync();
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    until?.removeEventListener('abort', stop);
    // What was saved last goes out before goodbye.
    await live?.sync();
  }
  signal.throwIfAborted();
}

export interface ShownEvent {
  event: string;
  name?: string;
  edits?: number;
  reason?: string;
  lines?: number[];
}

function shownEvent(event: EditingEvent): ShownEvent | undefined {
  switch (event.kind) {
    case 'joined':
    case 'left':
      return { event: event.kind, name: event.name };
    case 'changed':
      return { event: 'changed', name: event.received[0]?.sender ?? '', edits: event.received.length };
    case 'document':
      return event.isAgain ? { event: 'document' } : undefined;
    case 'valid':
      return { event: 'valid' };
    case 'invalid':
    case 'taken-back':
      return { event: event.kind, ...('name' in event && { name: event.name }), reason: event.reason };
    case 'corrected':
      return { event: 'corrected', edits: event.edits, reason: event.reason };
  }
}

/** What the user should know of, wherever the events go. */
function warningOf(event: EditingEvent): string | undefined {
  if (event.kind === 'invalid') return `the document is not valid: ${event.reason}`;
  if (event.kind === 'corrected') return 'what made the document not valid has been taken back';
  if (event.kind !== 'taken-back') return undefined;
  return `${event.name} has taken back what is not valid: ${event.reason.slice(0, MAX_REASON_LENGTH)}`;
}

function renderEvent({ event, name, edits, reason, lines }: ShownEvent): string {
  return [event, name, edits?.toString(), reason, lines?.join(',')]
    .filter((part) => part !== undefined)
    .map((part) => safeText(part, { singleLine: true }))
    .join('\t');
}
