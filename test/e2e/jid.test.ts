import { describe, expect, it } from 'vitest';
import { runXmppctl } from '../support/run-xmppctl.js';

describe('xmppctl jid', () => {
  it('answers with its exit code', async () => {
    expect(await runXmppctl(['jid', 'check', 'alice@example.com'])).toMatchObject({
      code: 0,
      stdout: 'valid    alice@example.com\n',
      stderr: '',
    });
    expect(await runXmppctl(['jid', 'check', 'alice@'])).toMatchObject({
      code: 1,
      stdout: 'invalid  alice@\n         the domain may not be empty\n',
      stderr: 'xmppctl: 1 of 1 address is not valid\n',
    });
    expect(await runXmppctl(['jid', 'check'])).toMatchObject({ code: 2, stdout: '' });
    expect(await runXmppctl(['jid', 'compare', 'Alice@x', 'alice@X'])).toMatchObject({ code: 0 });
    expect(await runXmppctl(['jid', 'compare', 'alice@x', 'bob@x'])).toMatchObject({ code: 1 });
    expect(await runXmppctl(['jid', 'compare', 'alice@x', '@'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('filters a list of bytes', async () => {
    const { code, stdout } = await runXmppctl(['jid', 'normalize', '--stdin', '--ascii'], {
      input: Buffer.from('Jürgen@MÜNCHEN.example\r\nשלום@example.com\n'),
    });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'jürgen@xn--mnchen-3ya.example\nשלום@example.com\n',
    });
  });

  it('refuses input that is not UTF-8', async () => {
    const { code, stdout, stderr } = await runXmppctl(['jid', 'check', '--stdin'], {
      input: Uint8Array.of(0xff, 0xfe, 0x0a),
    });
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: 'xmppctl: line 1 of the input is not UTF-8\n',
    });
  });
});
