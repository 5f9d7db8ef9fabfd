import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { defineCommand } from '../../lib/command/definition.js';
import { readTextFile } from '../../lib/config/private-file.js';
import type { Context } from '../../lib/context.js';
import { NegativeError, ProtocolError, UsageError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { openInBrowser } from '../../lib/programs/open-browser.js';
import { drawing } from '../../lib/sxe/document-kind.js';
import { createDocument } from '../../lib/sxe/load-tree.js';
import { parseDocument } from '../../lib/sxe/parse-document.js';
import { EditingSession } from '../../lib/sxe/session/editing-session.js';
import { advertiseEditing } from '../../lib/sxe/session/find-peer.js';
import { Board } from '../../lib/sxe-board/board.js';
import { readBoardFiles } from '../../lib/sxe-board/board-files.js';
import { rootOf } from '../../lib/sxe-board/visible-nodes.js';
import { KeptDrawing } from './kept-drawing.js';
import { openSession } from './open-session.js';
import {
  joinCompletes,
  joinExitCodes,
  nickOption,
  onlyPlace,
  roomPasswordOption,
  sessionOption,
  withJoined,
  type RoomFlags,
} from './sxe-flags.js';

export interface BoardOptions extends RoomFlags {
  /** What the session begins with; an empty drawing when left out. */
  file: string | undefined;
  /** A session that is there is joined, or one begins. */
  joins: boolean;
  where: JID;
  sessionId: string | undefined;
  name: string;
  /** Kept as the drawing. */
  savedAs: string | undefined;
  overwrites: boolean;
  opensBrowser: boolean;
}

const EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 720"></svg>\n';

export const command = defineCommand({
  path: 'sxe board',
  summary: 'draw together: a whiteboard in the browser',
  description: [
    'Prints the address of a page on this computer, where the drawing of a session can be seen and changed: with a pen, lines, shapes and text; it can be moved, recoloured and erased, and own edits taken back, whatever the others do. The drawing is an SVG document, each shape an element of it, and each change an edit of the session (XEP-0284), so that others may use this command, xmppctl sxe join --live with a program of their own, or another client: the whiteboards of Psi and Psi+ among them, which are invited where they are and speak a dialect of their own. What the page cannot show stays in the document as it is.',
    'A session begins with --room or --with, and with the file as the drawing, if there is one; with --join the one that is there is joined. The file, or that of --save, is kept as the drawing, in both directions. The page can be closed and opened again; the command goes on until it is interrupted.',
    'The address works on this computer only. Who knows it can draw: it has a secret in it, and nothing else is needed.',
  ].join('\n\n'),
  examples: [
    { does: 'begin in a room', line: 'xmppctl sxe board plan.svg --room orchard@chat.example.org --open' },
    { does: 'take part', line: 'xmppctl sxe board --join orchard@chat.example.org' },
    { does: 'with one other account', line: 'xmppctl sxe board plan.svg --with romeo@example.org' },
  ],
  sections: [
    {
      title: 'KEYS',
      text: 'V select and move, P pen, L line, R rectangle, E ellipse, T text, X erase; Shift for squares, circles and lines in steps of 45°. Ctrl+Z undo, Ctrl+Shift+Z redo, Ctrl+A everything, Delete erases what is chosen, arrows move it (Shift: further), N the next shape, Escape gives up. C another colour, [ and ] the width. The wheel or Space and the pointer move the paper, Ctrl and the wheel, + and - zoom, 0 shows everything; on a screen that is touched, two fingers do.',
    },
    {
      title: 'JSON OUTPUT',
      text: 'One object: url, and the id of the session.',
    },
  ],
  exitCodes: {
    ...joinExitCodes,
    1: 'the session is not there, is declined or was lost, or its document is no drawing',
    2: 'the file is no SVG document that can be shared, or says something else',
    7: 'the file cannot be read or written',
  },
  completes: {
    ...joinCompletes,
    file: 'file',
    '--with': 'jid',
    '--room': 'jid',
    '--join': 'jid',
    '--name': 'none',
    '--save': 'file',
  },
  build: (command) =>
    command
      .argument('[file]', 'the drawing; it may not be there yet')
      .option('--room <room>', 'begin a session in a room')
      .option('--with <jid>', 'begin a session with one other account')
      .option('--join <where>', 'join the session in a room, or the one that an account offers')
      .addOption(nickOption)
      .addOption(roomPasswordOption)
      .addOption(sessionOption)
      .option('--name <name>', 'what the session is called; as the file when left out')
      .option('--save <file>', 'keep this file as the drawing')
      .option('--overwrite', 'also a file that is there and says something else')
      .option('--open', 'open the page in the browser'),
  parse: ([file], flags): BoardOptions => {
    const where = onlyPlace(
      [flags.room, flags.with, flags.join],
      'where is drawn? one of --room, --with and --join is needed',
    );
    if (flags.join !== undefined && file !== undefined)
      throw new UsageError('the session that is joined has a drawing already (--save keeps it in a file)');
    if (flags.join === undefined && flags.session !== undefined)
      throw new UsageError('--session is for --join');
    return {
      file,
      joins: flags.join !== undefined,
      where,
      sessionId: flags.session,
      nick: flags.nick,
      passwordFile: flags.roomPasswordFile,
      name: flags.name ?? (file === undefined ? 'drawing' : path.basename(file)),
      savedAs: flags.save ?? file,
      overwrites: flags.overwrite === true,
      opensBrowser: flags.open === true,
    };
  },
  run: runBoard,
});

/** @throws UsageError @throws FileError @throws NegativeError @throws StanzaError @throws TimeoutError */
export async function runBoard(options: BoardOptions, context: Context): Promise<void> {
  const { where, file, name } = options;
  if (options.joins) {
    await withJoined(options, context, (editing) =>
      showBoard(editing, { ...options, name: where.bare.toString() }, context),
    );
    return;
  }
  // What is wrong with it costs nothing.
  const text = await readDrawing(file);
  await using session = await context.connect({ resume: true });
  using _features = advertiseEditing(session);
  const channel = await openSession(session, drawing, { ...options, name }, context);
  const editing = EditingSession.share(channel, drawing.application, (own, site) =>
    createDocument(text, own, site),
  );
  try {
    await showBoard(editing, options, context);
  } finally {
    await editing.close();
  }
}

/** Until it is interrupted, or the session is over. */
async function showBoard(editing: EditingSession, options: BoardOptions, context: Context): Promise<void> {
  const { savedAs, file, name, overwrites, opensBrowser } = options;
  const { output, signal, env } = context;
  // The file that it began with says the same.
  if (savedAs !== undefined && savedAs !== file && !overwrites) await refuseOther(savedAs, editing.text);
  const shown: { board?: Board } = {};
  const warn = (text: string): void => {
    output.warn(text);
    shown.board?.notice(text);
  };
  using kept = await KeptDrawing.open(editing, savedAs, { onSaved: () => shown.board?.replaced(), warn });
  const board = await Board.open(editing, {
    title: name,
    name: editing.participant.name,
    files: await readBoardFiles(path.join(__dirname, 'board')),
    onEdited: () => kept.saveSoon(),
  });
  shown.board = board;
  const stop = (): void => void editing.events.return?.();
  signal.addEventListener('abort', stop);
  let closeFile: (() => Promise<void>) | undefined;
  let ending = 'The session is over.';
  try {
    if (!board.isDrawing) throw new NegativeError('the document of this session is no drawing');
    await output.item({ url: board.url, session: editing.session }, ({ url }) => url);
    await output.flush();
    if (opensBrowser) {
      closeFile = await openInBrowser(board.url, env).catch((error: unknown) => {
        output.warn(`no browser could be opened: ${(error as Error).message}`);
        return undefined;
      });
    }
    if (signal.aborted) stop();
    await follow(editing, board, kept);
  } catch (error) {
    ending = 'The session was lost.';
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    if (signal.aborted) ending = 'The program has ended.';
    try {
      await kept.save();
      if (savedAs !== undefined) ending += ` The drawing is in ${path.basename(savedAs)}.`;
    } finally {
      await board.close(ending);
      await closeFile?.();
    }
  }
  signal.throwIfAborted();
}

/** What the others do, until the session is over. */
async function follow(editing: EditingSession, board: Board, kept: KeptDrawing): Promise<void> {
  for (const name of editing.present) board.joined(name);
  for await (const event of editing.events) {
    switch (event.kind) {
      case 'joined':
        board.joined(event.name);
        break;
      case 'left':
        board.left(event.name);
        break;
      case 'changed':
        board.changed(event.received);
        kept.saveSoon();
        break;
      case 'document':
        board.replaced();
        if (event.unmerged) await kept.showConflict(event.unmerged);
        else kept.saveSoon();
        break;
      case 'taken-back':
        board.notice(`${event.name} has taken back what is not valid: ${event.reason.slice(0, 500)}`);
        break;
      default:
        break;
    }
  }
}

/** @throws UsageError it cannot be shared */
async function readDrawing(file: string | undefined): Promise<string> {
  if (file === undefined || !existsSync(file)) return EMPTY;
  const text = await readTextFile(file, 'the drawing');
  try {
    if (rootOf(parseDocument(text))) return text;
  } catch (error) {
    if (error instanceof ProtocolError) throw new UsageError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
  throw new UsageError(`${file} is no SVG document`);
}

/** @throws UsageError a file is there, and is not this drawing */
async function refuseOther(file: string, text: string): Promise<void> {
  if (existsSync(file) && (await readFile(file, 'utf8')) !== text)
    throw new UsageError(`${file} is there and says something else`, { hint: '--overwrite replaces it' });
}
