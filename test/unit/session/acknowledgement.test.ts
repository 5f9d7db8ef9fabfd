import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectionLostError, ProtocolError } from '../../../src/lib/errors.js';
import { Acknowledgement, WINDOW_STANZAS } from '../../../src/lib/session/acknowledgement.js';
import { xml } from '../../../src/lib/xml/element.js';

const message = (id: number) => xml('message', { id });

describe('what is sent and not yet acknowledged', () => {
  let asked: number;
  let ledger: Acknowledgement;

  beforeEach(() => {
    vi.useFakeTimers();
    asked = 0;
    ledger = new Acknowledgement(
      () => (asked += 1),
      () => 1000,
    );
  });
  afterEach(() => vi.useRealTimers());

  const send = (count: number) => {
    for (let id = 0; id < count; id += 1) ledger.record(message(id));
  };

  test('leaves in the order it came', () => {
    send(3);
    ledger.acknowledge(2);
    expect(ledger.stanzas().map(({ attrs }) => attrs['id'] as string)).toEqual(['2']);
  });

  test('is asked for when the sender has been quiet', () => {
    send(3);
    expect(asked).toBe(0);
    vi.advanceTimersByTime(1000);
    expect(asked).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(asked).toBe(1);
  });

  test('is asked for by count, well before the window is full', () => {
    send(WINDOW_STANZAS - 1);
    expect(asked).toBeGreaterThanOrEqual(3);
    expect(ledger.hasRoom).toBe(true);
    send(1);
    expect(ledger.hasRoom).toBe(false);
    ledger.acknowledge(1);
    expect(ledger.hasRoom).toBe(true);
  });

  test('leaves no timer behind when everything is acknowledged', () => {
    send(1);
    ledger.acknowledge(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('can never be less than nothing', () => {
    send(2);
    expect(() => ledger.acknowledge(3)).toThrow(ProtocolError);
    expect(ledger.stanzas()).toHaveLength(2);
  });

  test('a flush asks at once and ends with the last stanza sent before it', async () => {
    send(2);
    const flushed = vi.fn<() => void>();
    const flush = ledger.flush().then(flushed);
    expect(asked).toBe(1);
    send(1);
    ledger.acknowledge(1);
    await Promise.resolve();
    expect(flushed).not.toHaveBeenCalled();
    ledger.acknowledge(1);
    await flush;
    expect(ledger.isEmpty).toBe(false);
  });

  test('a flush with nothing to wait for does not ask', async () => {
    await ledger.flush();
    expect(asked).toBe(0);
  });

  test('a flush that is answered for an earlier question asks again for the rest', async () => {
    send(1);
    const first = ledger.flush();
    send(1);
    const second = ledger.flush();
    expect(asked).toBe(2);
    ledger.acknowledge(2);
    await Promise.all([first, second]);
  });

  test('after a lost stream the same questions are asked anew', () => {
    send(2);
    ledger.ask();
    ledger.suspend();
    ledger.ask();
    expect(asked).toBe(2);
  });

  test('what is taken out and sent again keeps the flushes waiting', async () => {
    send(2);
    const flush = ledger.flush();
    const taken = ledger.takeAll();
    expect(taken.map(({ sentAt }) => sentAt)).toEqual([1000, 1000]);
    for (const { stanza, sentAt } of taken) ledger.record(stanza, sentAt);
    ledger.moveFlushes();
    expect(asked).toBe(2);
    ledger.acknowledge(2);
    await flush;
  });

  test('the end fails what is waited for and keeps what is known to be missing', async () => {
    send(1);
    const flush = ledger.flush();
    ledger.fail(new ConnectionLostError('gone'));
    await expect(flush).rejects.toThrow('gone');
    expect(ledger.stanzas()).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
