import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { openMediaEngine } from '../../src/lib/media/engine.js';
import { Link } from '../../src/lib/media/link.js';
import type { MediaEngine, MediaKindPlan, MediaOptions } from '../../src/lib/media/media-link.js';
import { encodeRtp } from '../../src/lib/media/rtp/rtp-packet.js';
import { fromBytes } from '../../src/lib/media/sound/pcm.js';
import {
  audioPlan,
  connectEngines,
  remoteOf,
  decodeRecording,
  middleOf,
  shareOf,
} from '../support/media-call.js';

const engines: MediaEngine[] = [];
const folders: string[] = [];

async function openEngine(options: Partial<MediaOptions> = {}): Promise<MediaEngine> {
  const engine = await openMediaEngine({
    source: { kind: 'silence' },
    sink: {},
    signal: new AbortController().signal,
    onWarning: (text) => expect.fail(text),
    ...options,
  });
  engines.push(engine);
  return engine;
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-media-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

describe('a call between two engines', () => {
  it("records each one's tone at the other, and both in the mix", async () => {
    const [one, other] = [await newFolder(), await newFolder()];
    const first = await openEngine({ source: { kind: 'tone', hertz: 440 }, sink: { recordDirectory: one } });
    const second = await openEngine({
      source: { kind: 'tone', hertz: 1000 },
      sink: { recordDirectory: other },
    });
    const sides = await connectEngines(first, second);
    await Promise.all(
      sides.map(({ link }) =>
        expect.poll(() => link.statistics().packetsReceived, { timeout: 20_000 }).toBeGreaterThan(100),
      ),
    );
    for (const { link } of sides) {
      expect(link.statistics()).toMatchObject({
        lost: 0,
        refused: 0,
        codec: 'opus',
        pair: { local: { type: 'host' } },
      });
    }
    await Promise.all([first.close(), second.close()]);
    expect((await readdir(one)).sort()).toEqual(['mix.ogg', 'second.ogg']);
    expect(shareOf(middleOf(await decodeRecording(path.join(one, 'second.ogg'))), 1000)).toBeGreaterThan(0.9);
    expect(shareOf(middleOf(await decodeRecording(path.join(other, 'first.ogg'))), 440)).toBeGreaterThan(0.9);
    const mixed = middleOf(await decodeRecording(path.join(one, 'mix.ogg')));
    expect(shareOf(mixed, 440)).toBeGreaterThan(0.3);
    expect(shareOf(mixed, 1000)).toBeGreaterThan(0.3);
  });

  it('ends when the certificate is not the one that was told', async () => {
    const [first, second] = [await openEngine(), await openEngine()];
    const [one] = await connectEngines(first, second, {
      tamper: (remote) => ({
        ...remote,
        fingerprints: [{ hash: 'sha-256', value: Array.from({ length: 32 }, () => '00').join(':') }],
      }),
    });
    expect(await one.when('failed')).toEqual({
      type: 'failed',
      phase: 'dtls',
      reason: 'the certificate is not the one whose fingerprint was told',
    });
    await one.when('closed');
    expect(one.events.map(({ type }) => type)).not.toContain('dtls-connected');
  });

  it('ends when there is no way', async () => {
    const [first, second] = [await openEngine(), await openEngine()];
    const [one] = await connectEngines(first, second, {
      tamper: (remote) => ({ ...remote, credentials: { ...remote.credentials, pwd: 'x'.repeat(22) } }),
    });
    const { phase, reason } = await one.when('failed');
    expect([phase, reason]).toEqual(['ice', expect.stringMatching(/^none of \d+ candidate pairs answered$/)]);
  });

  it('survives packets that are none, of unknown types and of strangers', async () => {
    const [first, second] = [await openEngine(), await openEngine()];
    const [one, other] = await connectEngines(first, second);
    await Promise.all([one.when('dtls-connected'), other.when('first-packet')]);
    const { link } = one;
    if (!(link instanceof Link)) throw new Error('another kind of link');
    const packet = (payloadType: number, ssrc: number): Buffer =>
      encodeRtp({
        isMarked: false,
        payloadType,
        sequence: 1,
        timestamp: 1,
        ssrc,
        extensions: new Map(),
        payload: Buffer.from([1, 2, 3]),
      });
    link.sendRtp(packet(5, 1));
    link.sendRtp(packet(111, 77));
    // An extension that says to be longer than the packet, and a padding that is, too.
    link.sendRtp(Buffer.from('b06f000100000002000000030bede00000ff', 'hex'));
    await expect.poll(() => other.link.statistics().refused).toBeGreaterThanOrEqual(2);
    const { packetsReceived } = other.link.statistics();
    await expect.poll(() => other.link.statistics().packetsReceived).toBeGreaterThan(packetsReceived + 10);
  });

  it('keeps hostile names in the folder, and what is there already', async () => {
    const folder = await newFolder();
    await writeFile(path.join(folder, 'passwd.ogg'), 'mine');
    const first = await openEngine({ sink: { recordDirectory: folder } });
    const second = await openEngine({ source: { kind: 'tone', hertz: 500 } });
    const sides = await connectEngines(first, second, { first: { name: '../../../etc/passwd' } });
    await expect
      .poll(() => sides[0].link.statistics().packetsReceived, { timeout: 20_000 })
      .toBeGreaterThan(5);
    await first.close();
    expect((await readdir(folder)).sort()).toEqual(['mix.ogg', 'passwd (1).ogg', 'passwd.ogg']);
    expect(await readFile(path.join(folder, 'passwd.ogg'), 'utf8')).toBe('mine');
    expect([...first.recordings].map((file) => path.dirname(file))).toEqual([folder, folder]);
  });

  it('is silent for a peer that is muted, and goes on after a restart of ICE', async () => {
    const folder = await newFolder();
    const headerExtensions = [{ id: 1, uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level' }];
    const first = await openEngine({ source: { kind: 'tone', hertz: 440 } });
    const second = await openEngine({ sink: { recordDirectory: folder } });
    const plans = (): MediaKindPlan[] => [audioPlan({ headerExtensions })];
    const [one, other] = await connectEngines(first, second, { plans });
    await expect.poll(() => other.link.statistics().levelDbov, { timeout: 20_000 }).toBeGreaterThan(-20);
    one.link.mute(true);
    await expect.poll(() => other.link.statistics().levelDbov, { timeout: 20_000 }).toBe(-127);
    one.link.mute(false);
    const setups = { one: remoteOf(one.link, 'actpass').setup, other: remoteOf(other.link, 'active').setup };
    await Promise.all([one.link.restart(), other.link.restart()]);
    one.link.setRemote(remoteOf(other.link, setups.other), plans());
    other.link.setRemote(remoteOf(one.link, setups.one), plans());
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      for (const event of from.events) {
        if (event.type === 'candidate' && event.candidate.generation === 1)
          to.link.addRemoteCandidate(event.candidate);
      }
    }
    await expect.poll(() => one.link.statistics().pair?.remote.generation, { timeout: 20_000 }).toBe(1);
    const { packetsReceived } = other.link.statistics();
    await expect.poll(() => other.link.statistics().packetsReceived).toBeGreaterThan(packetsReceived + 10);
    expect(one.events.filter(({ type }) => type === 'failed')).toEqual([]);
  });

  it('gives what is heard to a program, and leaves it out when that does not read', async () => {
    const warnings: string[] = [];
    const out = new PassThrough({ highWaterMark: 20_000 });
    const first = await openEngine({ sink: { pcmOut: out }, onWarning: (text) => warnings.push(text) });
    const second = await openEngine({ source: { kind: 'tone', hertz: 700 } });
    await connectEngines(first, second);
    const heard: Buffer[] = [];
    for await (const chunk of out) {
      heard.push(chunk as Buffer);
      if (Buffer.concat(heard).length > 250_000) break;
    }
    expect(shareOf(fromBytes(Buffer.concat(heard).subarray(-48_000)), 700)).toBeGreaterThan(0.9);
    const stuck = new PassThrough({ highWaterMark: 1000 });
    const third = await openEngine({ sink: { pcmOut: stuck }, onWarning: (text) => warnings.push(text) });
    await connectEngines(third, await openEngine({ source: { kind: 'tone', hertz: 700 } }));
    await expect.poll(() => warnings).toContain('what is heard is read too slowly: parts of it are left out');
  });
});
