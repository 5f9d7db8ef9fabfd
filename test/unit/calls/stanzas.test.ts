import { describe, expect, it } from 'vitest';
import { usableFingerprints, decidedSetup, securityProblem } from '../../../src/lib/calls/security.js';
import { bundledNames, bundleOf } from '../../../src/lib/calls/stanzas/grouping.js';
import { candidatesOf, encodeTransport, IceTransport } from '../../../src/lib/calls/stanzas/ice.js';
import { encodeCallMessage, readCallMessage } from '../../../src/lib/calls/stanzas/invitations.js';
import { encodeMujiPresence, mujiRoomOf, readMujiPresence } from '../../../src/lib/calls/stanzas/muji.js';
import {
  codecOf,
  decodeCallInfo,
  Description,
  encodeCallInfo,
  offersSdes,
} from '../../../src/lib/calls/stanzas/rtp.js';
import { DecodeError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { encodeDirectInvitation, readDirectInvitation } from '../../../src/lib/muc/direct-invitation.js';
import { parseXml } from '../../../src/lib/xml/parse.js';

const RTP = 'urn:xmpp:jingle:apps:rtp:1';
const ICE = 'urn:xmpp:jingle:transports:ice-udp:1';
const INVITES = 'urn:xmpp:call-invites:0';
const DINO = 'urn:xmpp:call-message:1';
const MUJI = 'urn:xmpp:jingle:muji:0';
const room = JID.parse('a1b2c3d4@chat.example');

/** As Dino 0.4.2 offers sound: SDES beside DTLS, candidates for two components, one with a zone. */
const dinoDescription = `<description xmlns="${RTP}" media="audio"><payload-type id="111" channels="2" clockrate="48000" name="opus"><parameter name="useinbandfec" value="1"/></payload-type><payload-type id="9" clockrate="8000" name="G722"/><encryption><crypto crypto-suite="AES_CM_128_HMAC_SHA1_80" key-params="inline:AAAA" tag="1"/></encryption><rtcp-mux/></description>`;
const digest = Array(32).fill('0a').join(':');
const dinoTransport = `<transport xmlns="${ICE}" ufrag="abcd" pwd="0123456789012345678901"><fingerprint xmlns="urn:xmpp:jingle:apps:dtls:0" hash="sha-256" setup="actpass">${digest}</fingerprint><candidate component="1" foundation="1" generation="0" id="a" ip="192.0.2.1" network="0" port="5000" priority="100" protocol="udp" type="host"/><candidate component="2" foundation="1" generation="0" id="b" ip="192.0.2.1" network="0" port="5001" priority="99" protocol="udp" type="host"/><candidate component="1" foundation="2" generation="0" id="c" ip="fe80::1%v0" network="0" port="5002" priority="98" protocol="udp" type="host"/><candidate component="1" foundation="3" generation="0" id="d" ip="192.0.2.2" network="0" port="0" priority="98" protocol="udp" type="host"/><candidate component="1" foundation="4" generation="0" id="e" ip="192.0.2.2" network="0" port="9" priority="98" protocol="tcp" type="host"/></transport>`;

describe('RTP descriptions (XEP-0167)', () => {
  it('are read as Dino sends them, with SDES seen', () => {
    const description = Description.decode(parseXml(dinoDescription));
    expect(description.payloadTypes.map(codecOf)[0]).toEqual({
      name: 'opus',
      payloadType: 111,
      clockRate: 48_000,
      channels: 2,
      parameters: { useinbandfec: '1' },
      feedback: [],
    });
    expect(offersSdes(description)).toBe(true);
    expect(description.usesRtcpMux).toBe(true);
  });

  it('are written so that they read the same, with feedback, extensions and sources', () => {
    const description: Description = {
      media: 'video',
      payloadTypes: [
        {
          id: 98,
          name: 'VP8',
          clockRate: 90_000,
          channels: 1,
          parameters: [{ name: 'x', value: '1' }],
          feedback: [{ type: 'nack', subtype: 'pli' }, { type: 'goog-remb' }],
        },
      ],
      feedback: [],
      headerExtensions: [{ id: 4, uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', senders: 'both' }],
      sources: [{ ssrc: 4_294_967_295, parameters: [{ name: 'cname', value: 'me' }] }],
      encryption: [],
      usesRtcpMux: true,
    };
    expect(Description.decode(parseXml(Description.encode(description).toString()))).toEqual(description);
  });

  it('keep their good entries when others are bad, and no more than is good for anybody', () => {
    const bad = '<payload-type id="300" name="x"/><payload-type name="y"/><payload-type id="-1"/>';
    const many = Array.from({ length: 5000 }, () => '<payload-type id="96" name="z" clockrate="1"/>').join(
      '',
    );
    const read = Description.decode(
      parseXml(`<description xmlns="${RTP}" media="audio">${bad}${many}</description>`),
    );
    expect(read.payloadTypes).toHaveLength(64);
    expect(() => Description.decode(parseXml(`<description xmlns="${RTP}" media="smell"/>`))).toThrow(
      DecodeError,
    );
  });

  it('have words for what happens during a call', () => {
    expect(decodeCallInfo(encodeCallInfo({ kind: 'ringing' }))).toEqual({ kind: 'ringing' });
    const mute = encodeCallInfo({ kind: 'mute', name: 'audio' }, 'initiator');
    expect(mute.toString()).toBe(
      '<mute xmlns="urn:xmpp:jingle:apps:rtp:info:1" creator="initiator" name="audio"/>',
    );
    expect(decodeCallInfo(mute)).toEqual({ kind: 'mute', name: 'audio' });
    expect(decodeCallInfo(parseXml('<ringing xmlns="urn:other"/>'))).toBeUndefined();
  });
});

describe('ICE transports (XEP-0176)', () => {
  it('keep candidates for RTP that can be used anywhere', () => {
    const transport = IceTransport.decode(parseXml(dinoTransport));
    expect(candidatesOf(transport)).toEqual([
      {
        component: 1,
        foundation: '1',
        generation: 0,
        ip: '192.0.2.1',
        port: 5000,
        priority: 100,
        protocol: 'udp',
        type: 'host',
      },
    ]);
    expect(usableFingerprints(transport)).toEqual([{ hash: 'sha-256', value: digest.toUpperCase() }]);
  });

  it('are written with everything, and read back', () => {
    const candidate = {
      component: 1,
      foundation: 'f',
      generation: 1,
      ip: '2001:db8::1',
      port: 1,
      priority: 5,
      protocol: 'udp' as const,
      type: 'relay' as const,
      relatedAddress: '192.0.2.9',
      relatedPort: 7,
    };
    const written = encodeTransport(
      {
        ufrag: 'u',
        pwd: 'p'.repeat(22),
        fingerprint: { hash: 'sha-256', value: digest.toUpperCase(), setup: 'active' },
        candidates: [candidate],
        isComplete: true,
      },
      () => 'id1',
    );
    const read = IceTransport.decode(parseXml(written.toString()));
    expect(candidatesOf(read)).toEqual([candidate]);
    expect([read.ufrag, read.isComplete, decidedSetup(read)]).toEqual(['u', true, 'active']);
  });

  it('do not drown anybody in candidates', () => {
    const one = /<candidate component="1"[^>]*host"\/>/.exec(dinoTransport)?.[0] ?? '';
    const flood = `<transport xmlns="${ICE}">${one.repeat(10_000)}</transport>`;
    expect(candidatesOf(IceTransport.decode(parseXml(flood)))).toHaveLength(64);
  });

  it('are refused without a certificate, or with one that anybody can forge', () => {
    const description = Description.decode(parseXml(dinoDescription));
    const problem = (text: string): string | undefined =>
      securityProblem(IceTransport.decode(parseXml(text)), description)?.text;
    expect(problem(dinoTransport)).toBeUndefined();
    expect(problem(dinoTransport.replace(/<fingerprint.*<\/fingerprint>/, ''))).toContain('only SDES');
    expect(problem(dinoTransport.replace('sha-256', 'md5'))).toContain('only SDES');
    expect(problem(dinoTransport.replace('ufrag="abcd" ', ''))).toContain('credentials');
    const undecided = IceTransport.decode(parseXml(dinoTransport));
    expect(decidedSetup(undecided)).toBeUndefined();
  });
});

describe('groups (XEP-0338)', () => {
  it('say what travels together', () => {
    const group = bundleOf(['audio', 'video']);
    expect(bundledNames([parseXml('<x xmlns="y"/>'), group])).toEqual(['audio', 'video']);
    const old = '<group xmlns="urn:xmpp:jingle:apps:grouping:0" type="BUNDLE"><content name="a"/></group>';
    expect(bundledNames([parseXml(old)])).toEqual(['a']);
    expect(bundledNames([parseXml(old.replace('BUNDLE', 'LS'))])).toEqual([]);
  });
});

describe('conferences (XEP-0272)', () => {
  it('are read from presence in either namespace, without what is no content', () => {
    const inherited = `<presence><muji xmlns="${MUJI}"><content creator="initiator" name="voice">${dinoDescription}</content><content name="">${dinoDescription}</content><content name="voice">${dinoDescription}</content><content name="nothing"/></muji></presence>`;
    const read = readMujiPresence(parseXml(inherited));
    expect(read?.contents.map(({ name }) => name)).toEqual(['voice']);
    expect(
      readMujiPresence(parseXml(`<presence><muji xmlns="${MUJI}"><preparing/></muji></presence>`)),
    ).toEqual({
      isPreparing: true,
      contents: [],
    });
    expect(readMujiPresence(parseXml('<presence/>'))).toBeUndefined();
  });

  it('are announced with contents in the namespace of Jingle, which is where Dino looks', () => {
    const description = Description.decode(parseXml(dinoDescription));
    const muji = encodeMujiPresence({ isPreparing: false, contents: [{ name: 'audio', description }] });
    const content = muji.getChild('content', 'urn:xmpp:jingle:1');
    expect(content?.attrs['name']).toBe('audio');
    expect(content?.getChild('description', RTP)?.getChildren('payload-type')).toHaveLength(2);
    const preparing = encodeMujiPresence({ isPreparing: true, contents: [] }).toString();
    expect(preparing).toBe(`<muji xmlns="${MUJI}"><preparing/></muji>`);
  });

  it('are named beside the contents of a session', () => {
    expect(mujiRoomOf([parseXml(`<muji xmlns="${MUJI}" room="${room.toString()}"/>`)])?.toString()).toBe(
      room.toString(),
    );
    expect(mujiRoomOf([parseXml(`<muji xmlns="${MUJI}"/>`)])).toBeUndefined();
  });
});

describe('invitations to calls (XEP-0482, and of Dino 0.4)', () => {
  const read = (inner: string, attributes = 'type="chat" id="m1" from="romeo@a.example/x"') =>
    readCallMessage(parseXml(`<message ${attributes}>${inner}</message>`));
  const muji = `<muji xmlns="${MUJI}" room="${room.toString()}"/>`;

  it('are written for both', () => {
    const message = encodeCallMessage(
      { action: 'invite', id: 'c1', isVideo: false, method: { kind: 'muji', room } },
      { jid: JID.parse('juliet@b.example'), type: 'chat' },
    );
    expect(message.toString()).toBe(
      `<message to="juliet@b.example" type="chat" id="c1"><invite xmlns="${INVITES}" id="c1" video="false" multi="true">${muji}</invite><propose xmlns="${DINO}" id="c1" video="false" multi="true">${muji}</propose><store xmlns="urn:xmpp:hints"/></message>`,
    );
  });

  it('of a room are answered to the room', () => {
    const message = encodeCallMessage(
      { action: 'accept', id: 'c1', isVideo: false, method: { kind: 'muji', room } },
      { jid: JID.parse('friends@chat.example'), type: 'groupchat' },
    );
    expect(message.attrs['type']).toBe('groupchat');
    expect(message.getChild('accept', DINO)?.getChild('muji', MUJI)?.attrs['room']).toBe(room.toString());
    expect(message.getChild('accept', INVITES)?.attrs['id']).toBe('c1');
    expect(message.attrs['id']).toBeUndefined();
  });

  it('are read from Dino 0.4, which knows only its own', () => {
    expect(read(`<propose xmlns="${DINO}" id="d1" video="true" multi="true">${muji}</propose>`)).toEqual({
      action: 'invite',
      id: 'd1',
      isVideo: true,
      method: { kind: 'muji', room },
    });
    expect(read(`<propose xmlns="${DINO}" id="d1"><jingle sid="s1"/></propose>`)?.method).toEqual({
      kind: 'jingle',
      sid: 's1',
    });
    expect(read(`<finish xmlns="${DINO}" id="d1"/>`)).toMatchObject({ action: 'left', id: 'd1' });
    expect(read(`<reject xmlns="${DINO}" id="d1"/>`)).toMatchObject({ action: 'reject' });
  });

  it('are called by the message they come in, and in a room by what the room calls it', () => {
    const invite = `<invite xmlns="${INVITES}">${muji}</invite>`;
    expect(read(invite)?.id).toBe('m1');
    const origin = `<origin-id xmlns="urn:xmpp:sid:0" id="o1"/>`;
    expect(read(invite + origin)?.id).toBe('o1');
    const inRoom = 'type="groupchat" id="m1" from="friends@chat.example/romeo"';
    expect(read(invite, inRoom)).toBeUndefined();
    const assigned = (by: string): string => `<stanza-id xmlns="urn:xmpp:sid:0" id="s1" by="${by}"/>`;
    expect(read(invite + assigned('friends@chat.example'), inRoom)?.id).toBe('s1');
    expect(read(invite + assigned('evil@chat.example'), inRoom)).toBeUndefined();
  });

  it('are left alone beside a proposal of XEP-0353, and without a way to join', () => {
    const invite = `<invite xmlns="${INVITES}" id="i">${muji}</invite>`;
    expect(read(`<propose xmlns="urn:xmpp:jingle-message:0" id="p"/>${invite}`)).toBeUndefined();
    expect(read(`<invite xmlns="${INVITES}" id="i"><external uri="tel:+1"/></invite>`)).toBeUndefined();
    expect(read(`<invite xmlns="${INVITES}" id="${'x'.repeat(300)}">${muji}</invite>`)).toBeUndefined();
  });
});

describe('direct invitations (XEP-0249)', () => {
  it('carry the password of the room', () => {
    const message = encodeDirectInvitation(JID.parse('juliet@b.example'), { room, password: 'open' });
    expect(message.toString()).toBe(
      `<message to="juliet@b.example"><x xmlns="jabber:x:conference" jid="${room.toString()}" password="open"/></message>`,
    );
    expect(readDirectInvitation(message)).toMatchObject({ room, password: 'open' });
    expect(
      readDirectInvitation(parseXml('<message><x xmlns="jabber:x:conference"/></message>')),
    ).toBeUndefined();
  });
});
