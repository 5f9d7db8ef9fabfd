/**
 * The three edits of XEP-0284 and the fields of a record, as the engine speaks of them. The wire form is in `stanzas.ts`.
 */
export const recordTypes = ['element', 'attr', 'text', 'comment', 'processinginstruction'] as const;
export type RecordType = (typeof recordTypes)[number];

/** What an edit can change. `undefined` leaves a field as it is. */
export interface FieldChanges {
  /** The record id of the parent; the empty string is the document itself. */
  parent?: string | undefined;
  weight?: number | undefined;
  /** Without it an element is in the namespace of its parent, and an attribute in none; the empty string is no namespace. */
  ns?: string | undefined;
  /** With a prefix or without. */
  name?: string | undefined;
  chdata?: string | undefined;
  pitarget?: string | undefined;
  pidata?: string | undefined;
}

export interface NewEdit extends FieldChanges {
  kind: 'new';
  rid: string;
  /** One of `recordTypes`; what is none of them is refused by the engine and not by the codec, to judge each edit alone. */
  type: string;
  /** The version that the fields are those of: 0 unless a host has folded older ones into it. */
  version?: number | undefined;
  creator?: string | undefined;
  lastModifiedBy?: string | undefined;
}

/** A `<set/>` before it has a version: what a user wants. */
export interface SetChange extends FieldChanges {
  kind: 'set';
  target: string;
  /** With `replaceCount`: only this range of the existing text, in UTF-16 code units, is replaced by `chdata`. */
  replaceFrom?: number | undefined;
  replaceCount?: number | undefined;
}

export interface SetEdit extends SetChange {
  version: number;
  /** Whose words these are, when they are sent again after a conflict: the sender's own, or those of somebody who left. */
  author?: string | undefined;
}

export interface RemoveEdit {
  kind: 'remove';
  target: string;
}

export type Edit = NewEdit | SetEdit | RemoveEdit;
/** What a user does: edits whose versions the participant fills in. */
export type Change = NewEdit | SetChange | RemoveEdit;

export interface SnapshotBegin {
  kind: 'document-begin';
  /** Everything before the first node: the XML declaration and the document type; not the `data:` URI it travels in. */
  prolog: string;
}

/** The last message of a sender that a snapshot contains. */
export interface SeenMessage {
  sender: string;
  id: string;
}

export interface SnapshotEnd {
  kind: 'document-end';
  lastSender: string;
  lastId: string;
  /** More than the specification has: what was seen of every sender (CLARIFICATIONS 15). */
  seen: readonly SeenMessage[];
  /** How many items belong to the snapshot and come after its end. */
  following: number;
}

/** Behind the end of a snapshot: what a conflict has undone and its author has not said again (CLARIFICATIONS 10). */
export interface OwedWords {
  kind: 'owed';
  author: string;
  target: string;
  /** What the author would do on what the snapshot says, one after the other. */
  changes: readonly SetChange[];
}

/** Anything inside a `<state/>`. */
export type StateItem = Edit | SnapshotBegin | SnapshotEnd | OwedWords;

export function isEdit(item: StateItem): item is Edit {
  return item.kind === 'new' || item.kind === 'set' || item.kind === 'remove';
}

export type RefusalReason =
  | 'rid'
  | 'type'
  | 'version'
  | 'weight'
  | 'name'
  | 'namespace'
  | 'characters'
  | 'comment'
  | 'processing-instruction'
  | 'range'
  | 'surrogate-pair'
  | 'field-of-another-type'
  | 'too-long'
  | 'too-many-waiting';

/** What became of one edit. The engine never throws over what a peer sent. */
export type Outcome =
  /** It is in the records; `undone`: how many other edits a late one has taken back with it. */
  | { kind: 'applied' }
  | { kind: 'conflict'; undone: number }
  /** It will take effect when what it builds on has come. */
  | { kind: 'waiting'; reason: 'unknown-record' | 'version-ahead' }
  | { kind: 'ignored'; reason: 'removed' | 'duplicate' | 'settled' | 'rid-collision' }
  /** It can never take effect. A refused `<set/>` still counts as a version, as it does for everybody else. */
  | { kind: 'refused'; reason: RefusalReason };

/** The same for all participants, or they would not agree: UTF-16 code units of one text, value or comment. */
export const MAX_CHDATA_LENGTH = 16 * 1024 * 1024;
export const MAX_RID_LENGTH = 1024;
export const MAX_NAME_LENGTH = 1024;
/** Edits to records nobody has heard of. Beyond it the session is attacked or broken, and needs a new snapshot. */
export const MAX_WAITING_SETS = 100_000;
