import { describe, expect, it } from 'vitest';
import {
  decodeInfo,
  decodeParameters,
  decodeStreamhosts,
  encodeInfo,
  encodeParameters,
} from '../../../../src/lib/bytestreams/socks5/stanzas.js';
import { DecodeError } from '../../../../src/lib/errors.js';
import { parseXml } from '../../../../src/lib/xml/parse.js';

const transport = (attributes: string, content = ''): ReturnType<typeof parseXml> =>
  parseXml(`<transport xmlns='urn:xmpp:jingle:transports:s5b:1' ${attributes}>${content}</transport>`);

describe('the transport of XEP-0260', () => {
  it('is read and written as in the specification', () => {
    const element = transport(
      "dstaddr='972b7bf47291ca609517f67f86b5081086052dad' mode='tcp' sid='vj3hs98y'",
      `<candidate cid='hft54dqy' host='192.168.4.1' jid='romeo@montague.lit/orchard' port='5086' priority='8257636' type='direct'/>
       <candidate cid='xmdh4b7i' host='123.456.7.8' jid='streamer.shakespeare.lit' port='7625' priority='7878787' type='proxy'/>`,
    );
    const parameters = decodeParameters(element);
    expect(parameters).toEqual({
      sid: 'vj3hs98y',
      destination: '972b7bf47291ca609517f67f86b5081086052dad',
      candidates: [
        {
          cid: 'hft54dqy',
          host: '192.168.4.1',
          jid: 'romeo@montague.lit/orchard',
          port: 5086,
          priority: 8_257_636,
          type: 'direct',
        },
        {
          cid: 'xmdh4b7i',
          host: '123.456.7.8',
          jid: 'streamer.shakespeare.lit',
          port: 7625,
          priority: 7_878_787,
          type: 'proxy',
        },
      ],
    });
    expect(decodeParameters(encodeParameters(parameters))).toEqual(parameters);
  });

  it('needs neither a mode nor a hash, as Gajim sends it', () => {
    expect(decodeParameters(transport("sid='s'"))).toEqual({
      sid: 's',
      destination: undefined,
      candidates: [],
    });
  });

  it('leaves out what cannot be used, and keeps the rest', () => {
    const good = "<candidate cid='good' host='h' jid='j' port='1' priority='1'/>";
    const bad = [
      "<candidate host='h' jid='j' port='1' priority='1'/>",
      "<candidate cid='p' host='h' jid='j' port='70000' priority='1'/>",
      "<candidate cid='q' host='h' jid='j' port='1' priority='many'/>",
      "<candidate cid='t' host='h' jid='j' port='1' priority='1' type='teleport'/>",
      "<candidate cid='good' host='other' jid='j' port='1' priority='1'/>",
      '<surprise/>',
    ];
    const { candidates } = decodeParameters(transport("sid='s' dstaddr='short'", `${good}${bad.join('')}`));
    expect(candidates.map(({ cid, host, type }) => ({ cid, host, type }))).toEqual([
      { cid: 'good', host: 'h', type: 'direct' },
    ]);
  });

  it('takes no more candidates than anybody has', () => {
    const many = Array.from(
      { length: 500 },
      (_, index) => `<candidate cid='${index}' host='h${index}' jid='j' port='1' priority='1'/>`,
    );
    expect(decodeParameters(transport("sid='s'", many.join(''))).candidates).toHaveLength(20);
  });

  it.each(["mode='udp' sid='s'", "mode='tcp'", "sid=''"])('refuses %s', (attributes) => {
    expect(() => decodeParameters(transport(attributes))).toThrow(DecodeError);
  });
});

describe('a transport-info', () => {
  it.each([
    { kind: 'candidate-used', cid: 'a' },
    { kind: 'activated', cid: 'b' },
    { kind: 'candidate-error' },
    { kind: 'proxy-error' },
  ] as const)('$kind goes both ways', (info) => {
    expect(decodeInfo(encodeInfo('s', info))).toEqual(info);
  });

  it('may say something that is not known', () => {
    expect(decodeInfo(transport("sid='s'", '<candidate-used/>'))).toBeUndefined();
    expect(decodeInfo(transport("sid='s'"))).toBeUndefined();
  });
});

describe('streamhosts', () => {
  it('are what a proxy says, with the default port of SOCKS', () => {
    const query = parseXml(
      `<query xmlns='http://jabber.org/protocol/bytestreams'>
         <streamhost host='24.24.24.1' jid='streamer.example.com' port='7625'/>
         <streamhost host='24.24.24.2' jid='streamer.example.com'/>
         <streamhost jid='streamer.example.com' port='1'/>
       </query>`,
    );
    expect(decodeStreamhosts(query)).toEqual([
      { jid: 'streamer.example.com', host: '24.24.24.1', port: 7625 },
      { jid: 'streamer.example.com', host: '24.24.24.2', port: 1080 },
    ]);
    expect(decodeStreamhosts(undefined)).toEqual([]);
  });
});
