/**
 * What signalling sees of the media of a call: an engine with one source, and a link to each peer.
 *
 * Nothing here knows XML or XMPP, and nothing outside this room knows the library that does ICE and DTLS.
 * The order of a call: `openMediaEngine`, `openLink` for each peer (gathering begins at once: `candidate` events),
 * tell the peer `local`, `setRemote` with what it answered, `addRemoteCandidate` as they come. `setRemote` with other
 * credentials than before is the peer's ICE restart.
 */
import type { EventQueue } from '../event-queue.js';

/** ICE credentials of one side (RFC 8445 §5.3). */
export interface IceCredentials {
  ufrag: string;
  pwd: string;
}

/** A way to reach one side (RFC 8445 §5.1). Addresses are literal IPv4 or IPv6 without zone or brackets. */
export interface IceCandidate {
  foundation: string;
  component: number;
  protocol: 'udp';
  priority: number;
  ip: string;
  port: number;
  type: 'host' | 'srflx' | 'prflx' | 'relay';
  relatedAddress?: string;
  relatedPort?: number;
  /** 0, and one more with every restart of ICE. */
  generation: number;
}

/** The digest of a certificate: `hash` as in RFC 8122 (`sha-256`), `value` as `AA:BB:…`. */
export interface DtlsFingerprint {
  hash: string;
  value: string;
}

/** Who begins DTLS (RFC 5763 §5): `active` is the client. */
export type DtlsSetup = 'actpass' | 'active' | 'passive';

export interface IceServer {
  kind: 'stun' | 'turn';
  /** A name or an address. */
  host: string;
  port: number;
  transport: 'udp' | 'tcp';
  username?: string;
  password?: string;
}

/** One codec, with the payload type that one side gave it. Names are compared without regard to case. */
export interface Codec {
  name: string;
  payloadType: number;
  clockRate: number;
  channels: number;
  /** As in `a=fmtp`. */
  parameters: Record<string, string>;
  /** As in `a=rtcp-fb`: `nack pli`, `ccm fir`. */
  feedback: readonly string[];
}

/** What is sent and what may be received of one kind of media. */
export interface MediaKindPlan {
  kind: 'audio' | 'video';
  /** What is sent: the payload type is the one the other side gave it. Absent: nothing is sent. */
  send?: Codec;
  ssrc: number;
  cname: string;
  /** What may be received, by our payload types. Empty: nothing is received. */
  receive: readonly Codec[];
  /** RTP header extensions that both sides have: `urn:ietf:params:rtp-hdrext:ssrc-audio-level`, `…:sdes:mid`. */
  headerExtensions: readonly HeaderExtension[];
  /** The name of the content, for the `mid` extension, where both have it (RFC 8843). */
  mid?: string;
}

export interface HeaderExtension {
  /** 1 to 14 (RFC 8285 §4.2). */
  id: number;
  uri: string;
}

export interface LinkOptions {
  /** What recordings and statistics call the peer: the nick in a room, or the JID. Hostile text is made safe here. */
  name: string;
  /** ICE: the initiator is controlling. */
  isInitiator: boolean;
  servers: readonly IceServer[];
  /** Only candidates of TURN servers are told and used. */
  isRelayOnly: boolean;
  /** Names (`eth0`) or addresses; empty: all. */
  interfaces: readonly string[];
}

export interface RemoteTransport {
  credentials: IceCredentials;
  fingerprints: readonly DtlsFingerprint[];
  setup: DtlsSetup;
}

export type LinkEvent =
  | { type: 'candidate'; candidate: IceCandidate }
  | { type: 'gathered' }
  | { type: 'ice-connected'; local: IceCandidate; remote: IceCandidate }
  | { type: 'dtls-connected' }
  | { type: 'first-packet'; kind: 'audio' | 'video' }
  /** Not recovered: the session is to end. The link closes itself. */
  | { type: 'failed'; phase: 'ice' | 'dtls'; reason: string }
  | { type: 'closed' };

export interface CandidatePair {
  local: IceCandidate;
  remote: IceCandidate;
}

