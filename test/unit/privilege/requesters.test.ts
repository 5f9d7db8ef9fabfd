import { describe, expect, test } from 'vitest';
import { ProtocolError, RemoteError, StanzaError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { BlindRequester, sendAsComponent, sendByApi } from '../../../src/lib/privilege/blind-requester.js';
import { PrivilegedRequester } from '../../../src/lib/privilege/privileged-requester.js';
import type { IqRequest } from '../../../src/lib/session/session.js';
import { xml, type Element } from '../../../src/lib/xml/element.js';
import { parseXml } from '../../../src/lib/xml/parse.js';

const account = JID.parse('bob@a.example');
const ping = (): Element => xml('ping', { xmlns: 'urn:xmpp:ping' });
const answer = (inner: string): Element =>
  parseXml(
    `<iq xmlns='jabber:component:accept' type='result'><privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'>${inner}</forwarded></privilege></iq>`,
  );

function privileged(reply: Element | Error): { sent: IqRequest[]; requester: PrivilegedRequester } {
  const sent: IqRequest[] = [];
  const request = (asked: IqRequest): Promise<Element> => {
    sent.push(asked);
    return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply);
  };
  return { sent, requester: new PrivilegedRequester({ request }, account) };
}

const refused = (condition: string) => new StanzaError(condition, 'auth', undefined, undefined, 'a.example');

describe('a privileged request', () => {
  test('is wrapped for the account, and its inner answer is what counts', async () => {
    const { sent, requester } = privileged(answer(`<iq xmlns='jabber:client' type='result'><pong/></iq>`));
    const reply = await requester.request({ type: 'get', payload: ping() });
    expect(reply.getChild('pong')).toBeDefined();
    expect(sent[0]).toMatchObject({ type: 'get', to: account });
    expect(sent[0]?.payload.toString()).toBe(
      '<privileged_iq xmlns="urn:xmpp:privilege:2"><iq xmlns="jabber:client" type="get" id="p1" to="bob@a.example"><ping xmlns="urn:xmpp:ping"/></iq></privileged_iq>',
    );
  });

  test('fails when the inner answer is an error, although the outer one is none', async () => {
    const error = `<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`;
    const { requester } = privileged(answer(`<iq xmlns='jabber:client' type='error'>${error}</iq>`));
    const failure = requester.request({ type: 'get', payload: ping() });
    await expect(failure).rejects.toBeInstanceOf(StanzaError);
    await expect(failure).rejects.toMatchObject({ condition: 'item-not-found' });
  });

  test.each([
    ['forbidden', 'there is no account bob@a.example, or its host gives this component no privilege'],
    ['service-unavailable', 'the server knows no privileged requests'],
  ])('that is answered %s says what that means', async (condition, message) => {
    const failure = privileged(refused(condition)).requester.request({ type: 'set', payload: ping() });
    await expect(failure).rejects.toBeInstanceOf(RemoteError);
    await expect(failure).rejects.toThrow(message);
  });

  test('passes other errors on, and wants an answer in the answer', async () => {
    const other = refused('policy-violation');
    await expect(privileged(other).requester.request({ type: 'set', payload: ping() })).rejects.toBe(other);
    const empty = privileged(xml('iq', { type: 'result' })).requester.request({
      type: 'get',
      payload: ping(),
    });
    await expect(empty).rejects.toBeInstanceOf(ProtocolError);
  });
});

test('a component that impersonates asks in its own name, and changes in that of the account', async () => {
  const sent: string[] = [];
  const session = {
    request: ({ type, to }: IqRequest) => {
      sent.push(`${type} ${String(to)}`);
      return Promise.resolve(xml('iq'));
    },
    send: (stanza: Element) => {
      sent.push(
        `${String(stanza.attrs['from'])} ${String(stanza.attrs['type'])} ${String(stanza.attrs['to'])}`,
      );
      return Promise.resolve();
    },
  };
  const requester = new BlindRequester(session, sendAsComponent(session), account);
  await requester.request({ type: 'get', payload: ping() });
  await requester.request({ type: 'set', payload: ping() });
  expect(sent).toEqual(['get bob@a.example', 'bob@a.example set bob@a.example']);
});

test('the commands of ejabberd are given the change, with the addresses beside it', async () => {
  const given: { from: JID; to: JID | string; text: string }[] = [];
  const send = sendByApi({
    sendStanza: (stanza) => {
      given.push(stanza);
      return Promise.resolve();
    },
  });
  const reader = { request: () => Promise.reject(new Error('nothing is to be read')) };
  await new BlindRequester(reader, send, account).request({ type: 'set', payload: ping() });
  expect(given).toHaveLength(1);
  expect(given[0]).toMatchObject({ from: account, to: account });
  expect(given[0]?.text).toMatch(/^<iq type="set" id="[0-9a-f-]{36}"><ping xmlns="urn:xmpp:ping"\/><\/iq>$/);
});
