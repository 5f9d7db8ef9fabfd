/** How accounts log in to real servers: what each offers, and what must not be taken. */
import { expect, test } from 'vitest';
import { AuthError, exitCodeOf } from '../../src/lib/errors.js';
import { JID } from '../../src/lib/jid/jid.js';
import { connect } from '../../src/lib/session/connect.js';
import { accountOptions, connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';

describeOnEachServer(
  'a login over TLS 1.3',
  (server) => {
    test('takes the strongest mechanism', async () => {
      await using session = await connectAccount(server.sandbox, 'alice');
      expect(session.info.tls?.version).toBe('TLSv1.3');
      expect([session.info.mechanism, session.info.channelBinding]).toEqual(
        {
          // Prosody 0.12 has channel binding up to TLS 1.2 only.
          prosody: ['SCRAM-SHA-256', undefined],
          // ejabberd 23.01 does not say which types it knows; it is tls-unique, by the Finished message.
          ejabberd: ['SCRAM-SHA-512-PLUS', 'tls-unique'],
        }[server.name],
      );
    });

    test('with a wrong password is refused', async () => {
      const password = (): Promise<string> => Promise.resolve('not the password');
      const failure: unknown = await connectAccount(server.sandbox, 'alice', {
        credentials: { password },
      }).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(AuthError);
      expect(exitCodeOf(failure)).toBe(4);
      expect(String(failure)).toContain(`alice@${server.sandbox.domain} could not log in with SCRAM-SHA-`);
      expect(String(failure)).not.toContain('not the password');
    });

    test('of an account that is not there is refused', async () => {
      const jid = JID.parse(`nobody@${server.sandbox.domain}`);
      await expect(connectAccount(server.sandbox, 'alice', { jid })).rejects.toThrow('not-authorized');
    });

    test('of nobody in particular', async () => {
      const domain = server.sandbox.addresses.anonymous;
      const options = { jid: JID.parse(domain), credentials: { isAnonymous: true } };
      await using session = await connectAccount(server.sandbox, 'alice', options);
      expect(session.info.mechanism).toBe('ANONYMOUS');
      expect(session.jid.domain).toBe(domain);
    });

    test.each(['starttls', 'tls'] as const)('with a client certificate, over %s', async (carriage) => {
      const jid = `alice@${server.sandbox.addresses.certificates}`;
      const clientCertificate = server.sandbox.issueClientCertificate(jid);
      const options = { jid: JID.parse(jid), credentials: { clientCertificate } };
      await using session = await connect(accountOptions(server.sandbox, 'alice', options, carriage));
      expect(session.info.mechanism).toBe('EXTERNAL');
      expect(session.jid.bare.toString()).toBe(jid);
    });

    test('with a certificate of somebody else is refused', async () => {
      const jid = JID.parse(`alice@${server.sandbox.addresses.certificates}`);
      const clientCertificate = server.sandbox.issueClientCertificate(`bob@${jid.domain}`);
      const failure: unknown = await connectAccount(server.sandbox, 'alice', {
        jid,
        credentials: { clientCertificate },
      }).catch((error: unknown) => error);
      expect(exitCodeOf(failure)).toBe(4);
    });
  },
  { clientCertificates: true, tlsVersion: '1.3' },
);

describeOnEachServer(
  'a login over TLS 1.2 to a server with SCRAM-SHA-1',
  (server) => {
    test('binds the channel', async () => {
      await using session = await connectAccount(server.sandbox, 'alice');
      expect(session.info).toMatchObject({ mechanism: 'SCRAM-SHA-1-PLUS', channelBinding: 'tls-unique' });
    });

    test('over a WebSocket has no channel to bind', async () => {
      await using session = await connect(accountOptions(server.sandbox, 'alice', {}, 'websocket'));
      expect(session.info).toMatchObject({ mechanism: 'SCRAM-SHA-1', channelBinding: undefined });
    });
  },
  { tlsVersion: '1.2', mechanisms: ['SCRAM-SHA-1', 'PLAIN'] },
);

describeOnEachServer(
  'a server without TLS that wants the password',
  (server) => {
    test('does not get it', async () => {
      let hasAsked = false;
      const password = (): Promise<string> => {
        hasAsked = true;
        return Promise.resolve('secret');
      };
      await expect(connectAccount(server.sandbox, 'alice', { credentials: { password } })).rejects.toThrow(
        'TLS',
      );
      expect(hasAsked).toBe(false);
    });

    test('gets it where that was asked for', async () => {
      await using session = await connectAccount(server.sandbox, 'alice', { allowPlain: true });
      expect(session.info).toMatchObject({ mechanism: 'PLAIN', tls: undefined });
    });
  },
  { encryption: 'none', mechanisms: ['PLAIN'] },
);
