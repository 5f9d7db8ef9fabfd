import { writeFile } from 'node:fs/promises';
import { defineCommand } from '../../../lib/command/definition.js';
import { reasonOf } from '../../../lib/config/private-file.js';
import type { Context } from '../../../lib/context.js';
import { FileError, NegativeError, UsageError } from '../../../lib/errors.js';
import type { JID } from '../../../lib/jid/jid.js';
import { parseAddress } from '../../../lib/jid/xmpp-uri.js';
import { formatBytes } from '../../../lib/output/format.js';
import { fetchAvatar } from '../../../lib/vcard/profile/read-profile.js';

export interface AvatarGetOptions {
  /** The own account when undefined. */
  jid: JID | undefined;
  /** A file, or `-` for stdout; undefined: the picture is described. */
  output: string | undefined;
}

export const command = defineCommand({
  path: 'vcard avatar get',
  summary: 'show or save the picture of an account',
  description:
    'Fetches the avatar as it is published (XEP-0084), else the picture in the vcard-temp (XEP-0153). Its bytes must have the hash that is announced, and be a picture. Without --output it is described: media type, size, pixels and SHA-1.',
  examples: [
    {
      does: 'save the picture of a contact',
      line: 'xmppctl vcard avatar get juliet@example.org -o juliet.png',
    },
    { does: 'show the own picture', line: 'xmppctl vcard avatar get -o - | display' },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object: jid, source (pep or vcard-temp), id (SHA-1), type, bytes, width and height where the picture tells them, and file with --output.',
    },
  ],
  exitCodes: {
    1: 'there is no picture, or none for us',
    5: 'the picture is not what it says it is',
    7: 'the file cannot be written',
  },
  completes: { jid: 'jid', '--output': 'file' },
  build: (command) =>
    command
      .argument('[jid]', 'whose picture; the own when left out')
      .option('-o, --output <file>', 'where to put it; - for stdout'),
  parse: ([jid], { output }): AvatarGetOptions => ({
    jid: jid === undefined ? undefined : parseAddress(jid).bare,
    output,
  }),
  run: runAvatarGet,
});

/** @throws NegativeError there is none */
export async function runAvatarGet({ jid, output: file }: AvatarGetOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  if (file === '-' && output.isTerminal)
    throw new UsageError('a picture is nothing for a terminal', {
      hint: 'name a file with --output, or pipe it on',
    });
  if (file === '-' && output.isJson) throw new UsageError('--json and -o - both want stdout');
  await using session = await context.connect();
  const account = jid?.equals(session.jid.bare) ? undefined : jid;
  const whose = (jid ?? session.jid.bare).toString();
  const found = await fetchAvatar(session, account, { signal });
  if (!found) throw new NegativeError(`${whose} has no picture, or none that this account may see`);
  const { avatar, source } = found;
  const { id, mediaType, data, width, height } = avatar;
  if (file === '-') {
    await output.bytes(data);
    return;
  }
  if (file !== undefined) await save(file, data);
  const facts = {
    jid: whose,
    source,
    id,
    type: mediaType,
    bytes: data.length,
    ...(width !== undefined && { width, height }),
    ...(file !== undefined && { file }),
  };
  const pixels = width === undefined ? '' : `, ${width} × ${height ?? 0}`;
  if (output.isJson || file === undefined)
    await output.result(facts, () => `${mediaType}, ${formatBytes(data.length)}${pixels}, ${id}`);
  else output.note(`saved ${file}: ${mediaType}, ${formatBytes(data.length)}${pixels}`);
}

async function save(file: string, data: Buffer): Promise<void> {
  try {
    await writeFile(file, data);
  } catch (error) {
    throw new FileError(`cannot write ${file}: ${reasonOf(error)}`, { cause: error });
  }
}
