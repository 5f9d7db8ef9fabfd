import { describe, expect, test } from 'vitest';
import { refuseDowngrade, strongerPin, warnOfDowngrade } from '../../../../src/lib/session/sasl/pin.js';
import type { SaslMechanism } from '../../../../src/lib/session/sasl/mechanism.js';

function used(name: string, channelBinding?: string, isDowngradeProtected = false): SaslMechanism {
  return {
    name,
    channelBinding,
    isMutual: false,
    isDowngradeProtected,
    start: () => Promise.resolve(Buffer.alloc(0)),
    respond: () => Promise.resolve(Buffer.alloc(0)),
    finish: () => undefined,
  };
}

describe('PLAIN after something better', () => {
  test.each(['SCRAM-SHA-1', 'SCRAM-SHA-512-PLUS', 'EXTERNAL'])('is refused after %s', (mechanism) => {
    expect(() => refuseDowngrade({ mechanism }, used('PLAIN'))).toThrow(`but has had ${mechanism} before`);
  });

  test('is what it was', () => {
    expect(() => refuseDowngrade({ mechanism: 'PLAIN' }, used('PLAIN'))).not.toThrow();
    expect(() => refuseDowngrade(undefined, used('PLAIN'))).not.toThrow();
  });
});

describe('a warning', () => {
  const pin = { mechanism: 'SCRAM-SHA-512-PLUS', channelBinding: 'tls-exporter' };

  test('for lost channel binding', () => {
    expect(warnOfDowngrade(pin, used('SCRAM-SHA-512'))).toContain('no channel binding');
  });

  test('for a weaker hash', () => {
    expect(warnOfDowngrade(pin, used('SCRAM-SHA-1-PLUS', 'tls-exporter'))).toContain(
      'earlier it was SCRAM-SHA-512-PLUS',
    );
  });

  test('not where the server confirmed its offer', () => {
    expect(warnOfDowngrade(pin, used('SCRAM-SHA-1', undefined, true))).toBeUndefined();
  });

  test('not for the same, for more, or for the first time', () => {
    expect(warnOfDowngrade(pin, used('SCRAM-SHA-512-PLUS', 'tls-unique'))).toBeUndefined();
    expect(warnOfDowngrade(pin, used('EXTERNAL'))).toBeUndefined();
    expect(warnOfDowngrade(undefined, used('SCRAM-SHA-1'))).toBeUndefined();
  });
});

test('only something stronger is remembered', () => {
  expect(strongerPin(undefined, used('SCRAM-SHA-1'))).toEqual({ mechanism: 'SCRAM-SHA-1' });
  expect(strongerPin({ mechanism: 'SCRAM-SHA-1' }, used('SCRAM-SHA-256-PLUS', 'tls-unique'))).toEqual({
    mechanism: 'SCRAM-SHA-256-PLUS',
    channelBinding: 'tls-unique',
  });
  expect(strongerPin({ mechanism: 'SCRAM-SHA-256-PLUS' }, used('SCRAM-SHA-512'))).toBeUndefined();
});
