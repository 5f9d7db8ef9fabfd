import { describe, expect, it } from 'vitest';
import { findIceServers } from '../../../src/lib/calls/external-services.js';
import { StanzaReply } from '../../../src/lib/session/stanza-reply.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { World, type WorldStream } from '../../support/chat-world.js';

const NS = 'urn:xmpp:extdisco:2';

describe('STUN and TURN servers of the own server (XEP-0215)', () => {
  /** The server of alice answers with this. */
  function worldWith(services: string, credentials?: string): { alice: WorldStream; server: WorldStream } {
    const world = new World();
    const alice = world.stream('alice@a.example/x');
    const server = world.stream('a.example');
    server.respond({ type: 'get', name: 'services', namespace: NS }, () =>
      parseXml(`<services xmlns="${NS}">${services}</services>`),
    );
    if (credentials !== undefined)
      server.respond({ type: 'get', name: 'credentials', namespace: NS }, () =>
        parseXml(`<credentials xmlns="${NS}">${credentials}</credentials>`),
      );
    return { alice, server };
  }

  it('are those that can be used, with their credentials', async () => {
    const { alice } = worldWith(
      `<service type="stun" host="stun.a.example"/>
       <service type="turn" host="turn.a.example" port="3479" transport="tcp" username="u" password="p"/>
       <service type="turns" host="turn.a.example" port="5349"/>
       <service type="turn" host="turn.a.example" transport="sctp"/>
       <service type="turn" host="turn.a.example" port="70000"/>
       <service type="ftp" host="ftp.a.example"/>
       <service type="stun"/>`,
    );
    expect(await findIceServers(alice.session)).toEqual([
      { kind: 'stun', host: 'stun.a.example', port: 3478, transport: 'udp' },
      { kind: 'turn', host: 'turn.a.example', port: 3479, transport: 'tcp', username: 'u', password: 'p' },
    ]);
  });

  it('are asked for their credentials where these are kept back', async () => {
    const { alice, server } = worldWith(
      '<service type="turn" host="turn.a.example" port="3478" restricted="1"/>',
      '<service type="turn" host="turn.a.example" username="late" password="secret"/>',
    );
    expect(await findIceServers(alice.session)).toEqual([
      {
        kind: 'turn',
        host: 'turn.a.example',
        port: 3478,
        transport: 'udp',
        username: 'late',
        password: 'secret',
      },
    ]);
    expect(server.received.map((iq) => iq.getChildElements()[0]?.getName())).toEqual([
      'services',
      'credentials',
    ]);
  });

  it('are none where the server knows nothing of this, or says too much', async () => {
    const world = new World();
    const alice = world.stream('alice@a.example/x');
    expect(await findIceServers(alice.session)).toEqual([]);
    world.stream('a.example').respond({ type: 'get', name: 'services', namespace: NS }, () => {
      throw new StanzaReply({ condition: 'forbidden' });
    });
    expect(await findIceServers(alice.session)).toEqual([]);
    const flood = worldWith('<service type="stun" host="s"/>'.repeat(2000));
    expect(await findIceServers(flood.alice.session)).toHaveLength(32);
  });
});
