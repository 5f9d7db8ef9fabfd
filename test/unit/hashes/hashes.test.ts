import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHasher } from '../../../src/lib/hashes/hasher.js';
import {
  chooseAlgorithm,
  digestBytes,
  hashAlgorithms,
  hashFeatures,
  matchesHash,
  readAlgorithm,
  strongestOf,
} from '../../../src/lib/hashes/hashes.js';
import { readHashes, writeHash, writePromise } from '../../../src/lib/hashes/stanzas.js';
import { childElements, xml } from '../../../src/lib/xml/element.js';
import { parseXml } from '../../../src/lib/xml/parse.js';

/** Of "abc": FIPS 180-4, FIPS 202 and RFC 7693 appendix A; BLAKE2b-256 as coreutils' `b2sum -l 256` says. */
const digestsOfAbc: Record<(typeof hashAlgorithms)[number], string> = {
  'sha-1': 'a9993e364706816aba3e25717850c26c9cd0d89d',
  'sha-256': 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  'sha-512':
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  'sha3-256': '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532',
  'sha3-512':
    'b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0',
  'blake2b-256': 'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319',
  'blake2b-512':
    'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923',
};

describe('createHasher', () => {
  it.each(hashAlgorithms)(
    'computes %s, whatever the pieces, and says it as often as it is asked',
    async (name) => {
      const hasher = await createHasher(name);
      hasher.update(Buffer.from('a'));
      const early = hasher.digest();
      hasher.update(Buffer.from('bc'));
      expect(hasher.digest().toString('hex')).toBe(digestsOfAbc[name]);
      expect(hasher.digest().toString('hex')).toBe(digestsOfAbc[name]);
      expect(early).not.toEqual(hasher.digest());
      expect(hasher.digest()).toHaveLength(digestBytes[name]);
      expect(hasher.algorithm).toBe(name);
    },
  );
});

describe('chooseAlgorithm', () => {
  const feature = (name: string) => `urn:xmpp:hash-function-text-names:${name}`;

  it.each([
    ['nothing is known of the receiver', [], 'sha-256'],
    ['it knows everything', hashFeatures(), 'sha-256'],
    ['it knows only others', [feature('sha-512'), feature('sha3-512')], 'sha3-512'],
    ['it names BLAKE2b as the registry does', [feature('id-blake2b256')], 'blake2b-256'],
    ['it knows only what proves nothing', [feature('sha-1'), feature('md5')], 'sha-256'],
  ])('when %s', (_, features, expected) => {
    expect(chooseAlgorithm(features)).toBe(expected);
  });
});

it('service discovery names the family and each algorithm, by both of its names', () => {
  const features = hashFeatures();
  expect(features).toContain('urn:xmpp:hashes:2');
  expect(features).toContain('urn:xmpp:hash-function-text-names:sha-256');
  expect(features).toContain('urn:xmpp:hash-function-text-names:id-blake2b512');
  expect(new Set(features).size).toBe(features.length);
});

it('the strongest of several is the one to check', () => {
  expect(strongestOf(['sha-1', 'sha-256', 'sha3-256'])).toBe('sha3-256');
  expect(strongestOf([])).toBeUndefined();
  expect(readAlgorithm('md5')).toBeUndefined();
});

describe('what was sent as a hash', () => {
  const digest = createHash('sha256').update('abc').digest();

  it('matches as its bytes, and as hexadecimal digits of either case (Libervia 0.9)', () => {
    expect(matchesHash(digest, digest)).toBe(true);
    expect(matchesHash(digest, Buffer.from(digest.toString('hex')))).toBe(true);
    expect(matchesHash(digest, Buffer.from(digest.toString('hex').toUpperCase()))).toBe(true);
  });

  it('matches nothing when it is cut, longer, empty or another', () => {
    for (const wrong of [
      digest.subarray(1),
      Buffer.concat([digest, Buffer.of(0)]),
      Buffer.alloc(0),
      Buffer.alloc(32),
      Buffer.from(digest.toString('hex').slice(2)),
    ])
      expect(matchesHash(digest, wrong)).toBe(false);
  });

  it('is read as its bytes, whatever form it came in', () => {
    const inHex = Buffer.from(digest.toString('hex')).toString('base64');
    const file = parseXml(
      `<file xmlns='urn:x'><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>${inHex}</hash>
       <hash xmlns='urn:xmpp:hashes:2' algo='sha-1'/><hash xmlns='urn:xmpp:hashes:2' algo='md5'>eA==</hash>
       <hash xmlns='urn:xmpp:hashes:2' algo='id-blake2b256'>2AfMGH8O7UNPTvUVAM9aK13mpCY=</hash>
       <hash-used xmlns='urn:xmpp:hashes:2' algo='sha3-256'/><hash-used xmlns='urn:xmpp:hashes:2' algo='sha-0'/></file>`,
    );
    expect(readHashes(childElements(file))).toEqual({
      hashes: [
        { algorithm: 'sha-256', value: digest },
        // XEP-0447's own example: too short for what it claims to be, so it will match nothing.
        { algorithm: 'blake2b-256', value: Buffer.from('2AfMGH8O7UNPTvUVAM9aK13mpCY=', 'base64') },
      ],
      promised: ['sha-1', 'sha3-256'],
    });
  });

  it('is written so that it is read again', () => {
    fc.assert(
      fc.property(fc.constantFrom(...hashAlgorithms), fc.infiniteStream(fc.nat(255)), (algorithm, bytes) => {
        const value = Buffer.from([...bytes.take(digestBytes[algorithm])]);
        const parent = xml('file', {}, writeHash({ algorithm, value }), writePromise(algorithm));
        expect(readHashes(childElements(parent))).toEqual({
          hashes: [{ algorithm, value }],
          promised: [algorithm],
        });
      }),
    );
  });
});
