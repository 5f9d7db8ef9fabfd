import { describe, expect, it } from 'vitest';
import { PictureFeed, PictureHistory } from '../../../src/lib/media/video/picture-feed.js';
import type { FilePicture } from '../../../src/lib/media/video/read-pictures.js';

const STEP_MS = 40;
/** The number of a picture is its first byte; every tenth is a key frame. */
function picture(number: number, sizeBytes = 100, keyEvery = 10): FilePicture {
  return { data: Buffer.alloc(sizeBytes, number), isKey: number % keyEvery === 0, timeMs: number * STEP_MS };
}

function play(count: number, sizeBytes?: number, keyEvery?: number) {
  const history = new PictureHistory();
  let number = 0;
  /** All see the next one. */
  const step = (...feeds: PictureFeed[]): FilePicture[][] => {
    const due = [picture(number, sizeBytes, keyEvery)];
    const nowMs = number * STEP_MS;
    number += 1;
    for (const one of due) history.push(one);
    return feeds.map((feed) => feed.next(due, history, nowMs));
  };
  for (let index = 0; index < count; index += 1) step();
  return { history, step, nowMs: () => number * STEP_MS };
}

const numbers = (pictures: readonly FilePicture[] = []): (number | undefined)[] =>
  pictures.map(({ data }) => data[0]);

describe('the pictures that one peer is sent', () => {
  it('begin with the last key frame, and what came after it', () => {
    const { step } = play(15);
    const feed = new PictureFeed();
    const [first] = step(feed);
    expect(numbers(first)).toEqual([10, 11, 12, 13, 14, 15]);
    expect(first?.map(({ timeMs }) => timeMs)).toEqual([400, 440, 480, 520, 560, 600]);
    expect(numbers(step(feed)[0])).toEqual([16]);
  });

  it('begin with a key frame that comes just now', () => {
    const { step } = play(20);
    expect(numbers(step(new PictureFeed())[0])).toEqual([20]);
  });

  it('are sent again for who has lost some, at times that only grow, and not for others', () => {
    const { step, nowMs } = play(10);
    const [lossy, other] = [new PictureFeed(), new PictureFeed()];
    const times: number[] = [];
    const next = (): (number | undefined)[] => {
      const [mine = [], theirs] = step(lossy, other);
      expect(theirs).toHaveLength(1);
      times.push(...mine.map(({ timeMs }) => timeMs));
      return numbers(mine);
    };
    for (let index = 0; index < 5; index += 1) next();
    // Too soon after the last time: a peer that asks without end is not sent everything without end.
    lossy.requestKeyFrame(nowMs() - 200);
    expect(next()).toEqual([15]);
    lossy.requestKeyFrame(nowMs() + 1000);
    expect(next()).toEqual([10, 11, 12, 13, 14, 15, 16]);
    for (let index = 0; index < 5; index += 1) next();
    expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(true);
  });

  it('are sent no faster than a path may take, until the peer has caught up', () => {
    const { step } = play(9, 20_000);
    const feed = new PictureFeed();
    const rounds = Array.from({ length: 5 }, () => numbers(step(feed)[0]));
    expect(rounds.flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(Math.max(...rounds.map(({ length }) => length))).toBe(4);
    expect(rounds.at(-1)).toEqual([13]);
  });

  it('wait for the next key frame where the last one is too long ago to be kept', () => {
    const { step, history } = play(1000, 10, 1005);
    expect(history.pictures).toEqual([]);
    const feed = new PictureFeed();
    for (let index = 0; index < 5; index += 1) expect(step(feed)[0]).toEqual([]);
    expect(step(feed)[0]).toHaveLength(1);
  });

  it('do not pile up for a path that takes less than the file wants', () => {
    const { step } = play(1, 100_000, 5000);
    const feed = new PictureFeed();
    let sent = 0;
    for (let index = 0; index < 2000; index += 1) sent += step(feed)[0]?.length ?? 0;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual(2000);
  });
});
