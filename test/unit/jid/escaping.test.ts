import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeLocalpart, unescapeLocalpart } from '../../../src/lib/jid/escaping.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { UsageError } from '../../../src/lib/errors.js';

const fixtures = JSON.parse(
  readFileSync(new URL('../../fixtures/jid/escaping.json', import.meta.url), 'utf8'),
) as Record<'both' | 'unescapedOnly', [string, string][]>;

describe('XEP-0106', () => {
  it.each(fixtures.both)('%j is sent as %j and read as it was typed', (typed, sent) => {
    expect(escapeLocalpart(typed)).toBe(sent);
    expect(unescapeLocalpart(sent)).toBe(typed);
  });

  it.each(fixtures.unescapedOnly)('%j is read as %j', (sent, read) => {
    expect(unescapeLocalpart(sent)).toBe(read);
  });

  it.each([' a', 'a ', ' '])('refuses the space at the edge of %j', (name) => {
    expect(() => escapeLocalpart(name)).toThrow(UsageError);
  });

  it('undoes every escaping, and leaves nothing that a localpart excludes', () => {
    const name = fc
      .string({ unit: fc.constantFrom(...Array.from('ab025cef\\ "&\'/:<>@')), minLength: 1 })
      .filter((text) => text.trim() === text);
    fc.assert(
      fc.property(name, (text) => {
        const escaped = escapeLocalpart(text);
        expect(escaped).not.toMatch(/[ "&'/:<>@]/);
        expect(unescapeLocalpart(escaped)).toBe(text);
        expect(JID.parse(`${escaped}@example.com`).local).toBe(escaped);
      }),
    );
  });
});
