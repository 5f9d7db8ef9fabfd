import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JitterBuffer } from '../../../src/lib/media/rtp/jitter-buffer.js';
import { Reception, roundTripOf } from '../../../src/lib/media/rtp/reception.js';
import {
  decodeRtcp,
  encodeFullIntraRequest,
  encodeGoodbye,
  encodePictureLoss,
  encodeReport,
  encodeSourceDescription,
  isRtcp,
  middleOfNtpTime,
} from '../../../src/lib/media/rtp/rtcp.js';
import {
  decodeAudioLevel,
  decodeRtp,
  encodeAudioLevel,
  encodeRtp,
  headerBytesOf,
} from '../../../src/lib/media/rtp/rtp-packet.js';
import { RtpSession } from '../../../src/lib/media/rtp/rtp-session.js';
import { audioPlan, opus } from '../../support/media-call.js';

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));

describe('RTP packets', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(
        fc.record({
          isMarked: fc.boolean(),
          payloadType: fc.integer({ min: 0, max: 127 }),
          sequence: fc.integer({ min: 0, max: 0xffff }),
          timestamp: fc.integer({ min: 0, max: 0xffffffff }),
          ssrc: fc.integer({ min: 0, max: 0xffffffff }),
          extensions: fc
            .uniqueArray(fc.integer({ min: 1, max: 14 }), { maxLength: 4 })
            .map((ids) => new Map(ids.map((id) => [id, Buffer.alloc(id, id)]))),
          payload: bytes,
        }),
        (packet) => {
          expect(decodeRtp(encodeRtp(packet))).toEqual(packet);
        },
      ),
    );
  });

  it('are undefined when they are malformed, and never throw', () => {
    fc.assert(
      fc.property(bytes, (datagram) => {
        const packet = decodeRtp(datagram);
        expect(packet === undefined || packet.payload.length <= datagram.length - 12).toBe(true);
        expect(headerBytesOf(datagram) ?? 0).toBeLessThanOrEqual(datagram.length);
      }),
    );
    // An extension and a padding that reach beyond the end.
    const short = Buffer.from('9060000100000002000000030bede0ff', 'hex');
    expect(decodeRtp(short)).toBeUndefined();
    const padded = Buffer.concat([Buffer.from('a0600001000000020000000301', 'hex'), Buffer.from([200])]);
    expect(decodeRtp(padded)).toBeUndefined();
  });

  it('carry the level of RFC 6464', () => {
    expect(encodeAudioLevel(-20, true)).toEqual(Buffer.from([0x94]));
    expect(decodeAudioLevel(Buffer.from([0x94]))).toBe(-20);
    expect(decodeAudioLevel(encodeAudioLevel(-500, false))).toBe(-127);
  });
});

describe('RTCP', () => {
  it('tells and reads reports, goodbyes and requests for key frames', () => {
    const block = {
      ssrc: 7,
      fractionLost: 12,
      lost: -3,
      highestSequence: 70_000,
      jitter: 99,
      lastReport: 5,
      delay: 6,
    };
    const sender = { timeMs: 1_700_000_000_250, timestamp: 960, packets: 10, bytes: 1000 };
    const compound = Buffer.concat([
      encodeReport(1, sender, [block]),
      encodeSourceDescription(1, 'romeo@example.org'),
      encodeReport(2, undefined, [block]),
      encodeGoodbye(3),
      encodePictureLoss(1, 8),
      encodeFullIntraRequest(1, 9, 4),
    ]);
    expect(isRtcp(compound)).toBe(true);
    expect(decodeRtcp(compound)).toEqual([
      {
        type: 'report',
        ssrc: 1,
        sender: { ...sender, lastReport: middleOfNtpTime(sender.timeMs) },
        blocks: [block],
      },
      { type: 'report', ssrc: 2, blocks: [block] },
      { type: 'bye', ssrcs: [3] },
      { type: 'key-frame-request', ssrc: 8 },
      { type: 'key-frame-request', ssrc: 9 },
    ]);
  });

  it('never throws, whatever comes', () => {
    fc.assert(fc.property(bytes, (compound) => void decodeRtcp(compound)));
    // Counts that say more than there is.
    expect(decodeRtcp(Buffer.from('9fc9000100000001', 'hex'))).toEqual([
      { type: 'report', ssrc: 1, blocks: [] },
    ]);
    expect(decodeRtcp(Buffer.from('9fcb000100000001', 'hex'))).toEqual([{ type: 'bye', ssrcs: [1] }]);
  });
});

