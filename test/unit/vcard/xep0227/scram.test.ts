import { describe, expect, it } from 'vitest';
import { convertScram, scramForm, scramOfPassword } from '../../../../src/lib/vcard/xep0227/scram.js';
import { parseXml } from '../../../../src/lib/xml/parse.js';

const once = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

/** A salt of 16 bytes and keys of as many as the hash has. */
function credentials(mechanism: string, keyBytes: number, encode: (text: string) => string) {
  const key = (letter: string): string => encode(once(letter.repeat(keyBytes)));
  return parseXml(
    `<scram-credentials xmlns="urn:xmpp:pie:0#scram" mechanism="${mechanism}"><iter-count>4096</iter-count>` +
      `<salt>${encode(once('s'.repeat(16)))}</salt><server-key>${key('a')}</server-key><stored-key>${key('b')}</stored-key></scram-credentials>`,
  );
}

const single = (text: string): string => text;

describe('SCRAM credentials', () => {
  it.each([
    ['SCRAM-SHA-1', 20],
    ['SCRAM-SHA-256', 32],
    ['SCRAM-SHA-512', 64],
  ])('tells by the keys of %s how they are encoded, and converts both ways', (mechanism, keyBytes) => {
    const right = credentials(mechanism, keyBytes, single);
    const double = credentials(mechanism, keyBytes, once);
    expect(scramForm(right)).toBe('single');
    expect(scramForm(double)).toBe('double');
    expect(convertScram(double, 'double', 'single').toString()).toBe(right.toString());
    expect(convertScram(right, 'single', 'double').toString()).toBe(double.toString());
    expect(convertScram(right, 'single', 'single')).toBe(right);
  });

  it('does not take keys for encoded twice that look so by chance', () => {
    // 20 bytes that are letters of base64 themselves.
    const right = credentials('SCRAM-SHA-1', 20, single);
    expect(scramForm(right)).toBe('single');
  });

  it.each([
    ['a key of another length', 'SCRAM-SHA-256', 20],
    ['no keys', 'SCRAM-SHA-1', 0],
  ])('knows broken ones: %s', (_title, mechanism, keyBytes) => {
    expect(scramForm(credentials(mechanism, keyBytes, single))).toBeUndefined();
  });

  it('reads what ejabberd wrote into the attribute for the password', () => {
    const [stored, server, salt] = [once('b'.repeat(20)), once('a'.repeat(20)), once('s'.repeat(16))];
    expect(scramOfPassword(`scram:${stored},${server},${salt},4096`)?.toString()).toBe(
      credentials('SCRAM-SHA-1', 20, single).toString(),
    );
    expect(scramOfPassword('scram:bled eggs')).toBeUndefined();
    expect(scramOfPassword('secret')).toBeUndefined();
  });
});
