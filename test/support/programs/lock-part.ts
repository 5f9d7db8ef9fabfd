/**
 * A process of its own that takes and gives back a lock again and again, among others that do: `lock-part FOLDER ROUNDS`.
 * Now and then it leaves one behind that looks as if its process had been killed. It says how often it had the lock, and
 * how often somebody else had it as well.
 */
import { randomBytes } from 'node:crypto';
import { link, open, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { lockPart } from '../../../src/lib/file-transfer/storing/part-lock.js';

const [folder = '', rounds = ''] = process.argv.slice(2);
const lockFile = path.join(folder, 'a.part.lock');
const inUse = path.join(folder, 'in-use');
/** No process has this number. */
const NO_PID = 99_999_999;

async function leaveOneBehind(): Promise<void> {
  const nonce = randomBytes(6).toString('hex');
  const written = path.join(folder, nonce);
  await writeFile(written, `${NO_PID} 1 ${nonce}\n`);
  await link(written, lockFile).catch(() => undefined);
  await rm(written);
}

let taken = 0;
let shared = 0;
for (let round = 0; round < Number(rounds); round += 1) {
  if (round % 5 === 0) await leaveOneBehind();
  const lock = await lockPart(lockFile);
  if (!lock) continue;
  taken += 1;
  try {
    const handle = await open(inUse, 'wx');
    await handle.close();
    await rm(inUse);
  } catch {
    shared += 1;
  }
  await lock[Symbol.asyncDispose]();
}
process.stdout.write(`taken ${taken}\nshared ${shared}\n`);
