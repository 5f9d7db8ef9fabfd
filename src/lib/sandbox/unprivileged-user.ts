import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';

export interface SystemUser {
  uid: number;
  gid: number;
}

/**
 * Whom a server runs as: undefined for ourselves. Prosody refuses to run as root, and nothing else should either, so
 * root hands over to the account of the server's package, or to nobody.
 */
export async function unprivilegedUser(serverName: string): Promise<SystemUser | undefined> {
  if (userInfo().uid !== 0) return undefined;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const entry = [serverName, `_${serverName}`, 'nobody']
    .map((name) => users.find(([user]) => user === name))
    .find((found) => found !== undefined);
  const [, , uid, gid] = entry ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}
