import { describe, expect, it } from 'vitest';
import {
  readDescription,
  readInfo,
  writeChecksum,
  writeDescription,
  writeReceived,
} from '../../../src/lib/file-transfer/stanzas.js';
import { canonicalXml } from '../../../src/lib/xml/canonical.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { factsOf, sha256Of } from '../../support/numbered-content.js';

const NS = 'urn:xmpp:jingle:apps:file-transfer:5';
const describing = (file: string) =>
  parseXml(`<description xmlns='${NS}'><file>${file}</file></description>`);
const sha1 = { algorithm: 'sha-1' as const, value: Buffer.from('w0mcJylzCn+AfvuGdqkty2+KP48=', 'base64') };
const key = { creator: 'initiator' as const, name: 'a-file-offer' };

/** XEP-0234 §6.1 and §7.2. */
const example =
  '<date>1969-07-21T02:56:15Z</date><desc>This is a test. If this were a real file...</desc>' +
  '<media-type>text/plain</media-type><name>test.txt</name><size>6144</size><range/>';
const exampleFacts = factsOf('test.txt', 6144, {
  date: new Date('1969-07-21T02:56:15Z'),
  description: 'This is a test. If this were a real file...',
  mediaType: 'text/plain',
  promisedHashes: [],
});

describe('the description of a file', () => {
  it.each([
    [
      'with a hash',
      `${example}<hash xmlns='urn:xmpp:hashes:2' algo='sha-1'>w0mcJylzCn+AfvuGdqkty2+KP48=</hash>`,
      { file: { ...exampleFacts, hashes: [sha1] }, range: {} },
    ],
    [
      'with the promise of a hash',
      `${example}<hash-used xmlns='urn:xmpp:hashes:2' algo='sha-256'/>`,
      { file: { ...exampleFacts, promisedHashes: ['sha-256' as const] }, range: {} },
    ],
    [
      'to begin in the middle',
      "<range offset='270336'/><hash xmlns='urn:xmpp:hashes:2' algo='sha-1'>w0mcJylzCn+AfvuGdqkty2+KP48=</hash>",
      {
        file: factsOf(undefined, undefined, { hashes: [sha1], promisedHashes: [] }),
        range: { offset: 270336 },
      },
    ],
  ])('%s is read and written as the specification has it', (_, xml, value) => {
    expect(readDescription(describing(xml))).toEqual(value);
    expect(canonicalXml(writeDescription(value))).toBe(canonicalXml(describing(xml)));
  });

  it('is written so that Libervia takes it: with a description, though it is empty, and a promise', () => {
    const file = { ...factsOf('a.bin', 3), description: '' };
    expect(canonicalXml(writeDescription({ file, range: {} }))).toBe(
      canonicalXml(
        describing(
          "<desc/><name>a.bin</name><size>3</size><range/><hash-used xmlns='urn:xmpp:hashes:2' algo='sha-256'/>",
        ),
      ),
    );
  });

  it.each([
    [
      'Dino 0.4: no hash, no range, no media type',
      '<name>a.jpg</name><size>10</size>',
      factsOf('a.jpg', 10, { promisedHashes: [] }),
    ],
    [
      'Gajim 1.7: a date with two zones',
      '<name>a</name><date>2026-11-20T22:01:59.223216+00:00Z</date><size>10</size>',
      factsOf('a', 10, { date: new Date('2026-11-20T22:01:59.223Z'), promisedHashes: [] }),
    ],
    [
      'Libervia 0.9: the base64 of a hash in hexadecimal digits',
      `<name>a</name><size>5</size><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>${Buffer.from(sha256Of(5).toString('hex')).toString('base64')}</hash>`,
      factsOf('a', 5, { hashes: [{ algorithm: 'sha-256', value: sha256Of(5) }], promisedHashes: [] }),
    ],
    ['nothing but an element', '', factsOf(undefined, undefined, { promisedHashes: [] })],
    [
      'nonsense in every place',
      "<name>  </name><size>-1</size><date>yesterday</date><desc> </desc><media-type/><hash xmlns='urn:xmpp:hashes:2'>AAAA</hash><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>!</hash><hash xmlns='urn:xmpp:hashes:2' algo='md5'>AAAA</hash><hash-used xmlns='urn:xmpp:hashes:2' algo='crc'/>",
      factsOf(undefined, undefined, { promisedHashes: [] }),
    ],
    [
      'an empty hash, which is the older way to promise one',
      "<hash xmlns='urn:xmpp:hashes:2' algo='id-blake2b256'/>",
      factsOf(undefined, undefined, { promisedHashes: ['blake2b-256'] }),
    ],
  ])('is read from %s', (_, xml, file) => {
    expect(readDescription(describing(xml)).file).toEqual(file);
  });

  it('without a file says nothing', () => {
    expect(readDescription(parseXml(`<description xmlns='${NS}'/>`))).toEqual({
      file: factsOf(undefined, undefined, { promisedHashes: [] }),
      range: undefined,
    });
  });
});

describe('a word about a file', () => {
  it('tells its hash', () => {
    const xml = parseXml(
      `<checksum xmlns='${NS}' creator='initiator' name='a-file-offer'><file><hash xmlns='urn:xmpp:hashes:2' algo='sha-1'>w0mcJylzCn+AfvuGdqkty2+KP48=</hash></file></checksum>`,
    );
    const file = factsOf(undefined, undefined, { hashes: [sha1], promisedHashes: [] });
    expect(readInfo(xml)).toEqual({ kind: 'checksum', key, file });
    expect(canonicalXml(writeChecksum(key, { hashes: [sha1], sizeBytes: undefined }))).toBe(
      canonicalXml(xml),
    );
  });

  it('confirms that it came', () => {
    const xml = parseXml(`<received xmlns='${NS}' creator='initiator' name='a-file-offer'/>`);
    expect(readInfo(xml)).toEqual({ kind: 'received', key });
    expect(canonicalXml(writeReceived(key))).toBe(canonicalXml(xml));
  });

  it('of another kind is passed on', () => {
    expect(readInfo(parseXml(`<other xmlns='${NS}'/>`))).toBeUndefined();
    expect(readInfo(parseXml("<received xmlns='urn:xmpp:receipts'/>"))).toBeUndefined();
  });
});
