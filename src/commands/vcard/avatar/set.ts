import { createReadStream } from 'node:fs';
import { defineCommand } from '../../../lib/command/definition.js';
import { reasonOf } from '../../../lib/config/private-file.js';
import type { Context } from '../../../lib/context.js';
import { FileError, RemoteError, StanzaError, StreamError, UsageError } from '../../../lib/errors.js';
import { formatBytes } from '../../../lib/output/format.js';
import type { Avatar } from '../../../lib/vcard/card.js';
import { readAvatar } from '../../../lib/vcard/convert/read-avatar.js';
import { bringPhotoInStep } from '../../../lib/vcard/profile/keep-in-step.js';
import { publishAvatar, type Access } from '../../../lib/vcard/profile/write-profile.js';
import { accessOption } from '../set.js';

export interface AvatarSetOptions {
  /** `-` for stdin. */
  file: string;
  access: Access;
}

export const command = defineCommand({
  path: 'vcard avatar set',
  summary: 'publish a picture as the own avatar',
  description: [
    'Publishes a PNG, JPEG, GIF or WebP picture (XEP-0084): its kind, size and hash are told from its bytes. Where the server does not put it into the vcard-temp by itself (XEP-0398), that is done, too, so that all clients see it.',
    'Small is good: every contact fetches it. Servers have limits, often 250,000 characters of base64; some clients ignore what is neither PNG nor JPEG.',
  ].join('\n\n'),
  examples: [
    { does: 'set the picture', line: 'xmppctl vcard avatar set me.png' },
    { does: 'make it small first', line: 'convert me.jpg -resize 96x96 png:- | xmppctl vcard avatar set -' },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object: jid, id (SHA-1), type, bytes, width and height where the picture tells them, and wroteVcardTemp.',
    },
  ],
  exitCodes: { 2: 'the file is no picture', 5: 'the server refuses it, for example because it is too large' },
  completes: { file: 'file' },
  build: (command) => command.argument('<file>', 'the picture; - for stdin').addOption(accessOption),
  parse: ([file], { access }): AvatarSetOptions => ({ file, access }),
  run: runAvatarSet,
});

/** Servers take less than a hundredth of it. */
const MAX_BYTES = 10 * 1024 * 1024;

/** @throws UsageError it is no picture @throws StanzaError the server refuses it */
export async function runAvatarSet({ file, access }: AvatarSetOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  const avatar = await readPicture(file, context);
  const { id, mediaType, data, width, height } = avatar;
  await using session = await context.connect();
  try {
    await publishAvatar(session, avatar, { access, signal });
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    throw new RemoteError(
      `the picture has ${formatBytes(data.length)}, which is more than the server takes`,
      {
        hint: 'make it smaller: 10 KB are plenty',
        cause: error,
      },
    );
  }
  const wroteVcardTemp = await bringPhotoInStep(session, avatar, { signal });
  const facts = {
    jid: session.jid.bare.toString(),
    id,
    type: mediaType,
    bytes: data.length,
    ...(width !== undefined && { width, height }),
    wroteVcardTemp,
  };
  if (output.isJson) await output.result(facts, () => '');
  else output.note(`published ${mediaType}, ${formatBytes(data.length)}, as the picture of ${facts.jid}`);
}

async function readPicture(file: string, context: Context): Promise<Avatar> {
  const name = file === '-' ? 'stdin' : file;
  const chunks: Buffer[] = [];
  let bytes = 0;
  const source = file === '-' ? context.stdin : createReadStream(file, { signal: context.signal });
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES)
        throw new UsageError(`${name} is larger than ${formatBytes(MAX_BYTES)}: no server takes that`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    if (error instanceof UsageError) throw error;
    throw new FileError(`cannot read ${name}: ${reasonOf(error)}`, { cause: error });
  }
  const avatar = readAvatar(Buffer.concat(chunks));
  if (!avatar)
    throw new UsageError(`${name} is no picture that clients show`, { hint: 'PNG, JPEG, GIF and WebP are' });
  return avatar;
}

/** Most servers end the stream for a stanza that is too large; some answer. */
function isTooLarge(error: unknown): boolean {
  const tooBig = ['payload-too-big', 'stanza-too-big'];
  if (error instanceof StanzaError) return tooBig.includes(error.application?.name ?? '');
  return error instanceof StreamError && error.condition === 'policy-violation';
}
