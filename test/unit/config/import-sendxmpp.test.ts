import { describe, expect, it } from 'vitest';
import { parseSendxmppConfig } from '../../../src/lib/config/import-sendxmpp.js';
import { UsageError } from '../../../src/lib/errors.js';

describe('parseSendxmppConfig', () => {
  it.each([
    [
      'go-sendxmpp',
      '# mine\nusername: alice@example.org\npassword: se: cret\njserver: example.org\nport: 5222\nalias: al\n',
      { profile: { jid: 'alice@example.org' }, secret: 'se: cret', ignored: ['alias'] },
    ],
    [
      'go-sendxmpp with a password manager and a host',
      'username: alice@example.org\neval_password: pass xmpp\njserver: xmpp.example.org\nport:\n',
      {
        profile: {
          jid: 'alice@example.org',
          service: 'xmpp://xmpp.example.org:5222',
          password_command: 'pass xmpp',
        },
        secret: undefined,
        ignored: [],
      },
    ],
    [
      'sendxmpp 1.24',
      'username: alice\njserver: talk.example.org\nport: 5223\npassword: x\ncomponent: example.org\n',
      {
        profile: { jid: 'alice@example.org', service: 'xmpps://talk.example.org:5223' },
        secret: 'x',
        ignored: [],
      },
    ],
    [
      'sendxmpp 1.23',
      '# my account\nalice@example.org  secret\n',
      { profile: { jid: 'alice@example.org' }, secret: 'secret', ignored: [] },
    ],
    [
      'one line with host and port',
      'alice@example.org;xmpp.example.com:1234 secret\r\n',
      {
        profile: { jid: 'alice@example.org', service: 'xmpp://xmpp.example.com:1234' },
        secret: 'secret',
        ignored: [],
      },
    ],
    [
      'one line with a port',
      'alice@example.org:1234 secret',
      {
        profile: { jid: 'alice@example.org', service: 'xmpp://example.org:1234' },
        secret: 'secret',
        ignored: [],
      },
    ],
    [
      'one line with a component name',
      'alice@talk.example.org secret example.org',
      {
        profile: { jid: 'alice@example.org', service: 'xmpp://talk.example.org:5222' },
        secret: 'secret',
        ignored: [],
      },
    ],
  ])('reads %s', (_what, text, expected) => {
    expect(parseSendxmppConfig(text, 'rc')).toEqual(expected);
  });

  it.each([
    ['', /names no user/],
    ['password: hunter2', /names no user/],
    ['username: alice\npassword: hunter2', /names the user alice, but no server/],
    ['\nhunter2 is my password and nothing else', /^rc:2: this line is not understood$/],
    ['username: a b@example.org\npassword: hunter2', /is not an XMPP address/],
  ])('refuses %j without showing a password', (text, message) => {
    expect(() => parseSendxmppConfig(text, 'rc')).toThrow(UsageError);
    try {
      parseSendxmppConfig(text, 'rc');
    } catch (error) {
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).not.toContain('hunter2');
    }
  });
});
