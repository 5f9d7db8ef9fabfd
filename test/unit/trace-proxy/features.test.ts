import { describe, expect, it } from 'vitest';
import { rewriteFeatures } from '../../../src/lib/trace-proxy/features.js';

const startTls = `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>`;
const mechanisms = (...names: string[]): string =>
  `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${names.map((name) => `<mechanism>${name}</mechanism>`).join('')}</mechanisms>`;
const features = (inner: string): string => `<stream:features>${inner}</stream:features>`;

describe('rewriteFeatures', () => {
  it('leaves every other character as it is', () => {
    const text = features(`\n <c  hash="sha-1" ver='x'/>${mechanisms('PLAIN', 'SCRAM-SHA-1-PLUS')}<!-- --> `);
    expect(rewriteFeatures(text, { startTls: 'strip', stripsChannelBinding: false })).toEqual({
      text,
      plusMechanisms: ['SCRAM-SHA-1-PLUS'],
    });
  });

  it('takes the offer of TLS out, in both forms', () => {
    for (const offer of [startTls, `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`]) {
      const { text } = rewriteFeatures(features(`${offer}${mechanisms('PLAIN')}`), {
        startTls: 'strip',
        stripsChannelBinding: false,
      });
      expect(text).toBe(features(mechanisms('PLAIN')));
    }
  });

  it('adds an offer of TLS that is not required', () => {
    const add = { startTls: 'add', stripsChannelBinding: false } as const;
    const offer = `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`;
    expect(rewriteFeatures(features(mechanisms('PLAIN')), add).text).toBe(
      features(`${offer}${mechanisms('PLAIN')}`),
    );
    expect(rewriteFeatures('<stream:features/>', add).text).toBe(features(offer));
  });

  it('takes channel binding out when asked', () => {
    const bindings = `<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>`;
    const { text, plusMechanisms } = rewriteFeatures(
      features(`${mechanisms('SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256')}${bindings}`),
      { startTls: 'strip', stripsChannelBinding: true },
    );
    expect(text).toBe(features(mechanisms('SCRAM-SHA-256')));
    expect(plusMechanisms).toEqual(['SCRAM-SHA-256-PLUS']);
  });

  it('leaves only the mechanisms that are wanted', () => {
    const { text } = rewriteFeatures(features(mechanisms('SCRAM-SHA-1', 'PLAIN')), {
      startTls: 'strip',
      stripsChannelBinding: false,
      mechanisms: new Set(['PLAIN']),
    });
    expect(text).toBe(features(mechanisms('PLAIN')));
  });
});
