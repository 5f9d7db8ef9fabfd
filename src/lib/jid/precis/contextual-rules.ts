/** Contextual rules: characters that are valid only beside certain others (RFC 5892 appendix A, used by RFC 8264 §9.15). */
import { isJoiningTransparent, isVirama, joinsBackward, joinsForward } from './joining.js';
import { hasProperty } from '../unicode-property.js';

/** Where a CONTEXTJ or CONTEXTO character would be allowed, or undefined when it is allowed where it is. */
export function unmetContext(codePoints: readonly number[], index: number): string | undefined {
  const before = codePoints[index - 1];
  const after = codePoints[index + 1];
  const codePoint = codePoints[index] ?? 0;
  switch (codePoint) {
    case 0x200c: // A.1
      return (before !== undefined && isVirama(before)) || isBetweenJoining(codePoints, index)
        ? undefined
        : 'after a virama or between letters that join';
    case 0x200d: // A.2
      return before !== undefined && isVirama(before) ? undefined : 'after a virama';
    case 0xb7: // A.3
      return before === 0x6c && after === 0x6c ? undefined : 'between two letters l';
    case 0x375: // A.4
      return isScript(after, 'Greek') ? undefined : 'before a Greek letter';
    case 0x5f3: // A.5
    case 0x5f4: // A.6
      return isScript(before, 'Hebrew') ? undefined : 'after a Hebrew letter';
    case 0x30fb: // A.7
      return codePoints.some((code) => isScript(code, 'Hiragana', 'Katakana', 'Han'))
        ? undefined
        : 'together with Japanese or Chinese letters';
    default: // A.8 and A.9: the two sets of Arabic digits are not mixed
      if (codePoint >= 0x660 && codePoint <= 0x669)
        return codePoints.some((code) => code >= 0x6f0 && code <= 0x6f9)
          ? 'without extended Arabic-Indic digits'
          : undefined;
      return codePoints.some((code) => code >= 0x660 && code <= 0x669)
        ? 'without Arabic-Indic digits'
        : undefined;
  }
}

function isScript(codePoint: number | undefined, ...scripts: readonly string[]): boolean {
  if (codePoint === undefined) return false;
  return hasProperty(String.fromCodePoint(codePoint), ...scripts.map((script) => `Script=${script}`));
}

/** `(Joining_Type:{L,D})(Joining_Type:T)*ZWNJ(Joining_Type:T)*(Joining_Type:{R,D})` */
function isBetweenJoining(codePoints: readonly number[], index: number): boolean {
  let start = index - 1;
  while (start >= 0 && isJoiningTransparent(codePoints[start] ?? 0)) start -= 1;
  let end = index + 1;
  while (end < codePoints.length && isJoiningTransparent(codePoints[end] ?? 0)) end += 1;
  const first = codePoints[start];
  const last = codePoints[end];
  return first !== undefined && last !== undefined && joinsForward(first) && joinsBackward(last);
}
