/** Whose files are taken, where they go, and how large they may be. */
import { describe, expect, it } from 'vitest';
import { Admission, type AdmissionOptions } from '../../../src/lib/file-transfer/receiving/admission.js';
import type { FileOffer } from '../../../src/lib/file-transfer/receiving/incoming-file.js';
import { limitedSink } from '../../../src/lib/file-transfer/storing/limited-sink.js';
import { folderFor } from '../../../src/lib/file-transfer/storing/received-place.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { MemorySink } from '../../support/memory-files.js';

const listed = JID.parse('listed@example.org');
const desk = JID.parse('full@example.org/desk');
const contact = JID.parse('contact@example.org');

function admission(options: Partial<AdmissionOptions> = {}): Admission {
  return new Admission({
    from: [listed, desk],
    areContactsTaken: false,
    mayStrangersAsk: false,
    roster: new Map([['contact@example.org', { jid: contact, isSeen: true, seesUs: true }]]),
    maxSizeBytes: undefined,
    ask: undefined,
    ...options,
  });
}

const offer = (peer: string, sizeBytes?: number): FileOffer =>
  ({ id: '1', peer: JID.parse(peer), file: { sizeBytes }, isResumable: true }) as FileOffer;

describe('admission', () => {
  it.each<[string, Partial<AdmissionOptions>, boolean]>([
    ['listed@example.org/any', {}, true],
    ['full@example.org/desk', {}, true],
    ['full@example.org/other', {}, false],
    ['contact@example.org/x', {}, false],
    ['contact@example.org/x', { areContactsTaken: true }, true],
    ['contact@example.org/x', { ask: () => Promise.resolve(true) }, true],
    ['stranger@example.org/x', { areContactsTaken: true }, false],
    ['stranger@example.org/x', { ask: () => Promise.resolve(true) }, false],
    ['stranger@example.org/x', { ask: () => Promise.resolve(true), mayStrangersAsk: true }, true],
    ['stranger@example.org/x', { mayStrangersAsk: true }, false],
  ])('%s with %j: %s', async (peer, options, isAdmitted) => {
    const tested = admission(options);
    expect(tested.admits(JID.parse(peer))).toBe(isAdmitted);
    expect(await tested.refusalOf(offer(peer))).toEqual(
      isAdmitted ? undefined : expect.objectContaining({ condition: 'decline' }),
    );
  });

  it('asks one question at a time, and only about those who are not taken anyway', async () => {
    const open: ((answer: boolean) => void)[] = [];
    const tested = admission({ ask: () => new Promise((resolve) => open.push(resolve)) });
    expect(await tested.refusalOf(offer('listed@example.org/x'))).toBeUndefined();
    const first = tested.refusalOf(offer('contact@example.org/1'));
    const second = tested.refusalOf(offer('contact@example.org/2'));
    await Promise.resolve();
    expect(open).toHaveLength(1);
    open[0]?.(false);
    expect(await first).toMatchObject({ condition: 'decline' });
    await expect.poll(() => open.length).toBe(2);
    open[1]?.(true);
    expect(await second).toBeUndefined();
  });

  it('refuses what is too large without a question', async () => {
    const tested = admission({ maxSizeBytes: 10, ask: () => Promise.reject(new Error('asked')) });
    expect(await tested.refusalOf(offer('contact@example.org/1', 11))).toMatchObject({
      condition: 'file-too-large',
    });
    expect(await tested.refusalOf(offer('listed@example.org/1', 10))).toBeUndefined();
  });
});

describe('a file of unknown size', () => {
  it('is stopped where it becomes too large', async () => {
    const sink = limitedSink(new MemorySink(), 5);
    await sink.write(Buffer.from('abc'));
    await expect(sink.write(Buffer.from('def'))).rejects.toThrow('larger than the 5 B that are allowed');
    expect(sink.offset).toBe(3);
  });
});

it.each([
  [undefined, 'in'],
  ['photos/2026', 'in/photos/2026'],
  ['/etc', 'in/etc'],
  ['..', 'in/file'],
  ['a/../../b', 'in/a/file/file/b'],
  ['a\\..\\b', 'in/a/file/b'],
  ['.ssh', 'in/_ssh'],
  ['a//./b', 'in/a/b'],
])('the folder %j', (folder, place) => {
  expect(folderFor('in', folder)).toBe(place);
});
