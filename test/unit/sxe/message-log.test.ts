import { describe, expect, it } from 'vitest';
import type { Message } from '../../../src/lib/sxe/inbox.js';
import { hasMore, MessageLog } from '../../../src/lib/sxe/message-log.js';

const message = (sender: string, id: string): Message => {
  return { sender, id, edits: [{ kind: 'remove', target: `${sender}${id}` }] };
};
const numbered = (number: number): Message => message('a', `site0000a.${number}`);
const idsOf = (messages: readonly Message[] | undefined) => messages?.map(({ id }) => id);

describe('the log of a session', () => {
  it('gives what somebody has missed, and says when it is not kept', () => {
    const log = new MessageLog(600);
    const mine = [{ sender: 'a', id: 'site0000a.20' }];
    for (let number = 1; number <= 20; number++) log.add(numbered(number));
    log.add(numbered(20));
    expect(idsOf(log.missedBy([{ sender: 'a', id: 'site0000a.18' }], mine))).toEqual([
      'site0000a.19',
      'site0000a.20',
    ]);
    expect(log.missedBy(mine, mine)).toEqual([]);
    expect(log.missedBy([], mine)).toBeUndefined();
    expect(log.missedBy([], [{ sender: 'a', id: 'site0000a.900000000000000' }])).toBeUndefined();
    expect(idsOf(log.recent(400))).toEqual(['site0000a.19', 'site0000a.20']);
    expect(log.recent(10)).toEqual([]);
  });

  it('knows ids without numbers', () => {
    const log = new MessageLog();
    const mine = [
      { sender: 'psi', id: 'x' },
      { sender: 'psi', id: 'y' },
    ];
    for (const { sender, id } of mine) log.add(message(sender, id));
    expect(idsOf(log.missedBy([{ sender: 'psi', id: 'x' }], mine))).toEqual(['y']);
    expect(hasMore(mine, [{ sender: 'psi', id: 'x' }])).toBe(true);
    expect(hasMore([{ sender: 'psi', id: 'x' }], mine)).toBe(false);
    expect(hasMore([{ sender: 'a', id: 'site0000a.2' }], [{ sender: 'a', id: 'site0000a.1' }])).toBe(true);
    expect(hasMore([{ sender: 'a', id: 'site0000a.1' }], [{ sender: 'a', id: 'site0000a.2' }])).toBe(false);
  });
});
