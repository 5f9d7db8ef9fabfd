/** A shared drawing and the pages that show it: actions of the pages become edits, and edits become patches of the pages. */
import { safeText } from '../output/safe-text.js';
import type { Received } from '../sxe/participant.js';
import { BoardServer, type BoardFiles, type BoardPage } from './board-server.js';
import type { BoardAction, ToPage } from './messages.js';
import { OwnEdits, type Editor } from './own-edits.js';
import { shapeElement, type Step } from './steps.js';
import { VisibleDrawing } from './visible-drawing.js';

export interface BoardOptions {
  /** What the drawing is called. */
  title: string;
  /** Under which the others know us. */
  name: string;
  files: BoardFiles;
  /** A page has changed the drawing. */
  onEdited: () => void;
}

/** What others do is shown so often at most. */
const REFRESH_MS = 30;
/** When the others are done, what a conflict has held up is said again, and everything is looked at once more. */
const SETTLED_MS = 500;
/** Pages that were lost and may come back. */
const MAX_REMEMBERED = 64;
const MAX_NAME_LENGTH = 80;

export class Board {
  readonly #editor: Editor;
  readonly #options: BoardOptions;
  readonly #own: OwnEdits;
  readonly #others = new Set<string>();
  /** The last action of each page, so that none is done twice when it is sent again. */
  readonly #lastOf = new Map<string, ToPage & { kind: 'done' }>();
  readonly #visible: VisibleDrawing;
  #server: BoardServer | undefined;
  #refreshTimer: NodeJS.Timeout | undefined;
  #settledTimer: NodeJS.Timeout | undefined;

  private constructor(editor: Editor, options: BoardOptions) {
    this.#editor = editor;
    this.#options = options;
    this.#visible = new VisibleDrawing(() => editor.participant);
    this.#own = new OwnEdits({
      get participant() {
        return editor.participant;
      },
      edit: (changes) => {
        const outcomes = editor.edit(changes);
        changes.forEach((change, index) => this.#visible.note(change, outcomes[index]));
        return outcomes;
      },
    });
  }

  static async open(editor: Editor, options: BoardOptions): Promise<Board> {
    const board = new Board(editor, options);
    board.#server = await BoardServer.open(options.files, {
      onOpen: (page) => board.#welcome(page),
      onAction: (page, action) => board.#act(page, action),
    });
    return board;
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  /** Whether there is a drawing to be shown. */
  get isDrawing(): boolean {
    return this.#visible.now.isDrawing;
  }

  joined(name: string): void {
    this.#others.add(name);
    this.#server?.send(this.#people());
  }

  left(name: string): void {
    this.#others.delete(name);
    this.#server?.send(this.#people());
    this.replaced();
  }

  /** Others have changed the document. */
  changed(received: readonly Received[]): void {
    const touched = new Map<string, string>();
    for (const { sender, edit } of received)
      touched.set(sender, edit.kind === 'new' ? edit.rid : edit.target);
    this.#refreshSoon();
    for (const [sender, rid] of touched) {
      const id = this.#elementOf(rid);
      if (id !== undefined) this.#server?.send({ kind: 'touched', id, name: shownName(sender) });
    }
  }

  /** It may be another document. */
  replaced(): void {
    this.#visible.noteAll();
    this.#refreshSoon();
  }

  notice(text: string): void {
    this.#server?.send({ kind: 'notice', text: shownName(text) });
  }

  async close(text: string): Promise<void> {
    clearTimeout(this.#refreshTimer);
    clearTimeout(this.#settledTimer);
    this.#refresh();
    await this.#server?.close(text);
  }

  #welcome(page: BoardPage): void {
    page.send(this.#people());
    page.send({ kind: 'document', ...this.#visible.now });
    page.send(this.#history());
    page.send(this.#lastOf.get(page.name) ?? { kind: 'done', seq: 0 });
  }

  #act(page: BoardPage, action: BoardAction): void {
    const { seq } = action;
    const last = this.#lastOf.get(page.name);
    if (last && seq <= last.seq) {
      page.send(last);
      return;
    }
    const made = this.#perform(page, action);
    const done: ToPage & { kind: 'done' } = { kind: 'done', seq, ...(made !== undefined && { made }) };
    this.#lastOf.delete(page.name);
    this.#lastOf.set(page.name, done);
    for (const name of this.#lastOf.keys()) if (this.#lastOf.size > MAX_REMEMBERED) this.#lastOf.delete(name);
    // The page has to know what it has drawn before it is shown, and what it has changed when it is.
    if (made !== undefined) page.send(done);
    this.#refresh();
    if (made === undefined) page.send(done);
    this.#server?.send(this.#history());
    this.#options.onEdited();
  }

  /** @returns the id of what was drawn */
  #perform(page: BoardPage, action: BoardAction): string | undefined {
    if (!('gesture' in action)) {
      if (action.kind === 'undo') this.#own.undo();
      else this.#own.redo();
      return undefined;
    }
    return this.#own.perform(`${page.name} ${action.gesture}`, stepsOf(action))?.[0];
  }

  /** Now, and once more when everybody has said what is to be said. */
  #refreshSoon(): void {
    this.#refreshTimer ??= setTimeout(() => this.#refresh(), REFRESH_MS);
    clearTimeout(this.#settledTimer);
    this.#settledTimer = setTimeout(() => {
      this.#visible.noteAll();
      this.#refresh();
    }, SETTLED_MS);
  }

  #refresh(): void {
    clearTimeout(this.#refreshTimer);
    this.#refreshTimer = undefined;
    const patch = this.#visible.update();
    if (!patch) this.#server?.send({ kind: 'document', ...this.#visible.now });
    else if (patch.gone.length + patch.put.length + patch.changed.length > 0)
      this.#server?.send({ kind: 'patch', ...patch });
  }

  /** What a record is part of. */
  #elementOf(rid: string): string | undefined {
    const record = this.#editor.participant.document.record(rid);
    if (!record) return undefined;
    return record.type === 'element' ? rid : record.placedIn || undefined;
  }

  #people(): ToPage {
    const { name, title } = this.#options;
    const others = [...this.#others].filter((other) => other !== name).slice(0, 200);
    return {
      kind: 'people',
      own: shownName(name),
      others: others.map(shownName).sort(),
      title: shownName(title),
    };
  }

  #history(): ToPage {
    return { kind: 'history', canUndo: this.#own.canUndo, canRedo: this.#own.canRedo };
  }
}

function stepsOf(action: Extract<BoardAction, { gesture: string }>): Step[] {
  switch (action.kind) {
    case 'draw': {
      const { name, attributes, text } = action.shape;
      return [{ kind: 'create', tree: shapeElement(name, attributes, text) }];
    }
    case 'change':
      return action.changes.flatMap(({ id, attributes }) =>
        Object.entries(attributes).map(([name, value]): Step => ({
          kind: 'attribute',
          id,
          name,
          value: value ?? undefined,
        })),
      );
    case 'text':
      return [{ kind: 'text', id: action.id, text: action.text }];
    case 'erase':
      return action.ids.map((id): Step => ({ kind: 'erase', id }));
  }
}

/** Of others: without control characters and what turns the direction of text. */
function shownName(text: string): string {
  return safeText(text.slice(0, MAX_NAME_LENGTH), { singleLine: true });
}
