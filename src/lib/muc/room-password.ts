/** Where the password of a room comes from: a file, or the environment. */
import { readPrivateFile } from '../config/private-file.js';

/** @throws FileError the file cannot be read, or others can read it, too */
export async function roomPasswordFrom(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  if (file === undefined) return env['XMPPCTL_ROOM_PASSWORD'];
  const [first] = (await readPrivateFile(file, 'the room password file')).split(/\r?\n/, 1);
  return first;
}
