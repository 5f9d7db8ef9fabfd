/**
 * A process of its own that stores a file, to be killed in the middle: `store-file FOLDER SIZE [FILLER]`.
 * It says what it does line by line. When nothing more goes in, it removes FILLER and tries again.
 */
import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { XmppctlError } from '../../../src/lib/errors.js';
import { openPartialFile } from '../../../src/lib/file-transfer/storing/partial-file.js';
import { contentAt, factsOf } from '../numbered-content.js';

const [folder = '', size = '', filler] = process.argv.slice(2);

function say(...words: (string | number)[]): void {
  process.stdout.write(`${words.join(' ')}\n`);
}

async function store(): Promise<boolean> {
  const facts = factsOf('big.bin', Number(size));
  const sink = await openPartialFile({ folder, from: 'alice@example.org', facts });
  say('offset', sink.offset);
  try {
    const end = Number(size);
    for (let offset = sink.offset; offset < end; offset = sink.offset) {
      await sink.write(contentAt(offset, Math.min(60_000, end - offset)));
      say('accepted', sink.offset);
    }
    say('digest', (await sink.digest('sha-256'))?.toString('hex') ?? '');
    say('stored', (await sink.commit()) ?? '');
    return true;
  } catch (error) {
    if (!(error instanceof XmppctlError)) throw error;
    say('failed', error.exitCode, error.message);
    await sink.suspend();
    say('kept', (await stat(path.join(folder, 'big.bin.part'))).size);
    return false;
  }
}

if (!(await store()) && filler !== undefined) {
  await rm(filler);
  await store();
}
