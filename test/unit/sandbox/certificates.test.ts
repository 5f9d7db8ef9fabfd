import { X509Certificate, createPrivateKey } from 'node:crypto';
import { createServer, connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../../../src/lib/sandbox/certificates.js';

const authority = createAuthority('test authority');

describe('the private authority', () => {
  it('signs itself and may sign others', () => {
    const cert = new X509Certificate(authority.cert);
    expect(cert.subject).toBe('CN=test authority');
    expect(cert.ca).toBe(true);
    expect(cert.verify(cert.publicKey)).toBe(true);
    expect(cert.checkPrivateKey(createPrivateKey(authority.key))).toBe(true);
  });

  it('issues a certificate for names, addresses and services', () => {
    const issued = authority.issue({
      commonName: 'chat.localhost',
      names: ['chat.localhost', '*.chat.localhost', '127.0.0.1', '::1', '2001:db8::ff:1'],
      srvDomains: ['chat.localhost'],
    });
    const cert = new X509Certificate(issued.cert);
    expect(cert.ca).toBe(false);
    expect(cert.checkIssued(new X509Certificate(authority.cert))).toBe(true);
    expect(cert.checkHost('chat.localhost')).toBe('chat.localhost');
    expect(cert.checkHost('conference.chat.localhost')).toBe('*.chat.localhost');
    expect(cert.checkHost('elsewhere.localhost')).toBeUndefined();
    expect(cert.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(cert.checkIP('::1')).toBe('::1');
    expect(cert.subjectAltName).toContain('IP Address:2001:DB8:0:0:0:0:FF:1');
    expect(cert.subjectAltName).toContain('_xmpp-client.chat.localhost');
    expect(cert.subjectAltName).toContain('_xmpp-server.chat.localhost');
  });

  it('names a client by its address', () => {
    const issued = authority.issue({ commonName: 'alice', xmppAddrs: ['älice@chat.localhost'] });
    expect(new X509Certificate(issued.cert).raw.includes(Buffer.from('älice@chat.localhost'))).toBe(true);
  });

  it('can issue a certificate that has expired, or that lasts beyond 2049', () => {
    const issued = authority.issue({
      commonName: 'old',
      notBefore: new Date('2020-01-02T03:04:05Z'),
      notAfter: new Date('2061-06-07T08:09:10Z'),
    });
    const cert = new X509Certificate(issued.cert);
    expect(new Date(cert.validFrom)).toEqual(new Date('2020-01-02T03:04:05Z'));
    expect(new Date(cert.validTo)).toEqual(new Date('2061-06-07T08:09:10Z'));
  });

  it('is trusted by a TLS client that is given its certificate, and by no other', async () => {
    const issued = authority.issue({ commonName: 'chat.localhost', names: ['chat.localhost'] });
    const server = createServer(issued, (socket) => socket.end()).listen(0, '127.0.0.1');
    server.on('tlsClientError', () => undefined);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const handshake = async (ca?: string): Promise<boolean> => {
      const socket: TLSSocket = connect({
        host: '127.0.0.1',
        port,
        servername: 'chat.localhost',
        ...(ca && { ca }),
      });
      try {
        await once(socket, 'secureConnect');
        return socket.authorized;
      } finally {
        socket.destroy();
      }
    };
    try {
      expect(await handshake(authority.cert)).toBe(true);
      await expect(handshake()).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    } finally {
      server.close();
    }
  });
});
