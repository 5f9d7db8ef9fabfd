/**
 * A link to one peer: ICE below, DTLS-SRTP on it, RTP and RTCP on that. What arrives is handed on as it comes, what is
 * sent comes from the engine.
 */
import { EventQueue } from '../event-queue.js';
import { IceAgent } from './ice/ice-agent.js';
import type {
  IceCandidate,
  IceCredentials,
  LinkEvent,
  LinkOptions,
  LinkStatistics,
  MediaKindPlan,
  MediaLink,
  RemoteTransport,
} from './media-link.js';
import {
  decodeRtcp,
  encodeFullIntraRequest,
  encodeGoodbye,
  encodePictureLoss,
  encodeReport,
  encodeSourceDescription,
} from './rtp/rtcp.js';
import { AUDIO_LEVEL_URI, decodeAudioLevel, decodeRtp } from './rtp/rtp-packet.js';
import { RtpSession, type ReceivedMedia } from './rtp/rtp-session.js';
import type { DtlsIdentity, SecureMedia } from './secure/secure-media.js';

type Kind = MediaKindPlan['kind'];

/** Datagrams of DTLS that come before ICE is done here, too. */
const MAX_EARLY_DATAGRAMS = 16;
/** RFC 3550 §6.2: 5 s on average, and half of that before the first. */
const REPORT_EVERY_MS = 5_000;

export interface LinkOwner {
  /** @param nowMs of the clock of `performance.now` */
  received(link: Link, kind: Kind, media: ReceivedMedia, nowMs: number): void;
  /** The peer asks for a key frame. */
  keyFrameWanted(link: Link): void;
  closed(link: Link): void;
}

export class Link implements MediaLink {
  readonly events = new EventQueue<LinkEvent>();
  readonly name: string;
  /** As it was heard last, in the header of the packets or from the sound itself. */
  levelDbov: number | undefined;
  isMuted = false;
  readonly #agent: IceAgent;
  readonly #secure: SecureMedia;
  readonly #sessions = new Map<Kind, RtpSession>();
  readonly #heard = new Set<Kind>();
  #early: Buffer[] = [];
  #remote: RemoteTransport | undefined;
  #isConnected = false;
  #isSecure = false;
  #isClosed = false;
  #refused = 0;
  #reports: NodeJS.Timeout | undefined;
  #fullIntraRequests = 0;
  #keyFramesWanted = 0;

