/** GStreamer's webrtcbin as the other side of a call; it speaks SDP, which is made and read here by the line. */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { IceCandidate, MediaLink, RemoteTransport } from '../../src/lib/media/media-link.js';

/** Debian's, which has the bindings of GStreamer; another one earlier in PATH may not. */
const PYTHON = '/usr/bin/python3';
const script = path.join(import.meta.dirname, 'webrtcbin_peer.py');

/** Why there can be none here, or undefined. */
export function whyNoWebrtcbin(): string | undefined {
  const look = [
    'import gi',
    'gi.require_version("Gst", "1.0")',
    'gi.require_version("GstWebRTC", "1.0")',
    'from gi.repository import Gst, GstWebRTC',
    'Gst.init(None)',
    'names = ["webrtcbin", "nicesrc", "opusenc", "opusdec", "rtpopuspay", "vp8enc", "rtpvp8pay"]',
    'missing = [name for name in names if not Gst.ElementFactory.find(name)]',
    'raise SystemExit(", ".join(missing) or 0)',
  ].join('\n');
  const { status, stderr, error } = spawnSync(PYTHON, ['-c', look], { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim().split('\n').at(-1) ?? 'unknown');
}

export class WebrtcbinPeer implements AsyncDisposable {
  pictures = 0;
  readonly offer: Promise<string>;
  readonly connected: Promise<void>;
  onCandidate: (candidate: IceCandidate) => void = () => undefined;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #candidates: IceCandidate[] = [];

  /** @param target where what it hears is written */
  constructor(target: string, hertz: number, hasVideo = false) {
    this.#child = spawn(PYTHON, [script, target, String(hertz), hasVideo ? 'video' : 'audio'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let offered: (sdp: string) => void = () => undefined;
    let connect: () => void = () => undefined;
    this.offer = new Promise((resolve) => (offered = resolve));
    this.connected = new Promise((resolve) => (connect = resolve));
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as {
        offer?: string;
        candidate?: string;
        state?: string;
        picture?: true;
      };
      if (message.offer !== undefined) offered(message.offer);
      if (message.state === 'connected') connect();
      if (message.picture) this.pictures += 1;
      const candidate = message.candidate === undefined ? undefined : readCandidate(message.candidate);
      if (!candidate) return;
      this.#candidates.push(candidate);
      this.onCandidate(candidate);
    });
  }

  get candidates(): readonly IceCandidate[] {
    return this.#candidates;
  }

  answer(sdp: string): void {
    this.#tell({ answer: sdp });
  }

  addCandidate(candidate: IceCandidate): void {
    this.#tell({ candidate: writeCandidate(candidate) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #tell(message: object): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }
}

export function readRemote(sdp: string): RemoteTransport {
  const read = (name: string): string => new RegExp(`^a=${name}:(.*)\r?$`, 'm').exec(sdp)?.[1]?.trim() ?? '';
  const [hash = '', value = ''] = read('fingerprint').split(' ');
  return {
    credentials: { ufrag: read('ice-ufrag'), pwd: read('ice-pwd') },
    fingerprints: [{ hash, value }],
    setup: read('setup') as RemoteTransport['setup'],
  };
}

/** An answer with the same lines of media as the offer. */
export function writeAnswer(offer: string, { local }: MediaLink, setup: 'active' | 'passive'): string {
  const mids = [...offer.matchAll(/^m=(\w+) .*?^a=mid:(\S+)/gms)].map(([, kind = '', mid = '']) => ({
    kind,
    mid,
  }));
  const media = mids.flatMap(({ kind, mid }) => [
    `m=${kind} 9 UDP/TLS/RTP/SAVPF ${kind === 'audio' ? 111 : 96}`,
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${local.credentials.ufrag}`,
    `a=ice-pwd:${local.credentials.pwd}`,
    'a=rtcp-mux',
    `a=setup:${setup}`,
    `a=mid:${mid}`,
    'a=sendrecv',
    kind === 'audio' ? 'a=rtpmap:111 OPUS/48000/2' : 'a=rtpmap:96 VP8/90000',
    ...(kind === 'audio' ? [] : ['a=rtcp-fb:96 nack pli', 'a=rtcp-fb:96 ccm fir']),
    `a=fingerprint:${local.fingerprint.hash} ${local.fingerprint.value}`,
  ]);
  return [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${mids.map(({ mid }) => mid).join(' ')}`,
    ...media,
    '',
  ].join('\r\n');
}

function readCandidate(line: string): IceCandidate | undefined {
  const found =
    /candidate:(\S+) (\d+) (\S+) (\d+) (\S+) (\d+) typ (host|srflx|prflx|relay)/i.exec(line) ?? undefined;
  if (!found || found[3]?.toLowerCase() !== 'udp') return undefined;
  const [, foundation = '', component, , priority, ip = '', port, type] = found;
  return {
    foundation,
    component: Number(component),
    protocol: 'udp',
    priority: Number(priority),
    ip,
    port: Number(port),
    type: type as IceCandidate['type'],
    generation: 0,
  };
}

function writeCandidate({ foundation, component, priority, ip, port, type }: IceCandidate): string {
  return `candidate:${foundation} ${component} UDP ${priority} ${ip} ${port} typ ${type}`;
}
