import { describe, expect, it } from 'vitest';
import { capsVerification, verifyCaps, type CapsSource } from '../../../src/lib/disco/caps.js';

/** XEP-0115 §5.2. */
const exodus: CapsSource = {
  identities: [{ category: 'client', type: 'pc', name: 'Exodus 0.9.1' }],
  features: [
    'http://jabber.org/protocol/muc',
    'http://jabber.org/protocol/disco#items',
    'http://jabber.org/protocol/caps',
    'http://jabber.org/protocol/disco#info',
  ],
  forms: [],
};

const hidden = (...values: string[]) => ({ name: 'FORM_TYPE', type: 'hidden', values });

/** XEP-0115 §5.3. */
const psi: CapsSource = {
  identities: [
    { category: 'client', type: 'pc', lang: 'en', name: 'Psi 0.11' },
    { category: 'client', type: 'pc', lang: 'el', name: 'Ψ 0.11' },
  ],
  features: exodus.features,
  forms: [
    {
      fields: [
        { name: 'software_version', values: ['0.11'] },
        hidden('urn:xmpp:dataforms:softwareinfo'),
        { name: 'ip_version', type: 'text-multi', values: ['ipv6', 'ipv4'] },
        { name: 'os', values: ['Mac'] },
        { name: 'os_version', values: ['10.5.1'] },
        { name: 'software', values: ['Psi'] },
      ],
    },
  ],
};

describe('capsVerification', () => {
  it('gives the strings of the specification', () => {
    expect(capsVerification(exodus)).toBe('QgayPKawpkPSDYmwT/WM94uAlu0=');
    expect(capsVerification(psi)).toBe('q07IKJEyjvHSyhy//CH0CxmKi8w=');
  });

  it('sorts by octets, not by UTF-16 units', () => {
    const order = (features: string[]) => capsVerification({ ...exodus, features });
    // U+FF5E sorts before U+1F600 in UTF-8 and after it in UTF-16.
    expect(order(['\u{1f600}', '\uff5e'])).toBe(order(['\uff5e', '\u{1f600}']));
    // Checked with openssl.
    expect(order(['\uff5e', '\u{1f600}'])).toBe('dMDjTR8J3IioW7Lt+Mxtr61CwR0=');
  });

  it('does not count forms without a hidden FORM_TYPE', () => {
    const forms = [
      { fields: [{ name: 'FORM_TYPE', values: ['x'] }] },
      { fields: [{ name: 'a', values: ['b'] }] },
    ];
    expect(capsVerification({ ...exodus, forms })).toBe(capsVerification(exodus));
  });

  it.each<[string, Partial<CapsSource>]>([
    ['a feature twice', { features: ['a', 'a'] }],
    ['an identity twice', { identities: [...exodus.identities, ...exodus.identities] }],
    ['a form type twice', { forms: [{ fields: [hidden('x')] }, { fields: [hidden('x')] }] }],
    ['a form of two types', { forms: [{ fields: [hidden('x', 'y')] }] }],
    ['a separator inside a text', { features: ['a<b'] }],
  ])('refuses an answer that holds %s', (_, change) => {
    expect(capsVerification({ ...exodus, ...change })).toBeUndefined();
  });
});

describe('verifyCaps', () => {
  const caps = { node: 'n', ver: 'QgayPKawpkPSDYmwT/WM94uAlu0=' };

  it('compares the promise with the answer', () => {
    expect(verifyCaps({ ...caps, hash: 'sha-1' }, exodus)).toBe(true);
    expect(verifyCaps({ ...caps, hash: 'sha-1' }, psi)).toBe(false);
    expect(
      verifyCaps({ ...caps, hash: 'sha-256', ver: capsVerification(exodus, 'sha-256') ?? '' }, exodus),
    ).toBe(true);
  });

  it('says so when it cannot tell', () => {
    expect(verifyCaps(caps, exodus)).toBeUndefined();
    expect(verifyCaps({ ...caps, hash: 'md2' }, exodus)).toBeUndefined();
    expect(verifyCaps({ ...caps, hash: 'constructor' }, exodus)).toBeUndefined();
  });
});