  constructor(
    options: LinkOptions,
    private readonly identity: DtlsIdentity,
    private readonly owner: LinkOwner,
  ) {
    this.name = options.name;
    const { isInitiator, servers, isRelayOnly, interfaces } = options;
    this.#agent = new IceAgent(
      { isControlling: isInitiator, servers, isRelayOnly, interfaces },
      {
        candidate: (candidate) => this.events.push({ type: 'candidate', candidate }),
        gathered: () => this.events.push({ type: 'gathered' }),
        connected: ({ local, remote }) => this.#connect(local, remote),
        data: (datagram) => this.#receive(datagram),
        failed: (reason) => this.#fail('ice', reason),
      },
    );
    this.#secure = identity.openSecureMedia({
      send: (datagram) => this.#agent.send(datagram),
      connected: () => this.#secured(),
      rtp: (packet) => this.#receiveRtp(packet),
      rtcp: (packet) => this.#receiveRtcp(packet),
      failed: (reason) => this.#fail('dtls', reason),
    });
  }

  get local(): MediaLink['local'] {
    return { credentials: this.#agent.credentials, fingerprint: this.identity.fingerprint };
  }

  /** @throws UsageError for an interface that is not there */
  async gather(): Promise<void> {
    await this.#agent.gather();
  }

  setRemote(remote: RemoteTransport, plans: readonly MediaKindPlan[]): void {
    if (this.#isClosed) return;
    if (this.#remote === undefined) {
      for (const plan of plans) this.#sessions.set(plan.kind, new RtpSession(plan));
      this.#remote = remote;
    }
    this.#agent.setRemote(remote.credentials);
  }

  change(plan: MediaKindPlan): void {
    if (this.#isClosed) return;
    const session = this.#sessions.get(plan.kind);
    if (session) session.change(plan);
    else this.#sessions.set(plan.kind, new RtpSession(plan));
  }

  addRemoteCandidate(candidate: IceCandidate): void {
    this.#agent.addRemoteCandidate(candidate);
  }

  endRemoteCandidates(): void {
    this.#agent.endRemoteCandidates();
  }

  async restart(): Promise<IceCredentials> {
    const credentials = this.#agent.restart();
    await this.#agent.gather();
    return credentials;
  }

  mute(isMuted: boolean): void {
    this.isMuted = isMuted;
  }

  /** Whether packets say how loud they are (RFC 6464). */
  get tellsLevel(): boolean {
    return this.#sessions.get('audio')?.extensionId(AUDIO_LEVEL_URI) !== undefined;
  }

  /** What is sent arrives. */
  get isSecure(): boolean {
    return this.#isSecure;
  }

  /** What is sent of one kind, or undefined: the link is not ready, or the peer wants nothing of it. */
  sessionFor(kind: Kind): RtpSession | undefined {
    const session = this.#sessions.get(kind);
    return this.#isSecure && session?.plan.send ? session : undefined;
  }

  sendRtp(packet: Buffer): void {
    this.#secure.sendRtp(packet);
  }

  /** PLI and FIR: peers know one or the other (RFC 4585 §6.3.1, RFC 5104 §4.3.1). */
  requestKeyFrame(): void {
    const session = this.#sessions.get('video');
    const remoteSsrc = session?.remoteSsrc;
    if (!session || remoteSsrc === undefined || !this.#isSecure) return;
    const { ssrc, cname } = session.plan;
    const feedback = session.codec?.feedback ?? [];
    this.#fullIntraRequests += 1;
    const parts = [encodeReport(ssrc, undefined, []), encodeSourceDescription(ssrc, cname)];
    if (feedback.includes('nack pli') || !feedback.includes('ccm fir')) {
      parts.push(encodePictureLoss(ssrc, remoteSsrc));
    }
    if (feedback.includes('ccm fir')) {
      parts.push(encodeFullIntraRequest(ssrc, remoteSsrc, this.#fullIntraRequests));
    }
    this.#secure.sendRtcp(Buffer.concat(parts));
  }

  statistics(): LinkStatistics {
    const audio = this.#sessions.get('audio');
    const video = this.#sessions.get('video');
    const main = audio ?? video;
    const sum = (of: (session: RtpSession) => number): number =>
      [...this.#sessions.values()].reduce((total, session) => total + of(session), 0);
    const roundTripMs = main?.roundTripMs ?? this.#agent.roundTripMs;
    const pair = this.#agent.pair;
    const codec = main?.codec?.name;
    return {
      packetsSent: sum(({ packetsSent }) => packetsSent),
      packetsReceived: sum(({ packetsReceived }) => packetsReceived),
      bytesReceived: sum(({ bytesReceived }) => bytesReceived),
      lost: main?.lost ?? 0,
      jitterMs: main?.jitterMs ?? 0,
      refused: this.#refused,
      ...(roundTripMs !== undefined && { roundTripMs }),
      ...(this.levelDbov !== undefined && { levelDbov: this.levelDbov }),
      ...(codec !== undefined && { codec }),
      ...(pair && { pair }),
      ...(main?.peer && { peer: main.peer }),
      ...(video && {
        video: {
          packetsSent: video.packetsSent,
          packetsReceived: video.packetsReceived,
          lost: video.lost,
          frames: this.framesReceived,
          keyFramesWanted: this.#keyFramesWanted,
        },
      }),
    };
  }

  /** Gathering went wrong in a way that nobody foresaw, or an interface went away. */
  giveUp(error: unknown): void {
    this.#fail('ice', error instanceof Error ? error.message : String(error));
  }

  /** Whole pictures; counted by who puts them together. */
  framesReceived = 0;

  close(): Promise<void> {
    if (!this.#isClosed) this.#goodbye();
    this.#shut();
    return Promise.resolve();
  }

  #connect(local: IceCandidate, remote: IceCandidate): void {
    this.events.push({ type: 'ice-connected', local, remote });
    if (this.#isConnected || !this.#remote) return;
    this.#isConnected = true;
    // Who is told to be active begins; when both may, the answering side does (RFC 5763 §5).
    this.#secure.start(this.#remote.setup === 'active' ? 'server' : 'client', this.#remote.fingerprints);
    for (const datagram of this.#early.splice(0)) this.#receive(datagram);
  }

  #receive(datagram: Buffer): void {
    if (!this.#isConnected) {
      if (this.#early.length < MAX_EARLY_DATAGRAMS) this.#early.push(datagram);
      return;
    }
    if (!this.#secure.receive(datagram)) this.#refused += 1;
  }

  #secured(): void {
    this.#isSecure = true;
    this.events.push({ type: 'dtls-connected' });
    this.#scheduleReport(REPORT_EVERY_MS / 2);
  }

  #receiveRtp(bytes: Buffer): void {
    const nowMs = performance.now();
    const packet = decodeRtp(bytes);
    const found = packet && this.#sessionOf(packet.payloadType);
    const media = packet && found?.session.receive(packet, nowMs);
    if (!found || !media) {
      this.#refused += 1;
      return;
    }
    const levelId = found.session.extensionId(AUDIO_LEVEL_URI);
    const level = levelId === undefined ? undefined : decodeAudioLevel(media.packet.extensions.get(levelId));
    if (level !== undefined) this.levelDbov = level;
    if (!this.#heard.has(found.kind)) {
      this.#heard.add(found.kind);
      this.events.push({ type: 'first-packet', kind: found.kind });
    }
    this.owner.received(this, found.kind, media, nowMs);
  }

  #sessionOf(payloadType: number): { kind: Kind; session: RtpSession } | undefined {
    for (const [kind, session] of this.#sessions) {
      if (session.plan.receive.some((codec) => codec.payloadType === payloadType)) return { kind, session };
    }
    return undefined;
  }

  #receiveRtcp(compound: Buffer): void {
    const nowMs = performance.now();
    for (const packet of decodeRtcp(compound)) {
      for (const session of this.#sessions.values()) {
        if (packet.type === 'report') session.receiveReport(packet, nowMs, Date.now());
        else if (packet.type === 'bye') session.receiveGoodbye(packet.ssrcs);
        else if (packet.ssrc === session.plan.ssrc) {
          this.#keyFramesWanted += 1;
          this.owner.keyFrameWanted(this);
        }
      }
    }
  }

  #scheduleReport(meanMs: number): void {
    this.#reports = setTimeout(
      () => {
        for (const session of this.#sessions.values()) this.#report(session);
        this.#scheduleReport(REPORT_EVERY_MS);
      },
      meanMs * (0.5 + Math.random()),
    );
  }

  #report(session: RtpSession): void {
    const nowMs = performance.now();
    const { ssrc, cname } = session.plan;
    const block = session.reportBlock(nowMs);
    const report = encodeReport(ssrc, session.senderInfo(nowMs, Date.now()), block ? [block] : []);
    this.#secure.sendRtcp(Buffer.concat([report, encodeSourceDescription(ssrc, cname)]));
  }

  #goodbye(): void {
    for (const { plan } of this.#sessions.values()) {
      this.#secure.sendRtcp(
        Buffer.concat([
          encodeReport(plan.ssrc, undefined, []),
          encodeSourceDescription(plan.ssrc, plan.cname),
          encodeGoodbye(plan.ssrc),
        ]),
      );
    }
  }

  #fail(phase: 'ice' | 'dtls', reason: string): void {
    if (this.#isClosed) return;
    this.events.push({ type: 'failed', phase, reason });
    this.#shut();
  }

  #shut(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#reports);
    this.#secure.close();
    this.#agent.close();
    this.events.push({ type: 'closed' });
    this.events.end();
    this.owner.closed(this);
  }
}
