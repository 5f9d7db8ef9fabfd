/**
 * What attributes and texts hold: each scalar reads a string into a value and writes it back.
 */

export interface Scalar<T> {
  /** What it is, for an error: `a whole number`. */
  readonly what: string;
  /** `undefined`: the text is not one. */
  read(text: string): T | undefined;
  write(value: T): string;
}

export const str: Scalar<string> = {
  what: 'a text',
  read: (text) => text,
  write: (value) => value,
};

/** A text that is not empty; surrounding white space does not count. */
export const token: Scalar<string> = {
  what: 'a text that is not empty',
  read: (text) => text.trim() || undefined,
  write: (value) => value,
};

/** A whole number that JavaScript holds exactly. */
export function intBetween(min: number, max: number): Scalar<number> {
  return {
    what:
      min === 0 && max === Number.MAX_SAFE_INTEGER
        ? 'a whole number of 0 or more'
        : `a whole number from ${min} to ${max}`,
    read: (text) => {
      const trimmed = text.trim();
      if (!/^[+-]?\d{1,16}$/.test(trimmed)) return undefined;
      const value = Number(trimmed);
      return value >= min && value <= max ? value : undefined;
    },
    write: String,
  };
}

export const int: Scalar<number> = {
  ...intBetween(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  what: 'a whole number',
};
/** Sizes and counts. */
export const uint: Scalar<number> = intBetween(0, Number.MAX_SAFE_INTEGER);

/** XML Schema's boolean: `true`, `false`, `1`, `0`. */
export const bool: Scalar<boolean> = {
  what: 'true or false',
  read: (text) => {
    const trimmed = text.trim();
    if (trimmed === 'true' || trimmed === '1') return true;
    return trimmed === 'false' || trimmed === '0' ? false : undefined;
  },
  write: String,
};

export function enumOf<const T extends string>(...values: readonly T[]): Scalar<T> {
  const known: ReadonlySet<string> = new Set(values);
  const isKnown = (text: string): text is T => known.has(text);
  return {
    what: `one of ${values.join(', ')}`,
    read: (text) => {
      const trimmed = text.trim();
      return isKnown(trimmed) ? trimmed : undefined;
    },
    write: (value) => value,
  };
}

const dateTimePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** A point in time (XEP-0082 §3.2). */
export const dateTime: Scalar<Date> = {
  what: 'a date and time (XEP-0082)',
  read: (text) => {
    const trimmed = text.trim();
    if (!dateTimePattern.test(trimmed)) return undefined;
    const value = new Date(trimmed);
    return Number.isNaN(value.getTime()) ? undefined : value;
  },
  write: (value) => value.toISOString().replace('.000Z', 'Z'),
};

/** Bytes. White space inside is allowed, as XML Schema does. */
export const base64: Scalar<Uint8Array> = {
  what: 'base64',
  read: (text) => {
    const compact = text.replace(/\s+/g, '');
    if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined;
    return Buffer.from(compact, 'base64');
  },
  write: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
};
