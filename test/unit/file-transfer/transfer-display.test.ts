/** What is printed of transfers, and how a command ends with them. */
import { describe, expect, it } from 'vitest';
import { NegativeError, RemoteError, TimeoutError } from '../../../src/lib/errors.js';
import { TransferDisplay } from '../../../src/lib/file-transfer/display/transfer-display.js';
import type {
  Certainty,
  FileFacts,
  TransferEvent,
  TransferResult,
} from '../../../src/lib/file-transfer/transfer.js';
import { createMemoryOutput } from '../../support/memory-output.js';

const file: FileFacts = {
  name: 'a\u001b.txt',
  sizeBytes: 2048,
  mediaType: 'text/plain',
  date: new Date('2026-01-02T03:04:05Z'),
  description: undefined,
  hashes: [],
  promisedHashes: ['sha-256'],
  folder: 'dir',
};
const result: TransferResult = {
  name: 'a\u001b.txt',
  sizeBytes: 2048,
  method: 'direct',
  path: '192.0.2.1:7777',
  certainty: 'verified',
  hashes: [{ algorithm: 'sha-256', value: Buffer.from('00ff', 'hex') }],
  resumedFromBytes: 1024,
  elapsedMs: 500.4,
};
const peer = 'bob@example.org/desk';

function* transfer(changes: Partial<TransferResult> = {}, id = '1'): Generator<TransferEvent> {
  yield { id, kind: 'offered', file, peer };
  yield { id, kind: 'accepted', peer, offsetBytes: 1024 };
  yield { id, kind: 'transport', method: 'proxy', path: 'p:1' };
  yield { id, kind: 'transport', method: 'direct', path: '192.0.2.1:7777', reason: 'the proxy broke' };
  yield { id, kind: 'progress', confirmedBytes: 1500, totalBytes: 2048 };
  yield { id, kind: 'done', result: { ...result, ...changes } };
}

async function show(
  events: Iterable<TransferEvent>,
  options: Parameters<typeof createMemoryOutput>[0] = {},
  more: Partial<ConstructorParameters<typeof TransferDisplay>[0]> = {},
) {
  const memory = createMemoryOutput(options);
  const display = new TransferDisplay({ output: memory.output, direction: 'to', ...more });
  for (const event of events) await display.show(event);
  await memory.output.flush();
  return { ...memory, display };
}

const certain = (certainty: Certainty): Partial<TransferResult> => ({ certainty });
const failed = (error: Error, id = '9'): TransferEvent[] => [
  { id, kind: 'offered', file, peer },
  { id, kind: 'failed', file, error },
];

describe('the lines', () => {
  it('have columns for scripts', async () => {
    const { stdout, stderr } = await show(transfer());
    expect(stdout()).toBe(
      'dir/a␛.txt\tbob@example.org/desk\t2048\tdirect\tverified\tsha-256:00ff\t192.0.2.1:7777\n',
    );
    expect(stderr()).toBe('dir/a␛.txt: direct 192.0.2.1:7777, because the proxy broke\n');
  });

  it('begin with where a received file is', async () => {
    const { stdout } = await show(transfer({ storedAs: 'in/a.txt' }), {}, { direction: 'from' });
    expect(stdout()).toMatch(/^in\/a\.txt\tbob@example\.org\/desk\t/);
  });

  it('are sentences for people', async () => {
    const { stdout } = await show(transfer(), { isTerminal: true });
    expect(stdout()).toBe(
      'dir/a␛.txt → bob@example.org: 2.0 KiB, 0.5 s (2.0 KiB/s), went on after 1.0 KiB, direct 192.0.2.1:7777, verified sha-256 00ff…\n',
    );
  });

  it('keep out of the way of a file on stdout', async () => {
    const { stdout, stderr } = await show(transfer(), {}, { direction: 'from', isStdoutTaken: true });
    expect(stdout()).toBe('');
    expect(stderr()).toContain('dir/a␛.txt ← bob@example.org: 2.0 KiB');
  });

  it('are none with --quiet, but doubts are told', async () => {
    expect((await show(transfer(), { isQuiet: true })).stdout()).toBe('');
    const { stderr } = await show(transfer(certain('unconfirmed')), { isQuiet: true });
    expect(stderr()).toBe(
      'warning: dir/a␛.txt: everything was sent, but bob@example.org/desk never confirmed that it arrived\n',
    );
  });
});

