import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/lib/errors.js';
import { StreamManagement } from '../../../src/lib/session/stream-management.js';
import { xml } from '../../../src/lib/xml/element.js';

const NS_SM = 'urn:xmpp:sm:3';
const a = (h: string | undefined) => xml('a', { xmlns: NS_SM, h });

describe('the counters of a managed stream', () => {
  test('tell how many more stanzas the server has handled', () => {
    const management = new StreamManagement();
    expect(management.advance(a('3'))).toBe(3);
    expect(management.advance(a('3'))).toBe(0);
    expect(management.advance(a('10'))).toBe(7);
  });

  test('wrap at 2^32 in both directions', () => {
    const management = new StreamManagement();
    management.advance(a('4294967290'));
    expect(management.advance(a('4'))).toBe(10);
    management.inbound = 0xffff_ffff;
    management.countInbound();
    expect(management.inbound).toBe(0);
  });

  test('make a count that goes back look like far more than was ever sent', () => {
    const management = new StreamManagement();
    management.advance(a('5'));
    expect(management.advance(a('4'))).toBe(0xffff_ffff);
  });

  test.each([undefined, '', '-1', '1.5', 'x', '4294967296', '1e3'])('refuse h=%s', (h) => {
    expect(() => new StreamManagement().advance(a(h))).toThrow(ProtocolError);
  });
});

describe('<enabled/>', () => {
  test('gives the name for resumption, the place and the time', () => {
    const management = new StreamManagement();
    management.onEnabled(
      xml('enabled', {
        xmlns: NS_SM,
        resume: 'true',
        id: 'some-id',
        location: '[2001:db8::1]:5222',
        max: 300,
      }),
    );
    expect(management).toMatchObject({ id: 'some-id', location: '[2001:db8::1]:5222', maxSeconds: 300 });
    management.countInbound();
    expect(management.resumeElement().toString()).toBe(
      '<resume xmlns="urn:xmpp:sm:3" previd="some-id" h="1"/>',
    );
  });

  test('without resume is not resumable, even with an id', () => {
    const management = new StreamManagement();
    management.onEnabled(xml('enabled', { xmlns: NS_SM, id: 'some-id' }));
    expect(management.id).toBeUndefined();
  });

  test('takes 1 for true, as XML Schema does', () => {
    const management = new StreamManagement();
    management.onEnabled(xml('enabled', { xmlns: NS_SM, id: 'x', resume: '1', max: 'soon' }));
    expect(management).toMatchObject({ id: 'x', maxSeconds: undefined });
  });
});
