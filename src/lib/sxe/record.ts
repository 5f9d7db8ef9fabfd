/**
 * One record: the fields of a node as they are now, and as they were created.
 */
import type { NewEdit, RecordType } from './edits.js';
import type { History } from './history.js';

export interface Fields {
  parent: string;
  weight: number;
  ns: string | undefined;
  name: string;
  chdata: string;
  pitarget: string;
  pidata: string;
}

export class SharedRecord {
  readonly rid: string;
  type: RecordType;
  /** The fields at `baseVersion`. */
  base: Readonly<Fields>;
  baseVersion: number;
  /** The fields after all edits that hold. */
  fields: Fields;
  /** Who sent the `<new/>`; it decides between two that claim the same id. */
  creator: string;

  history: History | undefined;
  /** Where the record is in the tree: what `fields` say, unless that would put it under itself (CLARIFICATIONS 7). */
  placedIn = '';
  /** The parent that was in `fields` when it was placed. */
  wantedParent = '';
  /** The weight it is sorted by there. */
  weight = 0;
  /** The key it has among the attributes of its element; empty for other records. */
  attributeKey = '';

  constructor(edit: NewEdit, type: RecordType, creator: string, version = 0) {
    this.rid = edit.rid;
    this.type = type;
    const fields = fieldsOf(edit);
    this.base = fields;
    this.baseVersion = version;
    // The same object until there is a history: most records are never changed.
    this.fields = fields;
    this.creator = creator;
  }

  /** Who sent the last edit that holds. */
  get lastModifiedBy(): string {
    return this.history?.lastAuthor ?? this.creator;
  }

  get version(): number {
    return this.history?.version ?? this.baseVersion;
  }
}

export function fieldsOf(edit: NewEdit): Fields {
  return {
    parent: edit.parent ?? '',
    weight: edit.weight ?? 0,
    ns: edit.ns,
    name: edit.name ?? '',
    chdata: edit.chdata ?? '',
    pitarget: edit.pitarget ?? '',
    pidata: edit.pidata ?? '',
  };
}
