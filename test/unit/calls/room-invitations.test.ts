import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RoomInvitations, type RoomInvitation } from '../../../src/lib/calls/room-invitations.js';
import type { JID } from '../../../src/lib/jid/jid.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { World } from '../../support/chat-world.js';

const ROMEO = 'romeo@a.example/x';
const JULIET = 'juliet@b.example/y';
const muji = '<muji xmlns="urn:xmpp:jingle:muji:0" room="call@chat.example"/>';
const invite = (id = 'i1', room = muji): string =>
  `<invite xmlns="urn:xmpp:call-invites:0" id="${id}" video="false" multi="true">${room}</invite>`;
/** As Dino 0.4.2 sends it. */
const propose = `<propose id="d1" video="true" multi="true" xmlns="urn:xmpp:call-message:1">${muji}</propose><store xmlns="urn:xmpp:hints"/>`;
const direct = (more = ''): string => `<x xmlns="jabber:x:conference" jid="call@chat.example"${more}/>`;

describe('invitations to calls in rooms', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => vi.useRealTimers());

  function listening({
    isWanted = () => true,
    takesPlain = true,
  }: { isWanted?: (from: JID, room: JID) => boolean; takesPlain?: boolean } = {}) {
    const world = new World();
    const stream = world.stream(JULIET);
    const romeo = world.stream(ROMEO);
    const heard: RoomInvitation[] = [];
    const invitations = new RoomInvitations({
      session: stream.session,
      isWanted,
      takesPlain,
      emit: (invitation) => heard.push(invitation),
    });
    const receive = (inner: string, attributes = `from="${ROMEO}" type="chat"`): void =>
      invitations.receive(parseXml(`<message to="${JULIET}" ${attributes}>${inner}</message>`));
    return { invitations, heard, receive, romeo };
  }

  it.each([
    ['of the specification', invite(), 'i1', false],
    ['of Dino', propose, 'd1', true],
  ])('%s are taken, and answered in both ways', async (_whose, inner, id, isVideo) => {
    const { heard, receive, romeo } = listening();
    receive(inner);
    expect(heard).toMatchObject([{ id, isVideo, password: undefined }]);
    expect(heard[0]?.room.toString()).toBe('call@chat.example');
    await heard[0]?.accept();
    const answer = await romeo.next((stanza) => stanza.getName() === 'message', 'an answer');
    expect(answer.getChild('accept', 'urn:xmpp:call-invites:0')?.attrs['id']).toBe(id);
    expect(answer.getChild('accept', 'urn:xmpp:call-message:1')?.attrs['id']).toBe(id);
    await heard[0]?.left();
    const left = await romeo.next((stanza) => stanza.getName() === 'message', 'a farewell');
    expect(left.getChild('finish', 'urn:xmpp:call-message:1')?.attrs['id']).toBe(id);
  });

  it('take the password out of the invitation to the room, and are one with it, in either order', () => {
    const first = listening();
    first.receive(direct(' password="open"'));
    first.receive(invite());
    vi.advanceTimersByTime(5000);
    expect(first.heard).toMatchObject([{ id: 'i1', password: 'open' }]);
    const second = listening();
    second.receive(invite());
    second.receive(direct());
    vi.advanceTimersByTime(5000);
    expect(second.heard).toHaveLength(1);
  });

  it('to a room alone count where that is wanted, once, and have no answer', async () => {
    const { heard, receive, romeo } = listening();
    receive(direct(' password="open"'), `from="${ROMEO}"`);
    receive(direct(), `from="${ROMEO}"`);
    expect(heard).toEqual([]);
    vi.advanceTimersByTime(5000);
    expect(heard).toMatchObject([{ id: '', password: 'open' }]);
    await heard[0]?.accept();
    expect(romeo.received).toEqual([]);
    const other = listening({ takesPlain: false });
    other.receive(direct());
    vi.advanceTimersByTime(5000);
    expect(other.heard).toEqual([]);
  });

  it('in a room are answered to the room', async () => {
    const { heard, receive } = listening();
    receive(propose, 'from="team@chat.example/romeo" type="groupchat"');
    expect(heard[0]?.from.toString()).toBe('team@chat.example/romeo');
    receive(
      '<retract id="d1" xmlns="urn:xmpp:call-message:1"/>',
      'from="team@chat.example/romeo" type="groupchat"',
    );
    expect(heard[0]?.signal.aborted).toBe(true);
    await Promise.resolve();
  });

  it('of others, to other rooms, late ones, errors and our own are passed over in silence', () => {
    const { heard, receive } = listening({
      isWanted: (from, room) => from.domain === 'a.example' && room.local === 'call',
    });
    receive(invite(), 'from="mallory@evil.example/x" type="chat"');
    receive(direct(' password="open"'), 'from="mallory@evil.example/x"');
    receive(invite('i2', muji.replace('call@', 'trap@')));
    receive(`${invite()}<delay xmlns="urn:xmpp:delay" stamp="2026-01-01T00:00:00Z"/>`);
    receive(invite(), `from="${ROMEO}" type="error"`);
    receive(invite(), `from="${JULIET}" type="chat"`);
    receive(invite('i3', '<muji xmlns="urn:xmpp:jingle:muji:0"/>'));
    vi.advanceTimersByTime(5000);
    expect(heard).toEqual([]);
    receive(invite());
    // The password of mallory is not given to the room.
    expect(heard).toMatchObject([{ password: undefined }]);
  });

  it('do not grow without bounds', () => {
    const { heard, receive, invitations } = listening();
    for (let index = 0; index < 1000; index += 1)
      receive(direct().replace('call@', `call${index}@`), `from="${ROMEO}"`);
    vi.advanceTimersByTime(5000);
    expect(heard.length).toBeLessThanOrEqual(100);
    receive(direct().replace('call@', 'last@'));
    invitations[Symbol.dispose]();
    const before = heard.length;
    vi.advanceTimersByTime(5000);
    expect(heard).toHaveLength(before);
  });
});
