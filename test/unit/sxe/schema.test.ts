import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDocument } from '../../../src/lib/sxe/load-tree.js';
import { Participant } from '../../../src/lib/sxe/participant.js';
import { compileSchema, type FindFault } from '../../../src/lib/sxe/schema/compile-schema.js';
import { findCorrection } from '../../../src/lib/sxe/schema/find-correction.js';
import { readWorkingCopy, writeWorkingCopy } from '../../../src/lib/sxe/working-copy.js';
import { BY_RNG, BY_XSD } from './minutes-schemas.js';

describe('a schema', () => {
  let dir: string;
  const compile = async (text: string, name = 'minutes.schema'): Promise<FindFault> => {
    await writeFile(path.join(dir, name), text);
    return compileSchema(path.join(dir, name));
  };

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'xmppctl-schema-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it.each([
    ['RELAX NG', BY_RNG],
    ['XML Schema', BY_XSD],
  ])('says what is not valid and where, by %s', async (_kind, schema) => {
    const findFault = await compile(schema);
    expect(findFault('<doc><title>Minutes</title><p>one</p></doc>')).toBeUndefined();
    expect(findFault('<doc>\n<p>one</p>\n<q/>\n</doc>')).toMatchObject({
      line: 3,
      reason: expect.stringContaining('q') as string,
    });
    expect(findFault('<doc><title/><title/></doc>')).toBeDefined();
    // A reference to a DTD is not followed.
    expect(findFault('<!DOCTYPE doc SYSTEM "file:///etc/passwd">\n<doc><p/></doc>')).toBeUndefined();
    expect(findFault('<doc')).toMatchObject({ line: 1 });
  });

  it('checks the values that XML Schema gives types', async () => {
    const findFault = await compile(BY_XSD);
    expect(findFault('<doc><p votes="three">one</p></doc>')).toMatchObject({
      line: 1,
      reason: expect.stringContaining('three') as string,
    });
  });

  it('may include other files', async () => {
    await compile(BY_RNG, 'part.rng');
    const including =
      '<grammar xmlns="http://relaxng.org/ns/structure/1.0"><start><externalRef href="part.rng"/></start></grammar>';
    const findFault = await compile(including);
    expect(findFault('<doc><p>one</p></doc>')).toBeUndefined();
    expect(findFault('<doc><q/></doc>')).toBeDefined();
  });

  it('is refused when it is none, in one line', async () => {
    await expect(compile('<doc/>')).rejects.toThrow(
      'it is neither RELAX NG (in its XML syntax) nor an XML Schema',
    );
    await expect(compile('not XML')).rejects.toThrow(/^line 1: [^\n]+$/);
    await expect(compile(BY_RNG.replace('<text/>', '<ref name="nothing"/>'))).rejects.toThrow(
      /^[^\n]*nothing[^\n]*$/,
    );
    await expect(compile(BY_XSD.replace('xs:nonNegativeInteger', 'xs:nothing'))).rejects.toThrow(/nothing/);
    expect(() => compileSchema(path.join(dir, 'missing'))).toThrow('it does not exist');
    expect(() => compileSchema(dir)).toThrow('it is no file');
  });
});

describe('a correction', () => {
  let dir: string;
  let findFault: FindFault;

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'xmppctl-schema-'));
    await writeFile(path.join(dir, 's.rng'), BY_RNG);
    findFault = compileSchema(path.join(dir, 's.rng'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  /** What is left of changes of somebody else after what is not valid has been taken back. */
  async function correct(good: string, changed: string): Promise<{ text: string; authors: string[] }> {
    const participant = new Participant({
      name: 'a',
      site: 'site00001',
      document: createDocument(good, 'a', 'site00001'),
    });
    const { name, site } = { name: 'b', site: 'site00002' };
    const other = Participant.fromSnapshot({ name, site }, participant.snapshot(), 'a');
    const { message } = other.edit(readWorkingCopy(other, changed));
    if (message) participant.receive(message);
    expect(findFault(writeWorkingCopy(participant))).toBeDefined();
    const valid = async (text: string) => Promise.resolve(findFault(text) === undefined);
    const { changes, authors } = await findCorrection(participant, good, valid);
    participant.edit(changes);
    return { text: writeWorkingCopy(participant).trim(), authors: [...authors] };
  }

  it('takes back what is not valid, and leaves what is', async () => {
    expect(
      await correct(
        '<doc><p>one</p><p>two</p></doc>',
        '<doc><p>one and more</p><q>bad</q><p>two</p><p>three</p></doc>',
      ),
    ).toEqual({ text: '<doc><p>one and more</p><p>two</p><p>three</p></doc>', authors: ['b'] });
  });

  it('leaves what fits of several that do not fit together', async () => {
    const { text } = await correct(
      '<doc><p>one</p></doc>',
      '<doc><title>A</title><title>B</title><p>one</p></doc>',
    );
    expect(text).toMatch(/^<doc><title>[AB]<\/title><p>one<\/p><\/doc>$/);
  });

  it('brings back what was removed, and what was moved into something that goes', async () => {
    const good = '<doc><title>Minutes</title><p>one</p><p>two</p></doc>';
    expect((await correct(good, '<doc><title>Minutes</title><q><p>one</p></q><p>two</p></doc>')).text).toBe(
      good,
    );
    expect((await correct(good, '<doc><p>one</p><title>Minutes</title><p>two</p></doc>')).text).toBe(good);
  });

  it('takes back another root', async () => {
    const good = '<doc><p>one</p></doc>';
    expect((await correct(good, '<other/>')).text).toBe(good);
  });
});
