import { describe, expect, it } from 'vitest';
import { JID } from '../../../src/lib/jid/jid.js';
import { removalFrom } from '../../../src/lib/muc/room.js';
import { parseXml } from '../../../src/lib/xml/parse.js';

const occupant = JID.parse('room@muc.test/me');

const removal = (codes: number[], reason = '', from = 'room@muc.test/me', type = 'unavailable') =>
  removalFrom(
    parseXml(
      `<presence xmlns='jabber:client' from='${from}' type='${type}'><x xmlns='http://jabber.org/protocol/muc#user'>
        <item affiliation='none' role='none'>${reason && `<reason>${reason}</reason>`}</item>
        ${codes.map((code) => `<status code='${code}'/>`).join('')}</x></presence>`,
    ),
    { occupant },
  );

describe('removalFrom', () => {
  it.each([
    [[110, 307], '', { reason: 'kicked', isTemporary: false }],
    [[110, 301], 'spam', { reason: 'banned: spam', isTemporary: false }],
    [[110, 332], '', { reason: 'the service is shutting down', isTemporary: true }],
    [[110, 307, 333], '', { reason: 'lost for a technical reason', isTemporary: true }],
    [[110], '', { reason: 'put out', isTemporary: false }],
  ])('status %j, reason "%s"', (codes, reason, expected) => {
    expect(removal(codes, reason)).toEqual(expected);
  });

  it('does not take a change of nickname, or somebody else, for it', () => {
    expect(removal([110, 303])).toBeUndefined();
    expect(removal([307], '', 'room@muc.test/other')).toBeUndefined();
  });

  it('does not fail on what cannot be read', () => {
    const broken = parseXml(
      `<presence xmlns='jabber:client' from='room@muc.test/me' type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><status code='many'/></x></presence>`,
    );
    expect(removalFrom(broken, { occupant })).toEqual({ reason: 'put out', isTemporary: false });
  });
});