it('every event is JSON', async () => {
  const { jsonLines, stderr } = await show(
    [...transfer(), { id: '1', kind: 'warning', message: 'm' }, ...failed(new NegativeError('declined'))],
    { isJson: true },
  );
  const to = { to: peer };
  expect(jsonLines()).toEqual([
    {
      event: 'offered',
      id: '1',
      ...to,
      file: {
        name: 'a\u001b.txt',
        folder: 'dir',
        size: 2048,
        type: 'text/plain',
        date: '2026-01-02T03:04:05.000Z',
      },
    },
    { event: 'accepted', id: '1', ...to, offset: 1024 },
    { event: 'transport', id: '1', ...to, method: 'proxy', path: 'p:1' },
    {
      event: 'transport',
      id: '1',
      ...to,
      method: 'direct',
      path: '192.0.2.1:7777',
      reason: 'the proxy broke',
    },
    { event: 'progress', id: '1', ...to, bytes: 1500, total: 2048 },
    {
      event: 'done',
      id: '1',
      ...to,
      name: 'a\u001b.txt',
      size: 2048,
      certainty: 'verified',
      method: 'direct',
      path: '192.0.2.1:7777',
      hashes: { 'sha-256': '00ff' },
      resumedFrom: 1024,
      elapsedMs: 500,
    },
    { event: 'warning', id: '1', message: 'm' },
    expect.objectContaining({ event: 'offered', id: '9' }),
    expect.objectContaining({
      event: 'failed',
      id: '9',
      ...to,
      error: { name: 'NegativeError', message: 'declined', exitCode: 1 },
    }),
  ]);
  expect(stderr()).toContain('warning: m');
});

describe('how it ends', () => {
  const verdict = async (events: Iterable<TransferEvent>, isStrict = false): Promise<string> => {
    const { display } = await show(events);
    const problem = display.verdict(isStrict);
    return problem ? `${'exitCode' in problem ? problem.exitCode : '?'} ${problem.message}` : 'well';
  };

  it.each<[string, Iterable<TransferEvent>, boolean, string]>([
    ['verified', transfer(), true, 'well'],
    ['unverified', transfer(certain('unverified')), false, 'well'],
    ['unverified, strictly', transfer(certain('unverified')), true, '1 1 of 1 could not be verified'],
    [
      'unconfirmed',
      transfer(certain('unconfirmed')),
      false,
      '6 everything was sent, and 1 of 1 never confirmed',
    ],
    ['uploaded', transfer({ certainty: 'unconfirmed', method: 'upload' }), true, 'well'],
    ['declined', failed(new NegativeError('bob declined')), false, '1 bob declined'],
    ['the other side failed', failed(new RemoteError('no')), false, '5 no'],
    [
      'one of two failed',
      [...transfer(), ...failed(new RemoteError('no'))],
      false,
      '1 1 of 2 transfers failed, the others were sent',
    ],
    [
      'all failed in the same way',
      [...failed(new TimeoutError('first')), ...failed(new TimeoutError('second'), '8')],
      false,
      '6 first',
    ],
  ])('%s', async (_name, events, isStrict, expected) => {
    expect(await verdict(events, isStrict)).toBe(expected);
  });

  it('a failure that is the only one is told once, at the end', async () => {
    const { stderr } = await show(failed(new RemoteError('no')), {}, { isOnlyOne: true });
    expect(stderr()).toBe('');
    expect((await show(failed(new RemoteError('no')))).stderr()).toBe('warning: dir/a␛.txt: no\n');
  });

  it('failures that do not count are told, and forgotten', async () => {
    const { stderr, display } = await show(
      failed(new RemoteError('broke off')),
      {},
      { counts: () => false, isOnlyOne: true },
    );
    expect(stderr()).toBe('warning: dir/a␛.txt: broke off\n');
    expect(display.verdict(true)).toBeUndefined();
  });

  it('an offer that is turned down is no failure', async () => {
    const { display, stderr } = await show([{ id: '1', kind: 'offered', file, peer }]);
    await display.refused('1', 'not wanted');
    expect(stderr()).toBe('refused dir/a␛.txt of bob@example.org/desk: not wanted\n');
    expect(display.verdict(true)).toBeUndefined();
  });
});
