import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import { startEditor } from '../../lib/programs/edit-text.js';
import { keepAlive, openLiveFile } from './keep-alive.js';
import { schemaOption, schemaSection } from './schema-option.js';
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

export const command = defineCommand({
  path: 'sxe edit',
  summary: 'open the document of a session in an editor',
  description:
    'Joins the session and opens its document in an editor (VISUAL, EDITOR). What is saved is sent; what others change is merged into the file, which editors offer to load again. Where both have changed the same words, both are in the file between marks. The session is left when the editor ends.',
  examples: [{ does: 'edit with others', line: 'xmppctl sxe edit orchard@chat.example.org' }],
  exitCodes: {
    ...joinExitCodes,
    1: 'the editor failed, the session was lost, or what was saved last cannot be sent: the file is kept, and named',
  },
  completes: { ...joinCompletes, '--schema': 'file' },
  sections: [schemaSection],
  build: (command) =>
    command
      .argument('<where>', whereText)
      .addOption(nickOption)
      .addOption(roomPasswordOption)
      .addOption(sessionOption)
      .addOption(schemaOption),
  parse: ([where], flags): JoinOptions => ({ ...joinOptionsOf(where, flags), schemaFile: flags.schema }),
  run: runEdit,
});

/** @throws NegativeError the editor failed, or the session was lost @throws StanzaError */
export async function runEdit(options: JoinOptions, context: Context): Promise<void> {
  await withJoined(options, context, async (editing) => {
    const dir = await mkdtemp(path.join(context.env['TMPDIR'] ?? tmpdir(), 'xmppctl-sxe-'));
    const file = path.join(dir, 'document.xml');
    const over = new AbortController();
    // The editor is asked to end by Ctrl-C in its own way.
    using _signals = context.interceptSignals(() => undefined);
    // The terminal is the editor's.
    const silent = { tell: () => Promise.resolve(), warn: () => undefined };
    // Written before the editor reads it, and not again under its hands.
    using live = await openLiveFile(editing, file, silent);
    const kept = keepAlive(editing, live, silent, context.signal, over.signal);
    const code = await startEditor(file, context.env);
    over.abort();
    try {
      await kept;
    } catch (error) {
      throw new NegativeError(`the session was lost: ${(error as Error).message}`, {
        hint: `your text is in ${file}`,
        cause: error,
      });
    }
    if (code !== 0)
      throw new NegativeError(`the editor ended with ${code}`, { hint: `your text is in ${file}` });
    if (live.unsent !== undefined)
      throw new NegativeError(`not sent: ${live.unsent}`, { hint: `your text is in ${file}` });
    await rm(dir, { recursive: true, force: true });
  });
}
