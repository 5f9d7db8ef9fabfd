/**
 * One kind of media between us and one peer: what is sent, and what is received of the one source that is listened to.
 * No sockets, no keys, no clock.
 */
import type { Codec, MediaKindPlan } from '../media-link.js';
import { randomInt } from 'node:crypto';
import { Reception, roundTripOf } from './reception.js';
import { type ReportBlock, type RtcpPacket, type SenderInfo } from './rtcp.js';
import { AUDIO_LEVEL_URI, encodeAudioLevel, encodeRtp, MID_URI, type RtpPacket } from './rtp-packet.js';

/** A source that has been silent for longer may be followed by another one. */
const SOURCE_QUIET_MS = 1_000;

export interface ReceivedMedia {
  packet: RtpPacket;
  codec: Codec;
  /** Extended; grows by one with each packet that was sent, also over a change of the source. */
  sequence: number;
  /** Whether another source than before begins with it. */
  isNewSource: boolean;
}

export class RtpSession {
  packetsSent = 0;
  bytesSent = 0;
  /** What the peer says of what we send. */
  peer: { lost: number; jitterMs: number } | undefined;
  roundTripMs: number | undefined;
  #sequence = randomInt(0x8000);
  readonly #timestampOffset = randomInt(2 ** 31);
  readonly #extensionIds: ReadonlyMap<string, number>;
  #lastTimestamp = 0;
  #lastSentMs = 0;
  #reported = 0;
  #reception: Reception | undefined;
  #lastReceivedMs = 0;
  #earlier = { packets: 0, bytes: 0, lost: 0 };
  #sequenceOffset = 0;
  #highest = 0;
  #codec: Codec | undefined;

  #plan: MediaKindPlan;

  constructor(plan: MediaKindPlan) {
    this.#plan = plan;
    this.#extensionIds = new Map(plan.headerExtensions.map(({ id, uri }) => [uri, id]));
  }

  get plan(): MediaKindPlan {
    return this.#plan;
  }

  /** What is sent and received from now on; the source and the header extensions stay as they are. */
  change({ send, receive }: Pick<MediaKindPlan, 'send' | 'receive'>): void {
    const { send: _before, ...rest } = this.#plan;
    this.#plan = { ...rest, ...(send && { send }), receive };
  }

  get packetsReceived(): number {
    return this.#earlier.packets + (this.#reception?.packets ?? 0);
  }

  get bytesReceived(): number {
    return this.#earlier.bytes + (this.#reception?.bytes ?? 0);
  }

  get lost(): number {
    return this.#earlier.lost + (this.#reception?.lost ?? 0);
  }

  get jitterMs(): number {
    return this.#reception?.jitterMs ?? 0;
  }

  get remoteSsrc(): number | undefined {
    return this.#reception?.ssrc;
  }

  /** What arrives. */
  get codec(): Codec | undefined {
    return this.#codec;
  }

  extensionId(uri: string): number | undefined {
    return this.#extensionIds.get(uri);
  }

  /**
   * @param mediaTime in units of the codec's clock, from the beginning of the call
   * @returns undefined when nothing is sent of this kind
   */
  packetize(
    payload: Buffer,
    mediaTime: number,
    nowMs: number,
    { isMarked = false, levelDbov }: { isMarked?: boolean; levelDbov?: number } = {},
  ): Buffer | undefined {
    const { send, ssrc } = this.plan;
    if (!send) return undefined;
    const extensions = new Map<number, Buffer>();
    const levelId = this.#extensionIds.get(AUDIO_LEVEL_URI);
    if (levelId !== undefined && levelDbov !== undefined) {
      extensions.set(levelId, encodeAudioLevel(levelDbov, levelDbov > -50));
    }
    const midId = this.#extensionIds.get(MID_URI);
    if (midId !== undefined && this.plan.mid !== undefined) extensions.set(midId, Buffer.from(this.plan.mid));
    const timestamp = (mediaTime + this.#timestampOffset) >>> 0;
    const packet = encodeRtp({
      isMarked,
      payloadType: send.payloadType,
      sequence: this.#sequence,
      timestamp,
      ssrc,
      extensions,
      payload,
    });
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.packetsSent += 1;
    this.bytesSent += payload.length;
    this.#lastTimestamp = timestamp;
    this.#lastSentMs = nowMs;
    return packet;
  }

  /** @returns undefined for what is not of the plan, of a stranger, or came twice */
  receive(packet: RtpPacket, nowMs: number): ReceivedMedia | undefined {
    const codec = this.plan.receive.find(({ payloadType }) => payloadType === packet.payloadType);
    if (!codec) return undefined;
    const isNewSource = this.#reception?.ssrc !== packet.ssrc;
    if (isNewSource && !this.#follow(packet.ssrc, codec, nowMs)) return undefined;
    const arrival = this.#reception?.receive(packet.sequence, packet.timestamp, packet.payload.length, nowMs);
    if (!arrival || arrival.isDuplicate) return undefined;
    this.#lastReceivedMs = nowMs;
    this.#codec = codec;
    if (isNewSource) this.#sequenceOffset = this.#highest + 1 - arrival.sequence;
    const sequence = arrival.sequence + this.#sequenceOffset;
    this.#highest = Math.max(this.#highest, sequence);
    return { packet, codec, sequence, isNewSource };
  }

  receiveReport(report: Extract<RtcpPacket, { type: 'report' }>, nowMs: number, timeMs: number): void {
    if (report.sender && report.ssrc === this.#reception?.ssrc) {
      this.#reception.noteSenderReport(report.sender.lastReport, nowMs);
    }
    const block = report.blocks.find(({ ssrc }) => ssrc === this.plan.ssrc);
    if (!block) return;
    const clockRate = this.plan.send?.clockRate ?? 48_000;
    this.peer = { lost: Math.max(0, block.lost), jitterMs: (block.jitter / clockRate) * 1000 };
    this.roundTripMs = roundTripOf(block, timeMs) ?? this.roundTripMs;
  }

  /** The source says goodbye: another one may follow at once. */
  receiveGoodbye(ssrcs: readonly number[]): void {
    if (this.#reception && ssrcs.includes(this.#reception.ssrc)) this.#lastReceivedMs = -Infinity;
  }

  /** What we sent, where we sent something since the last report. */
  senderInfo(nowMs: number, timeMs: number): SenderInfo | undefined {
    const { send } = this.plan;
    if (!send || this.packetsSent === this.#reported) return undefined;
    this.#reported = this.packetsSent;
    const elapsed = Math.round(((nowMs - this.#lastSentMs) / 1000) * send.clockRate);
    return {
      timeMs,
      timestamp: (this.#lastTimestamp + elapsed) >>> 0,
      packets: this.packetsSent,
      bytes: this.bytesSent,
    };
  }

  reportBlock(nowMs: number): ReportBlock | undefined {
    return this.#reception?.report(nowMs);
  }

  #follow(ssrc: number, codec: Codec, nowMs: number): boolean {
    const before = this.#reception;
    if (before) {
      if (nowMs - this.#lastReceivedMs < SOURCE_QUIET_MS) return false;
      this.#earlier = {
        packets: this.#earlier.packets + before.packets,
        bytes: this.#earlier.bytes + before.bytes,
        lost: this.#earlier.lost + before.lost,
      };
    }
    this.#reception = new Reception(ssrc, codec.clockRate);
    return true;
  }
}
