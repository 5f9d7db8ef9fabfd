/**
 * What records may hold, so that a document can always be written as well-formed XML. Every participant refuses the same:
 * the judgement rests on the edit and the record alone.
 */
import { findForbiddenCharacter } from '../xml/characters.js';
import { isQualifiedName } from '../xml/names.js';
import { NS_XMLNS } from './namespaces.js';
import {
  MAX_CHDATA_LENGTH,
  MAX_NAME_LENGTH,
  MAX_RID_LENGTH,
  recordTypes,
  type FieldChanges,
  type NewEdit,
  type RecordType,
  type RefusalReason,
  type SetEdit,
} from './edits.js';

/** Which fields a record of a type has besides its parent and its weight (XEP-0284 §10.3). */
const fieldsOfType: Readonly<Record<RecordType, readonly (keyof FieldChanges)[]>> = {
  element: ['ns', 'name'],
  attr: ['ns', 'name', 'chdata'],
  text: ['chdata'],
  comment: ['chdata'],
  processinginstruction: ['pitarget', 'pidata'],
};
const specificFields = ['ns', 'name', 'chdata', 'pitarget', 'pidata'] as const;

export function isRecordType(type: string): type is RecordType {
  return (recordTypes as readonly string[]).includes(type);
}

/** Why a `<new/>` cannot become a record; `undefined` when it can. */
export function findFaultInNew(edit: NewEdit): RefusalReason | undefined {
  if (!isRid(edit.rid)) return 'rid';
  if (!isRecordType(edit.type)) return 'type';
  if (edit.version !== undefined && !(Number.isSafeInteger(edit.version) && edit.version >= 0))
    return 'version';
  if ((edit.type === 'element' || edit.type === 'attr') && edit.name === undefined) return 'name';
  if (edit.type === 'processinginstruction' && edit.pitarget === undefined) return 'processing-instruction';
  const fault = findFaultInFields(edit.type, edit);
  if (fault) return fault;
  return edit.type === 'comment' ? findFaultInComment(edit.chdata ?? '') : undefined;
}

/**
 * Why a `<set/>` cannot change a record, as far as that does not depend on what the record holds.
 * (The range and the comment as a whole are looked at when the edit's turn comes.)
 */
export function findFaultInSet(type: RecordType, edit: SetEdit): RefusalReason | undefined {
  const { replaceFrom, replaceCount } = edit;
  if (replaceFrom !== undefined || replaceCount !== undefined) {
    if (edit.chdata === undefined || !isCount(replaceFrom) || !isCount(replaceCount)) return 'range';
  }
  return findFaultInFields(type, edit);
}

function findFaultInFields(type: RecordType, fields: FieldChanges): RefusalReason | undefined {
  const allowed = fieldsOfType[type];
  for (const field of specificFields) {
    if (fields[field] !== undefined && !allowed.includes(field)) return 'field-of-another-type';
  }
  const { parent, weight, ns, name, chdata, pitarget, pidata } = fields;
  if (parent !== undefined && parent !== '' && !isRid(parent)) return 'rid';
  if (weight !== undefined && !Number.isFinite(weight)) return 'weight';
  if (ns !== undefined && (ns.length > MAX_NAME_LENGTH || !isCarriable(ns))) return 'namespace';
  // No element can be in it (Namespaces in XML 1.0 §3).
  if (ns === NS_XMLNS && type === 'element') return 'namespace';
  if (name !== undefined && !isNodeName(type, name)) return 'name';
  if (chdata !== undefined) {
    if (chdata.length > MAX_CHDATA_LENGTH) return 'too-long';
    if (!isCarriable(chdata)) return 'characters';
  }
  if (pitarget !== undefined && !isPiTarget(pitarget)) return 'processing-instruction';
  if (pidata !== undefined) {
    if (pidata.length > MAX_CHDATA_LENGTH) return 'too-long';
    if (!isCarriable(pidata)) return 'characters';
    if (pidata.includes('?>')) return 'processing-instruction';
  }
  return undefined;
}

/** Why a range of a text cannot be replaced. */
export function findFaultInRange(text: string, from: number, count: number): RefusalReason | undefined {
  if (from > text.length || from + count > text.length) return 'range';
  return splitsPair(text, from) || splitsPair(text, from + count) ? 'surrogate-pair' : undefined;
}

/** Whether a cut at `at` would go through a character outside of the basic plane. */
export function splitsPair(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return false;
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}

/** XML 1.0 §2.5: no `--` inside, and none made with the end. */
export function findFaultInComment(text: string): RefusalReason | undefined {
  return text.includes('--') || text.endsWith('-') ? 'comment' : undefined;
}

function isRid(rid: string): boolean {
  return rid !== '' && rid.length <= MAX_RID_LENGTH && isCarriable(rid);
}

function isCount(count: number | undefined): boolean {
  return count !== undefined && Number.isSafeInteger(count) && count >= 0;
}

/** Names are few and come again and again. */
const goodNames = new Set<string>();

function isNodeName(type: RecordType, name: string): boolean {
  // An element in the prefix `xmlns` could not be written; attributes in it are namespace declarations.
  if (type === 'element' && name.startsWith('xmlns:')) return false;
  if (goodNames.has(name)) return true;
  if (name.length > MAX_NAME_LENGTH || !isQualifiedName(name)) return false;
  if (goodNames.size < 10_000) goodNames.add(name);
  return true;
}

function isPiTarget(target: string): boolean {
  return isNodeName('processinginstruction', target) && !target.includes(':') && !/^xml$/i.test(target);
}

/** Control characters and anything that could be half of a surrogate pair: the rare case, looked at closely. */
const SUSPICIOUS = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/;

function isCarriable(text: string): boolean {
  return !SUSPICIOUS.test(text) || findForbiddenCharacter(text) === undefined;
}
