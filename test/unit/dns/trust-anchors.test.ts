import { describe, expect, it } from 'vitest';
import { parseTrustAnchors, ROOT_TRUST_ANCHORS } from '../../../src/lib/dns/dnssec/trust-anchors.js';
import { DnsError } from '../../../src/lib/errors.js';

describe('trust anchors', () => {
  it('of the root are those that IANA publishes', () => {
    const published = [
      '. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D',
      '. IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16',
    ];
    expect(parseTrustAnchors(published.join('\n'))).toEqual(ROOT_TRUST_ANCHORS);
  });

  it('are read as zone files have them', () => {
    const text = `
; autotrust trust anchor file
;;id: . 1
.	86400	IN	DNSKEY	257 3 8 AQID BAU= ;{id = 20326 (ksk)} ;;state=2
Signed.Test. 3600 IN DS 4711 13 2 (
    00112233445566778899AABBCCDDEEFF ; half of it
    00112233445566778899AABBCCDDEEFF )
signed.test. IN SOA ns.test. root.test. 1 2 3 4 5
`;
    expect(parseTrustAnchors(text)).toEqual([
      { zone: '.', key: { rdata: Buffer.from([1, 1, 3, 8, 1, 2, 3, 4, 5]) } },
      {
        zone: 'signed.test',
        key: {
          keyTag: 4711,
          algorithm: 13,
          digestType: 2,
          digest: Buffer.from('00112233445566778899aabbccddeeff'.repeat(2), 'hex'),
        },
      },
    ]);
  });

  it.each([
    '',
    'nothing here',
    '. IN DS 1 8',
    '. IN DS x 8 2 aa',
    '. IN DS 99999 8 2 aa',
    '. IN DNSKEY 257 3 8 !',
  ])('%j are refused', (text) => {
    expect(() => parseTrustAnchors(text)).toThrow(DnsError);
  });
});
