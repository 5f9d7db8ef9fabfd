import { describe, expect, it } from 'vitest';
import { findProxies } from '../../../../src/lib/bytestreams/socks5/proxies.js';
import { NS_BYTESTREAMS } from '../../../../src/lib/bytestreams/socks5/stanzas.js';
import { NS_DISCO_INFO, NS_DISCO_ITEMS } from '../../../../src/lib/disco/stanzas.js';
import { JID } from '../../../../src/lib/jid/jid.js';
import type { IqRequest, Session } from '../../../../src/lib/session/session.js';
import { xml, type Element } from '../../../../src/lib/xml/element.js';

type Service = 'proxy' | 'room service' | 'broken' | 'silent' | 'proxy without address';

/** A server with these services, in this order. */
function serverWith(services: Readonly<Record<string, Service>>): { session: Session; asked: string[] } {
  const asked: string[] = [];
  const request = ({ to, payload }: IqRequest): Promise<Element> => {
    const name = String(to);
    const result = (...content: Element[]): Promise<Element> =>
      Promise.resolve(xml('iq', { type: 'result' }, xml('query', { xmlns: payload.getNS() }, ...content)));
    if (payload.getNS() === NS_DISCO_ITEMS)
      return result(...Object.keys(services).map((jid) => xml('item', { jid })));
    asked.push(name);
    const service = services[name];
    if (service === 'broken') return Promise.reject(new Error('remote-server-not-found'));
    if (service === 'silent') return new Promise<never>(() => undefined);
    if (payload.getNS() === NS_DISCO_INFO) {
      const isProxy = service !== 'room service';
      return result(
        xml(
          'identity',
          isProxy ? { category: 'proxy', type: 'bytestreams' } : { category: 'conference', type: 'text' },
        ),
      );
    }
    expect(payload.getNS()).toBe(NS_BYTESTREAMS);
    return service === 'proxy'
      ? result(xml('streamhost', { jid: name, host: '192.0.2.1', port: '7777' }))
      : result();
  };
  return { session: { jid: JID.parse('a@example.org/b'), request } as unknown as Session, asked };
}

const proxyAt = (jid: string) => ({ jid, host: '192.0.2.1', port: 7777 });

describe('the proxies of a server', () => {
  it('are those of its services that are one and have an address, in its order', async () => {
    const { session } = serverWith({
      'rooms.example.org': 'room service',
      'second.example.org': 'proxy',
      'gone.example.org': 'broken',
      'empty.example.org': 'proxy without address',
      'first.example.org': 'proxy',
    });
    expect(await findProxies(session, 5000)).toEqual([
      proxyAt('second.example.org'),
      proxyAt('first.example.org'),
    ]);
  });

  it('are not waited for when one is known and another service is silent', async () => {
    const { session } = serverWith({ 'silent.example.org': 'silent', 'proxy.example.org': 'proxy' });
    expect(await findProxies(session, 5000)).toEqual([proxyAt('proxy.example.org')]);
  });

  it('are none where the server does not answer, which is no error', async () => {
    const session = {
      jid: JID.parse('a@example.org/b'),
      request: () => Promise.reject(new Error('service-unavailable')),
    } as unknown as Session;
    expect(await findProxies(session, 5000)).toEqual([]);
  });

  it('are looked for at a limited number of services', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`s${index}.example.org`, 'room service'] as const),
    );
    const { session, asked } = serverWith(many);
    await findProxies(session, 5000);
    expect(asked).toHaveLength(30);
  });
});
