/**
 * The name that a file of the network gets here (XEP-0234 §10: the name is not to be trusted).
 *
 * The result is one path component that is the same on every system: it cannot leave its folder, hide, look like an
 * option or like another name, hold an escape sequence, or be a device of Windows.
 */

/** Leaves room for ` (999)` and for the endings of what is not complete yet, within the 255 bytes of most file systems. */
const MAX_BYTES = 200;
/** What stands for a name of which nothing is left. */
const FALLBACK = 'file';

/** C0, DEL, C1, the marks that reverse or hide text (CVE-2021-42574), tags, and halves of surrogate pairs. */
const invisible =
  // eslint-disable-next-line no-control-regex -- finding control characters is the point
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Cs}]/gu;
/** Windows and FAT take none of these; a colon would name a stream inside another file. */
const forbidden = /[<>:"|?*]/g;
/** Devices of Windows, whatever ending is added. */
const device = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)/i;
/** Ours for files that are not complete (`partial-file.ts`). */
const ours = /\.part(\.json|\.lock)?$/i;
/** What is kept when a name is cut or numbered. */
const extension = /(?:\.tar)?\.[^.\s]{1,16}$/i;

/** @param name as the sender calls it */
export function safeFileName(name: string | undefined): string {
  // The same letters in another normal form would be another file, which looks the same.
  const normal = (name ?? '').normalize('NFC');
  const component = normal.split(/[/\\]/).findLast((part) => part.trim() !== '') ?? '';
  const visible = component.replace(invisible, '_').replace(forbidden, '_').trim();
  let safe = trimEnd(cut(visible.replace(/^[.-]+(?=.)/, '_')));
  if (/^[._-]*$/.test(safe)) safe = FALLBACK;
  if (device.test(safe)) safe = `_${safe}`;
  if (ours.test(safe)) safe += '_';
  return safe;
}

/** The name itself, and what it becomes when that is taken: `name (1).txt`, `name (2).txt` … */
export function* candidateNames(name: string): Generator<string, undefined> {
  yield name;
  const ending = extension.exec(name)?.[0] ?? '';
  const stem = name.slice(0, name.length - ending.length);
  for (let count = 1; count < 1000; count += 1) yield `${stem} (${count})${ending}`;
  return undefined;
}

/** At the end of a character, and before the extension. */
function cut(name: string): string {
  if (Buffer.byteLength(name) <= MAX_BYTES) return name;
  const ending = extension.exec(name)?.[0] ?? '';
  let stem = '';
  let bytes = Buffer.byteLength(ending);
  for (const character of name.slice(0, name.length - ending.length)) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_BYTES) break;
    stem += character;
  }
  return trimEnd(stem) + ending;
}

/** Windows drops dots and spaces at the end, so two names would be one. */
function trimEnd(name: string): string {
  return name.replace(/[.\s]+$/, '');
}
