import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError } from '../../../src/lib/errors.js';
import { DocumentStore } from '../../../src/lib/sxe/session/document-store.js';
import { participantWith } from './document-text.js';

const facts = { session: 's', title: 'minutes', application: 'urn:xmpp:jingle:apps:xml', isPsi: false };
const noError = (error: Error): never => {
  throw error;
};

describe('a folder with a document', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-store-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('gives back what was put into it, and nothing that was not written to its end', async () => {
    const store = await DocumentStore.open(folder, noError);
    expect(store.kept).toBeUndefined();
    store.describe(facts);
    const participant = participantWith('<doc>one</doc>');
    store.begin(participant);
    const root = participant.document.root?.rid;
    const { message } = participant.edit([
      { kind: 'new', rid: 't', type: 'text', chdata: 'two', parent: root },
    ]);
    if (!message) return expect.fail();
    store.add(message);
    await store.close();
    await appendFile(path.join(folder, 'document-1.jsonl'), '{"sender":"a","id":"half');
    const { kept } = await DocumentStore.open(folder, noError);
    expect(kept).toMatchObject({
      ...facts,
      name: 'a',
      messages: [JSON.parse(JSON.stringify(message)) as object],
    });
  });

  it('begins anew when much has come', async () => {
    const store = await DocumentStore.open(folder, noError);
    store.describe(facts);
    store.begin(participantWith('<doc>one</doc>'));
    const long = 'x'.repeat(1024 * 1024);
    for (let number = 1; number <= 17; number++)
      store.add({
        sender: 'b',
        id: `site0000b.${number}`,
        edits: [{ kind: 'set', target: 't', version: 1, chdata: long }],
      });
    await store.close();
    expect(await readdir(folder)).toEqual(['document-2.jsonl']);
    expect((await DocumentStore.open(folder, noError)).kept?.messages.length).toBeLessThan(3);
  });

  it('says so when it is damaged, or cannot be written', async () => {
    const file = path.join(folder, 'document-7.jsonl');
    for (const text of ['', 'x\n', '{}\n', '{"format":"xmppctl-sxe-1","session":"s","name":"a"}\n']) {
      await writeFile(file, text);
      await expect(DocumentStore.open(folder, noError)).rejects.toThrow(FileError);
    }
    await writeFile(
      file,
      '{"format":"xmppctl-sxe-1","session":"s","name":"a","snapshot":{}}\n{"sender":"a"}\n',
    );
    await expect(DocumentStore.open(folder, noError)).rejects.toThrow('is damaged');
    await rm(file);
    const errors: Error[] = [];
    const store = await DocumentStore.open(folder, (error) => void errors.push(error));
    store.describe(facts);
    await rm(folder, { recursive: true });
    store.begin(participantWith('<doc/>'));
    await store.close();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(FileError);
  });
});
