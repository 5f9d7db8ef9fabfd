/**
 * Gives each event of a Jingle session to the content it is about.
 *
 * What comes for a content before anybody handles it is kept: transport-info may come before the acceptance
 * (XEP-0166 §6.2), and while a person is still being asked.
 */
import type { JingleSession } from './jingle-session.js';
import type { SessionEvent } from './session-state.js';
import type { Content, Reason } from './stanzas.js';

export type ContentKey = Pick<Content, 'creator' | 'name'>;

export type ContentEvent =
  /** By session-accept or content-accept. */
  | { kind: 'accepted' | 'modified'; content: Content }
  | { kind: 'rejected' | 'removed'; content: Content; reason: Reason | undefined }
  | TransportEvent
  | { kind: 'description-info' | 'security-info'; content: Content };

export interface TransportEvent {
  kind: 'transport-info' | 'transport-offered' | 'transport-accepted' | 'transport-rejected';
  content: Content;
}

export interface RouterHandlers {
  /** By content-add. */
  offered?: (contents: readonly Content[]) => void;
  info?: (event: Extract<SessionEvent, { kind: 'info' }>) => void;
  terminated: (reason: Reason) => void;
  /** The stream was lost, or the session is over because we ended it (no error). */
  ended: (error: Error | undefined) => void;
}

/** Kept for one content that nobody handles yet. */
const KEPT_EVENTS = 100;

export class ContentRouter {
  readonly #handlers: RouterHandlers;
  readonly #contents = new Map<string, (event: ContentEvent) => void>();
  readonly #kept = new Map<string, ContentEvent[]>();

  constructor(jingle: JingleSession, handlers: RouterHandlers) {
    this.#handlers = handlers;
    void this.#read(jingle);
  }

  /** Calls `receive` for each event of a content, with those that are already there first. */
  attach(key: ContentKey, receive: (event: ContentEvent) => void): Disposable {
    const id = idOf(key);
    this.#contents.set(id, receive);
    const kept = this.#kept.get(id) ?? [];
    this.#kept.delete(id);
    for (const event of kept) receive(event);
    return {
      [Symbol.dispose]: () => {
        if (this.#contents.get(id) === receive) this.#contents.delete(id);
      },
    };
  }

  async #read(jingle: JingleSession): Promise<void> {
    let error: Error | undefined;
    try {
      for await (const event of jingle.events) this.#route(event);
    } catch (caught) {
      error = caught instanceof Error ? caught : new Error(String(caught));
    }
    this.#kept.clear();
    this.#handlers.ended(error);
  }

  #route(event: SessionEvent): void {
    switch (event.kind) {
      case 'content-offered':
        // Whatever comes for these from now on is kept until somebody handles it.
        for (const content of event.contents) this.#kept.set(idOf(content), []);
        this.#handlers.offered?.(event.contents);
        return;
      case 'info':
        this.#handlers.info?.(event);
        return;
      case 'terminated':
        this.#handlers.terminated(event.reason);
        return;
      case 'accepted':
      case 'content-accepted':
        for (const content of event.contents) this.#give({ kind: 'accepted', content });
        return;
      case 'content-modified':
        for (const content of event.contents) this.#give({ kind: 'modified', content });
        return;
      case 'content-rejected':
      case 'content-removed': {
        const kind = event.kind === 'content-rejected' ? 'rejected' : 'removed';
        for (const content of event.contents) this.#give({ kind, content, reason: event.reason });
        return;
      }
      default:
        this.#give(event);
    }
  }

  #give(event: ContentEvent): void {
    const id = idOf(event.content);
    const receive = this.#contents.get(id);
    if (receive) {
      receive(event);
      return;
    }
    const kept = this.#kept.get(id) ?? [];
    if (kept.length < KEPT_EVENTS) kept.push(event);
    this.#kept.set(id, kept);
  }
}

function idOf({ creator, name }: ContentKey): string {
  return `${creator} ${name}`;
}
