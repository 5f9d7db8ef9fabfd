/** A server that speaks just enough XMPP over TLS to be talked through: it lets anybody in, answers what ends a packet, and swallows the rest; what comes from `reader@…` it reads, as servers do. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { createAuthority } from '../../../src/lib/sandbox/certificates.js';
import { StreamParser } from '../../../src/lib/xml/stream-parser.js';

const domain = 'bench.localhost';
const authority = createAuthority('bench');

const header = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='${domain}' version='1.0'>`;
const sasl = 'urn:ietf:params:xml:ns:xmpp-sasl';
const server = createServer(
  { ...authority.issue({ commonName: domain, names: [domain] }), noDelay: true },
  (socket) => {
    let isAuthenticated = false;
    let parser: StreamParser | undefined;
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      const end = bytes.subarray(-512).toString('latin1');
      if (/<stream:stream [^<>]* from='reader@/.test(end)) parser = new StreamParser();
      parser?.write(bytes);
      if (end.endsWith('</iq>')) socket.write(`<iq type='result' id='1'/>`);
      else if (end.endsWith('</auth>')) {
        isAuthenticated = true;
        socket.write(`<success xmlns='${sasl}'/>`);
      } else if (/<stream:stream [^<>]*>$/.test(end)) {
        const offer = isAuthenticated
          ? `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>`
          : `<mechanisms xmlns='${sasl}'><mechanism>PLAIN</mechanism></mechanisms>`;
        socket.write(`${header}<stream:features>${offer}</stream:features>`);
      }
    });
  },
);

/** @returns its port, and the certificate it is trusted by */
export async function startBareServer(): Promise<{ port: number; ca: string }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return { port: (server.address() as AddressInfo).port, ca: authority.cert };
}
