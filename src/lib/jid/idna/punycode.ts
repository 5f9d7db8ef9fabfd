/** Punycode (RFC 3492): one label of Unicode as ASCII and back, without the prefix `xn--`. */

const base = 36;
const tMin = 1;
const tMax = 26;
const initialBias = 72;
const initialN = 0x80;

/** The label, given as text, in Punycode. The result is empty only for an empty label. */
export function encodePunycode(label: string): string {
  const codePoints = Array.from(label, (character) => character.codePointAt(0) ?? 0);
  let output = String.fromCodePoint(...codePoints.filter((codePoint) => codePoint < initialN));
  const basicLength = output.length;
  let handled = basicLength;
  if (basicLength > 0) output += '-';
  let n = initialN;
  let delta = 0;
  let bias = initialBias;
  while (handled < codePoints.length) {
    const next = Math.min(...codePoints.filter((codePoint) => codePoint >= n));
    delta += (next - n) * (handled + 1);
    n = next;
    for (const codePoint of codePoints) {
      if (codePoint < n) delta += 1;
      if (codePoint !== n) continue;
      let rest = delta;
      for (let k = base; ; k += base) {
        const t = threshold(k, bias);
        if (rest < t) break;
        output += digit(t + ((rest - t) % (base - t)));
        rest = Math.floor((rest - t) / (base - t));
      }
      output += digit(rest);
      bias = adapt(delta, handled + 1, handled === basicLength);
      delta = 0;
      handled += 1;
    }
    delta += 1;
    n += 1;
  }
  return output;
}

/** The text that a Punycode string (without prefix) stands for, or undefined when it is not Punycode. */
export function decodePunycode(encoded: string): string | undefined {
  const delimiter = encoded.lastIndexOf('-');
  const basic = delimiter > 0 ? encoded.slice(0, delimiter) : '';
  const output = Array.from(basic, (character) => character.charCodeAt(0));
  let n = initialN;
  let i = 0;
  let bias = initialBias;
  let position = delimiter > 0 ? delimiter + 1 : 0;
  while (position < encoded.length) {
    const before = i;
    let weight = 1;
    for (let k = base; ; k += base) {
      const value = digitValue(encoded.charCodeAt(position));
      position += 1;
      if (value === undefined) return undefined;
      i += value * weight;
      const t = threshold(k, bias);
      if (value < t) break;
      weight *= base - t;
      if (weight > 0x7fffffff || i > 0x7fffffff) return undefined;
    }
    const length = output.length + 1;
    bias = adapt(i - before, length, before === 0);
    n += Math.floor(i / length);
    i %= length;
    if (n > 0x10ffff || (n >= 0xd800 && n <= 0xdfff)) return undefined;
    output.splice(i, 0, n);
    i += 1;
  }
  return String.fromCodePoint(...output);
}

function threshold(k: number, bias: number): number {
  return Math.min(Math.max(k - bias, tMin), tMax);
}

/** RFC 3492 §6.1, with skew 38 and damp 700. */
function adapt(delta: number, length: number, isFirst: boolean): number {
  let rest = Math.floor(delta / (isFirst ? 700 : 2));
  rest += Math.floor(rest / length);
  let k = 0;
  while (rest > ((base - tMin) * tMax) / 2) {
    rest = Math.floor(rest / (base - tMin));
    k += base;
  }
  return k + Math.floor(((base - tMin + 1) * rest) / (rest + 38));
}

/** 0–25 are a–z, 26–35 are 0–9. */
function digit(value: number): string {
  return String.fromCharCode(value < 26 ? value + 0x61 : value - 26 + 0x30);
}

function digitValue(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30 + 26;
  if (code >= 0x61 && code <= 0x7a) return code - 0x61;
  if (code >= 0x41 && code <= 0x5a) return code - 0x41;
  return undefined;
}
