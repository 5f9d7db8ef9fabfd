/** A file up to the server of one account, the link to the other, and the file down again. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openPartialFile } from '../../src/lib/file-transfer/storing/partial-file.js';
import { downloadLink } from '../../src/lib/http-upload/download-link.js';
import { findUploadService } from '../../src/lib/http-upload/find-upload-service.js';
import { readLinks } from '../../src/lib/http-upload/read-links.js';
import { shareLink } from '../../src/lib/http-upload/share-link.js';
import { uploadFile } from '../../src/lib/http-upload/upload-file.js';
import type { Session } from '../../src/lib/session/session.js';
import { xml } from '../../src/lib/xml/element.js';
import { memorySource } from '../support/memory-files.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';

describeOnEachServer('a file by HTTP upload', (server) => {
  let folder: string;
  let alice: Session;
  let bob: Session;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'downloads-'));
    alice = await connectAccount(server.sandbox, 'alice');
    bob = await connectAccount(server.sandbox, 'bob');
    await bob.send(xml('presence'));
  });
  afterEach(async () => {
    await Promise.all([alice.close(), bob.close(), rm(folder, { recursive: true })]);
  });

  const options = () => ({ trust: { ca: server.sandbox.ca }, timeoutMs: 20_000 });

  it('the service is found, and says how much it takes', async () => {
    const service = await findUploadService(alice);
    expect(service?.jid.toString()).toBe(server.sandbox.addresses.upload);
    expect(service?.maxSizeBytes).toBe(100 * 1024 * 1024);
  });

  it.each([
    ['a large file', 5_000_001, 'file.bin'],
    ['a name in another script', 100, '文件 ünï "quoted" & <tagged>.txt'],
    ['a name that would leave the folder', 100, '../../../etc/passwd'],
    ['a very long name', 100, `${'n'.repeat(300)}.txt`],
  ])('%s arrives, verified', async (_, size, name) => {
    const content = randomBytes(size);
    const messages = bob.stanzas({ name: 'message' });
    const uploaded = await uploadFile(
      alice,
      memorySource(content, { name, mediaType: 'text/plain' }),
      options(),
    );
    expect(uploaded.url.protocol).toBe('https:');
    const id = await shareLink(alice, bob.jid.bare, uploaded);
    const { value: message } = (await messages.next()) as { value: Parameters<typeof readLinks>[0] };
    expect(message.attrs['id']).toBe(id);
    const [link, ...more] = readLinks(message);
    if (!link) throw new Error('the message has no link');
    expect(more).toEqual([]);
    expect(link).toMatchObject({
      url: uploaded.url.href,
      facts: { sizeBytes: size, mediaType: 'text/plain' },
    });
    const from = alice.jid.bare.toString();
    // Once a part of it, as if it had been interrupted, and then the rest.
    const facts = { ...link.facts, sizeBytes: link.facts.sizeBytes };
    const begun = await openPartialFile({ folder, from, facts });
    if (size > 1_000_000) await begun.write(content.subarray(0, 1_000_000));
    await begun.suspend();
    const sink = await openPartialFile({ folder, from, facts });
    const result = await downloadLink(link, sink, options());
    expect(result).toMatchObject({ certainty: 'verified', sizeBytes: size, method: 'upload' });
    expect(result.resumedFromBytes).toBe(size > 1_000_000 ? 1_000_000 : 0);
    expect(path.dirname(result.storedAs ?? '')).toBe(folder);
    expect((await readFile(result.storedAs ?? '')).equals(content)).toBe(true);
  });

  it('the output of a program, whose size nobody knows, arrives', async () => {
    const content = randomBytes(300_000);
    const source = memorySource(content, { name: undefined, sizeBytes: undefined }, { isSeekable: false });
    const uploaded = await uploadFile(alice, source, options());
    const facts = { ...uploaded.facts, name: 'out' };
    const sink = await openPartialFile({ folder, from: 'alice@example.org', facts });
    const result = await downloadLink({ url: uploaded.url.href, facts }, sink, options());
    expect((await readFile(result.storedAs ?? '')).equals(content)).toBe(true);
  });

  it('an empty file arrives, or is refused in words', async () => {
    const uploaded = uploadFile(alice, memorySource(Buffer.alloc(0), { name: 'empty.txt' }), options());
    if (server.name === 'ejabberd') {
      await expect(uploaded).rejects.toThrow('upload.sandbox.localhost takes no empty files');
      return;
    }
    const { url, facts } = await uploaded;
    const sink = await openPartialFile({ folder, from: 'alice@example.org', facts });
    expect(await downloadLink({ url: url.href, facts }, sink, options())).toMatchObject({
      certainty: 'verified',
      sizeBytes: 0,
      storedAs: path.join(folder, 'empty.txt'),
    });
  });

  it('a file that is too large is refused before it is sent, and by the server where nobody looked', async () => {
    const service = await findUploadService(alice);
    if (!service) throw new Error('no service');
    const huge = memorySource(Buffer.alloc(1), { sizeBytes: 200 * 1024 * 1024 });
    await expect(uploadFile(alice, huge, { ...options(), service })).rejects.toThrow(/up to 104857600 bytes/);
    const blind = { ...service, maxSizeBytes: undefined };
    await expect(uploadFile(alice, huge, { ...options(), service: blind })).rejects.toThrow(/too.large/i);
  });
});
