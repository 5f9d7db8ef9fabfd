import { defineCommand } from '../../../lib/command/definition.js';
import type { Context } from '../../../lib/context.js';
import { fetchAvatarInfo } from '../../../lib/vcard/profile/read-profile.js';
import { bringPhotoInStep } from '../../../lib/vcard/profile/keep-in-step.js';
import { clearAvatar } from '../../../lib/vcard/profile/write-profile.js';

export type AvatarClearOptions = Readonly<Record<string, never>>;

export const command = defineCommand({
  path: 'vcard avatar clear',
  summary: 'take the own picture away',
  description:
    'Publishes that there is no avatar any more (XEP-0084), removes its data, and the picture in the vcard-temp where the server does not do so by itself.',
  examples: [{ does: 'have no picture', line: 'xmppctl vcard avatar clear' }],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object: jid, removed (the id of the picture, or null) and wroteVcardTemp.',
    },
  ],
  build: (command) => command,
  parse: (): AvatarClearOptions => ({}),
  run: runAvatarClear,
});

/** @throws StanzaError */
export async function runAvatarClear(_options: AvatarClearOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  const earlier = await fetchAvatarInfo(session, undefined, { signal });
  await clearAvatar(session, earlier?.id, { access: 'keep', signal });
  const wroteVcardTemp = await bringPhotoInStep(session, undefined, { signal });
  const jid = session.jid.bare.toString();
  if (output.isJson) await output.result({ jid, removed: earlier?.id ?? null, wroteVcardTemp }, () => '');
  else output.note(`${jid} has no picture ${earlier ? 'any more' : 'now'}`);
}
