import { describe, expect, it } from 'vitest';
import * as werift from 'werift';
import { createDtlsIdentity, identityOf } from '../../../src/lib/media/secure/werift-identity.js';
import type { DtlsIdentity, SecureMedia } from '../../../src/lib/media/secure/secure-media.js';
import { encodeRtp } from '../../../src/lib/media/rtp/rtp-packet.js';

interface Side {
  media: SecureMedia;
  outcome: Promise<string>;
  rtp: Buffer[];
}

type Carry = (datagram: Buffer, deliver: (datagram: Buffer) => void) => void;

async function connect(
  carry: Carry,
  tamper = (value: string) => value,
  identities: { client?: DtlsIdentity; server?: DtlsIdentity } = {},
): Promise<[Side, Side]> {
  const one = identities.client ?? (await createDtlsIdentity());
  const other = identities.server ?? (await createDtlsIdentity());
  const sides: Side[] = [];
  const open = (identity: typeof one, peer: number): Side => {
    const rtp: Buffer[] = [];
    let end: (outcome: string) => void = () => undefined;
    const outcome = new Promise<string>((resolve) => (end = resolve));
    const media = identity.openSecureMedia({
      send: (datagram) => carry(datagram, (arrived) => void sides[peer]?.media.receive(arrived)),
      connected: () => end('connected'),
      rtp: (packet) => rtp.push(packet),
      rtcp: () => undefined,
      failed: end,
    });
    return { media, outcome, rtp };
  };
  const client = open(one, 1);
  const server = open(other, 0);
  sides.push(client, server);
  server.media.start('server', [one.fingerprint]);
  client.media.start('client', [{ ...other.fingerprint, value: tamper(other.fingerprint.value) }]);
  return [client, server];
}

const atOnce: Carry = (datagram, deliver) => setImmediate(() => deliver(datagram));

describe('DTLS-SRTP', () => {
  it('agrees on keys and carries RTP', async () => {
    const [client, server] = await connect(atOnce);
    expect(await Promise.all([client.outcome, server.outcome])).toEqual(['connected', 'connected']);
    const packet = encodeRtp({
      isMarked: false,
      payloadType: 111,
      sequence: 1,
      timestamp: 2,
      ssrc: 3,
      extensions: new Map([[1, Buffer.from([5])]]),
      payload: Buffer.from('sound'),
    });
    client.media.sendRtp(packet);
    await expect.poll(() => server.rtp).toEqual([packet]);
    // What is not genuine is dropped.
    expect(server.media.receive(packet)).toBe(false);
    client.media.close();
    server.media.close();
  });

  it('refuses a certificate that was not told', async () => {
    const [client, server] = await connect(atOnce, (value) =>
      value.replace(/^../, (byte) => (byte === '00' ? '01' : '00')),
    );
    expect(await client.outcome).toBe('the certificate is not the one whose fingerprint was told');
    server.media.close();
  });

  it.each(['client', 'server'] as const)(
    'refuses a %s that shows the certificate of another',
    async (role) => {
      const make = () =>
        werift.CipherContext.createSelfSignedCertificateWithKey(
          { signature: werift.SignatureAlgorithm.ecdsa_3, hash: werift.HashAlgorithm.sha256_4 },
          werift.NamedCurveAlgorithm.secp256r1_23,
        );
      const [victim, thief] = [await make(), await make()];
      const forged = identityOf(werift, { ...victim, keyPem: thief.keyPem });
      const [client, server] = await connect(atOnce, undefined, { [role]: forged });
      const deceived = role === 'client' ? server : client;
      expect(await deceived.outcome).toBe('the other side does not hold the key of its certificate');
      client.media.close();
      server.media.close();
    },
  );

  it('ends though everything comes twice and in another order', async () => {
    let count = 0;
    const shuffled: Carry = (datagram, deliver) => {
      count += 1;
      const copy = Buffer.from(datagram);
      setTimeout(() => deliver(copy), (count * 7) % 11);
      setTimeout(() => deliver(copy), 3 + ((count * 5) % 13));
    };
    const sides = await connect(shuffled);
    expect(await Promise.all(sides.map(({ outcome }) => outcome))).toEqual(['connected', 'connected']);
    for (const { media } of sides) media.close();
  });
});