describe('what is received of a source', () => {
  it('counts loss over a rollover, and no duplicates', () => {
    const reception = new Reception(1, 48_000);
    const arrived = [65_534, 65_535, 0, 0, 3, 2].map((sequence, index) =>
      reception.receive(sequence, index * 960, 100, index * 20),
    );
    expect(arrived.map((arrival) => arrival?.isDuplicate)).toEqual([false, false, false, true, false, false]);
    expect(reception.packets).toBe(5);
    expect(reception.lost).toBe(1);
    expect(reception.report(1000)).toMatchObject({
      ssrc: 1,
      lost: 1,
      fractionLost: 42,
      highestSequence: 65_539,
    });
    expect(reception.report(2000)).toMatchObject({ lost: 1, fractionLost: 0 });
  });

  it('measures no jitter in a regular stream, and some in another', () => {
    const regular = new Reception(1, 48_000);
    const other = new Reception(2, 48_000);
    for (let index = 0; index < 200; index += 1) {
      regular.receive(index, index * 960, 1, index * 20);
      other.receive(index, index * 960, 1, index * 20 + (index % 2) * 10);
    }
    expect(regular.jitterMs).toBeLessThan(0.1);
    expect(other.jitterMs).toBeGreaterThan(8);
    expect(other.jitterMs).toBeLessThan(12);
  });

  it('believes a jump only when it is confirmed', () => {
    const reception = new Reception(1, 48_000);
    reception.receive(10, 0, 1, 0);
    expect(reception.receive(30_000, 0, 1, 20)).toBeUndefined();
    expect(reception.receive(11, 960, 1, 40)).toMatchObject({ isDuplicate: false });
    expect(reception.receive(40_000, 0, 1, 60)).toBeUndefined();
    expect(reception.receive(40_001, 960, 1, 80)).toMatchObject({ isDuplicate: false });
  });

  it('gives the round trip', () => {
    const block = { ssrc: 1, fractionLost: 0, lost: 0, highestSequence: 0, jitter: 0 };
    const lastReport = middleOfNtpTime(1_000_000);
    expect(roundTripOf({ ...block, lastReport, delay: 65_536 }, 1_001_050)).toBeCloseTo(50, 0);
    expect(roundTripOf({ ...block, lastReport: 0, delay: 0 }, 1_001_050)).toBeUndefined();
  });
});

describe('a session', () => {
  const packet = (ssrc: number, sequence: number, payloadType = 111) => ({
    isMarked: false,
    payloadType,
    sequence,
    timestamp: sequence * 960,
    ssrc,
    extensions: new Map<number, Buffer>(),
    payload: Buffer.from([1]),
  });

  it('refuses payload types that were not agreed on, and a second source as long as the first one speaks', () => {
    const session = new RtpSession(audioPlan());
    expect(session.receive(packet(1, 5), 0)).toMatchObject({ codec: opus, isNewSource: true });
    expect(session.receive(packet(1, 6, 96), 20)).toBeUndefined();
    expect(session.receive(packet(2, 900), 40)).toBeUndefined();
    expect(session.receive(packet(2, 901), 3000)).toMatchObject({ isNewSource: true });
    expect(session.packetsReceived).toBe(2);
    session.receiveGoodbye([2]);
    expect(session.receive(packet(3, 1), 3020)).toMatchObject({ isNewSource: true });
  });

  it('numbers what it hands on without a gap over a change of the source', () => {
    const session = new RtpSession(audioPlan());
    const first = session.receive(packet(1, 60_000), 0);
    const second = session.receive(packet(2, 3), 5000);
    expect((second?.sequence ?? 0) - (first?.sequence ?? 0)).toBe(1);
  });
});

describe('the jitter buffer', () => {
  const at = (sequence: number, arrivedMs = 0) => ({
    sequence,
    timestamp: 0,
    isMarked: false,
    isNewSource: false,
    payload: Buffer.alloc(0),
    arrivedMs,
  });
  const taken = (buffer: JitterBuffer, nowMs: number, isLast = false): number[] =>
    buffer.take(nowMs, isLast).map(({ sequence }) => sequence);

  it('puts packets in order, waits for what is missing, and gives it up', () => {
    const buffer = new JitterBuffer({ waitMs: 60, limit: 64 });
    for (const sequence of [10, 12, 11, 14]) buffer.push(at(sequence));
    expect(taken(buffer, 1)).toEqual([10, 11, 12]);
    expect(taken(buffer, 59)).toEqual([]);
    expect(taken(buffer, 60)).toEqual([14]);
    buffer.push(at(13));
    expect(taken(buffer, 61)).toEqual([]);
    expect(buffer.late).toBe(1);
    buffer.push(at(20, 70));
    expect(taken(buffer, 71, true)).toEqual([20]);
  });

  it('never holds more than its limit and always gives them in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 300 }), (sequences) => {
        const buffer = new JitterBuffer({ waitMs: 1e9, limit: 16 });
        const all: number[] = [];
        for (const sequence of sequences) {
          buffer.push(at(sequence));
          all.push(...taken(buffer, 0));
          expect(buffer.size).toBeLessThanOrEqual(16);
        }
        all.push(...taken(buffer, 0, true));
        expect(all).toEqual([...new Set(all)].sort((one, other) => one - other));
      }),
    );
  });
});