/** Sound and pictures together; loss, jitter and level are those of the sound as it arrives. */
export interface LinkStatistics {
  packetsSent: number;
  packetsReceived: number;
  bytesReceived: number;
  /** As RFC 3550 §6.4.1 counts it; never negative here. */
  lost: number;
  /** RFC 3550 §6.4.1. */
  jitterMs: number;
  roundTripMs?: number;
  /** −127 (silence) to 0 (as loud as can be), as in RFC 6464 and RFC 6465; absent until something was heard. */
  levelDbov?: number;
  codec?: string;
  pair?: CandidatePair;
  /** Datagrams that were no RTP of the plan: malformed, of an unknown payload type, of one SSRC too many. */
  refused: number;
  /** What the peer says in its reports of what it received of us (RFC 3550 §6.4.1). */
  peer?: { lost: number; jitterMs: number };
  /** Packets of video alone, where there is any. */
  video?: {
    packetsSent: number;
    packetsReceived: number;
    lost: number;
    /** Whole pictures that came, from the first key frame on. */
    frames: number;
    /** How often the peer asked for a key frame. */
    keyFramesWanted: number;
  };
}

/** One bundled path to one peer (RTP, RTCP and both kinds of media on one 5-tuple). */
export interface MediaLink {
  readonly local: { credentials: IceCredentials; fingerprint: DtlsFingerprint };
  /** Ends after `closed`. */
  readonly events: EventQueue<LinkEvent>;
  /**
   * Begins ICE and then DTLS. `setup` is the other side's, and ours follows: `active` makes us the server, `passive` and
   * `actpass` the client. Called again with other credentials, ICE begins anew with them.
   */
  setRemote(remote: RemoteTransport, plans: readonly MediaKindPlan[]): void;
  /** A kind of media more, or one that is sent or received from now on, or no longer. After `setRemote`. */
  change(plan: MediaKindPlan): void;
  /** Before `setRemote`, too. What goes over the bound is dropped. */
  addRemoteCandidate(candidate: IceCandidate): void;
  endRemoteCandidates(): void;
  /**
   * ICE restart: new local credentials, gathered again. The peer's new ones come by `setRemote`, after this, also when it
   * was the peer who began.
   */
  restart(): Promise<IceCredentials>;
  /** A muted link is sent silence. */
  mute(isMuted: boolean): void;
  statistics(): LinkStatistics;
  close(): Promise<void>;
}

/** One source, encoded once, sent to all links; each link's sound decoded, recorded and mixed. */
export interface MediaEngine {
  openLink(options: LinkOptions): Promise<MediaLink>;
  /** Resolves when the source has ended (a file that does not loop, or pictures of one beside silence), or on close; rejects with `FileError` when it cannot be read. */
  readonly finished: Promise<void>;
  /** The files that are being written, complete after `close`. */
  readonly recordings: readonly string[];
  /** Closes the links and writes the ends of the recordings. */
  close(): Promise<void>;
}

export type AudioSource =
  /** WAV or Ogg Opus. */
  | { kind: 'file'; path: string; loops: boolean }
  | { kind: 'tone'; hertz: number }
  | { kind: 'silence' }
  /** PCM, s16le, 48 kHz, mono. */
  | { kind: 'stdin'; stream: NodeJS.ReadableStream }
  /** A shell command whose stdout is the same PCM. */
  | { kind: 'command'; command: string };

/** Neither: what arrives is only counted. */
export interface MediaSink {
  /** One Ogg Opus file per participant, one WebM per sender of video, and `mix.ogg`. Made if it is not there. */
  recordDirectory?: string;
  /** PCM of what the others say, together; s16le, 48 kHz, mono. */
  pcmOut?: NodeJS.WritableStream;
}

export interface MediaOptions {
  source: AudioSource;
  sink: MediaSink;
  /** IVF or WebM with VP8. */
  videoSource?: { path: string; loops: boolean };
  signal: AbortSignal;
  /** Something is left out or goes on without a part; the call goes on. */
  onWarning: (text: string) => void;
}
