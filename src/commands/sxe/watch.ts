import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { Received } from '../../lib/sxe/participant.js';
import {
  joinCompletes,
  joinExitCodes,
  joinOptionsOf,
  nickOption,
  roomPasswordOption,
  sessionOption,
  whereText,
  withJoined,
  type JoinOptions,
} from './sxe-flags.js';

export interface WatchOptions extends JoinOptions {
  /** The whole document after each change, instead of the edits. */
  showsDocument: boolean;
  count: number | undefined;
}

export const command = defineCommand({
  path: 'sxe watch',
  summary: 'print the edits of a session as they are made',
  description:
    'Prints who edits, what is done (new, set, remove), which record, and the text that is new, with tabs between them. With --document the whole document is printed after each change instead.',
  examples: [
    { does: 'who does what', line: 'xmppctl sxe watch orchard@chat.example.org --json' },
    { does: 'the document as it grows', line: 'xmppctl sxe watch orchard@chat.example.org --document' },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line: sender, edit (kind, rid or target, version, and the fields of XEP-0284), outcome (kind, and reason). With --document: document (XML text).',
    },
  ],
  exitCodes: { ...joinExitCodes, 0: '--count was reached, or the session is over' },
  completes: { ...joinCompletes, '--count': 'none' },
  build: (command) =>
    command
      .argument('<where>', whereText)
      .addOption(nickOption)
      .addOption(roomPasswordOption)
      .addOption(sessionOption)
      .option('--document', 'the whole document after each change')
      .option('-c, --count <n>', 'end after n lines, or documents'),
  parse: ([where], flags): WatchOptions => {
    if (flags.count !== undefined && !/^[1-9]\d{0,8}$/.test(flags.count))
      throw new UsageError(`--count takes a number of 1 or more, not ${flags.count}`);
    return {
      ...joinOptionsOf(where, flags),
      showsDocument: flags.document === true,
      count: flags.count === undefined ? undefined : Number(flags.count),
    };
  },
  run: runWatch,
});

/** @throws NegativeError @throws StanzaError */
export async function runWatch(
  { showsDocument, count = Infinity, ...options }: WatchOptions,
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  await withJoined(options, context, async (editing, session) => {
    output.detail(`watching as ${session.jid.toString()}`);
    const stop = (): void => void editing.events.return?.();
    signal.addEventListener('abort', stop);
    let left = count;
    const printDocument = async (): Promise<void> => {
      await output.item({ document: editing.text }, ({ document }) => document);
      left -= 1;
    };
    if (showsDocument) await printDocument();
    await output.flush();
    while (left > 0) {
      const next = await editing.events.next();
      if (next.done === true) break;
      const { value } = next;
      if (value.kind === 'document' && showsDocument) await printDocument();
      if (value.kind !== 'changed') continue;
      if (showsDocument) await printDocument();
      else for (const one of value.received.slice(0, left)) await output.item(one, renderEdit);
      if (!showsDocument) left -= value.received.length;
      await output.flush();
    }
    signal.removeEventListener('abort', stop);
    signal.throwIfAborted();
  });
}

function renderEdit({ sender, edit, outcome }: Received): string {
  const record = edit.kind === 'new' ? edit.rid : edit.target;
  const text = edit.kind === 'remove' ? '' : (edit.chdata ?? edit.name ?? edit.pidata ?? '');
  return [sender, edit.kind, record, text, outcome.kind === 'applied' ? '' : outcome.kind]
    .map((part) => safeText(part, { singleLine: true }))
    .join('\t')
    .trimEnd();
}
