import { describe, expect, it } from 'vitest';
import { canonicalXml } from '../../../src/lib/xml/canonical.js';
import { fixtureCodecs } from '../../support/fixture-codecs.js';
import { asJson, loadFixtures } from '../../support/fixtures.js';

describe.each(Object.entries(fixtureCodecs))('fixtures of %s', (family, codecs) => {
  it.each(loadFixtures(family).map((fixture) => [fixture.name, fixture] as const))('%s', (_, fixture) => {
    const codec = codecs.find((candidate) => candidate.matches(fixture.xml));
    if (!codec) throw new Error(`no codec for <${fixture.xml.getName()}/> in ${family}`);
    const value = codec.decode(fixture.xml);
    expect(asJson(value)).toEqual(fixture.expected);
    expect(canonicalXml(codec.encode(value))).toBe(canonicalXml(fixture.xml));
  });

  it('has a case for every codec', () => {
    const cases = loadFixtures(family);
    const unused = codecs.filter((codec) => !cases.some(({ xml }) => codec.matches(xml)));
    expect(unused.map(({ name }) => name)).toEqual([]);
  });
});
