import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMediaEngine } from '../../src/lib/media/engine.js';
import type { MediaEngine, MediaKindPlan, MediaLink, MediaOptions } from '../../src/lib/media/media-link.js';
import { fromBytes } from '../../src/lib/media/sound/pcm.js';
import { audioPlan, decodeRecording, middleOf, shareOf, vp8, watchLink } from '../support/media-call.js';
import { readRemote, WebrtcbinPeer, whyNoWebrtcbin, writeAnswer } from '../support/webrtcbin-peer.js';

const reason = whyNoWebrtcbin();
let folder = '';
let engine: MediaEngine | undefined;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-media-'));
});
afterEach(async () => {
  await engine?.close();
  await rm(folder, { recursive: true });
});

async function callWith(
  peer: WebrtcbinPeer,
  setup: 'active' | 'passive',
  options: Partial<MediaOptions>,
  plans: MediaKindPlan[],
): Promise<MediaLink> {
  engine = await openMediaEngine({
    source: { kind: 'tone', hertz: 600 },
    sink: { recordDirectory: folder },
    signal: new AbortController().signal,
    onWarning: (text) => expect.fail(text),
    ...options,
  });
  const offer = await peer.offer;
  const link = await engine.openLink({
    name: 'peer',
    isInitiator: false,
    servers: [],
    isRelayOnly: false,
    interfaces: ['lo'],
  });
  const side = watchLink(link);
  peer.answer(writeAnswer(offer, link, setup));
  await side.when('gathered');
  for (const event of side.events) if (event.type === 'candidate') peer.addCandidate(event.candidate);
  peer.onCandidate = (candidate) => link.addRemoteCandidate(candidate);
  for (const candidate of peer.candidates) link.addRemoteCandidate(candidate);
  link.setRemote({ ...readRemote(offer), setup: setup === 'active' ? 'passive' : 'active' }, plans);
  await Promise.all([peer.connected, side.when('dtls-connected')]);
  return link;
}

describe.skipIf(reason !== undefined)(
  `a call with webrtcbin${reason ? ` (not here: ${reason})` : ''}`,
  () => {
    it.each(['active', 'passive'] as const)('has sound both ways when we are %s', async (setup) => {
      const heard = path.join(folder, 'heard.pcm');
      await using peer = new WebrtcbinPeer(heard, 1500);
      const link = await callWith(peer, setup, {}, [audioPlan()]);
      await expect.poll(() => link.statistics().packetsReceived, { timeout: 30_000 }).toBeGreaterThan(100);
      await expect
        .poll(async () => (await readFile(heard)).length, { timeout: 30_000 })
        .toBeGreaterThan(200_000);
      await engine?.close();
      const recording = await decodeRecording(path.join(folder, 'peer.ogg'));
      expect(shareOf(middleOf(recording), 1500)).toBeGreaterThan(0.9);
      expect(shareOf(middleOf(fromBytes(await readFile(heard))), 600)).toBeGreaterThan(0.9);
    });

    it('records its pictures, and can show them to it again', async () => {
      const plans = (): MediaKindPlan[] => [
        audioPlan(),
        { ...audioPlan(), kind: 'video', send: vp8, receive: [vp8] },
      ];
      const heard = path.join(folder, 'heard.pcm');
      const recorded = path.join(folder, 'peer.webm');
      {
        await using peer = new WebrtcbinPeer(heard, 1500, true);
        const link = await callWith(peer, 'active', {}, plans());
        await expect.poll(() => link.statistics().video?.frames, { timeout: 30_000 }).toBeGreaterThan(30);
        await engine?.close();
      }
      await using peer = new WebrtcbinPeer(heard, 1500, true);
      const link = await callWith(
        peer,
        'active',
        { videoSource: { path: recorded, loops: true }, sink: {} },
        plans(),
      );
      await expect.poll(() => peer.pictures, { timeout: 30_000 }).toBeGreaterThan(10);
      expect(link.statistics().video?.packetsSent).toBeGreaterThan(10);
    });
  },
);
