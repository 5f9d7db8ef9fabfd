import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../src/lib/errors.js';
import { decodeJingle, encodeJingle } from '../../../src/lib/jingle/stanzas.js';
import { parseXml } from '../../../src/lib/xml/parse.js';

const jingle = (inner: string, attributes = "action='session-initiate' sid='a'") =>
  parseXml(`<jingle xmlns='urn:xmpp:jingle:1' ${attributes}>${inner}</jingle>`);

describe('decodeJingle', () => {
  it('reads an offer with its description and transport', () => {
    const message = decodeJingle(
      jingle(
        `<content creator='initiator' name='f' senders='initiator'>
           <description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file/></description>
           <transport xmlns='urn:xmpp:jingle:transports:ibb:1' sid='s' block-size='4096'/>
         </content>`,
        "action='session-initiate' sid='a' initiator='romeo@montague.example/x'",
      ),
    );
    expect(message).toMatchObject({
      action: 'session-initiate',
      sid: 'a',
      initiator: 'romeo@montague.example/x',
    });
    const [content] = message.contents;
    expect(content).toMatchObject({ creator: 'initiator', name: 'f', senders: 'initiator' });
    expect(content?.description?.getNS()).toBe('urn:xmpp:jingle:apps:file-transfer:5');
    expect(content?.transport?.attrs['sid']).toBe('s');
  });

  it('takes both as the senders when none are named', () => {
    expect(decodeJingle(jingle("<content creator='initiator' name='v'/>")).contents[0]?.senders).toBe('both');
  });

  it('keeps the payload of session-info apart from contents and reason', () => {
    const message = decodeJingle(
      jingle(
        "<received xmlns='urn:xmpp:jingle:apps:file-transfer:5' name='f'/>",
        "action='session-info' sid='a'",
      ),
    );
    expect(message.payload.map((element) => element.getName())).toEqual(['received']);
  });

  it.each([
    ['<reason><success/></reason>', { condition: 'success', details: [] }],
    [
      '<reason><timeout/><text>too slow</text></reason>',
      { condition: 'timeout', text: 'too slow', details: [] },
    ],
    [
      '<reason><alternative-session><sid>b</sid></alternative-session></reason>',
      { condition: 'alternative-session', alternativeSid: 'b', details: [] },
    ],
    ['<reason><failed_transport/></reason>', { condition: 'failed-transport', details: [] }],
    ['<reason><something-new/></reason>', { condition: 'something-new', details: [] }],
    ['<reason/>', { condition: 'general-error', details: [] }],
  ])('reads the reason %s', (xml, reason) => {
    expect(decodeJingle(jingle(xml, "action='session-terminate' sid='a'")).reason).toEqual(reason);
  });

  it.each([
    ["action='session-start' sid='a'", '', '@action'],
    ["action='session-initiate'", '', '@sid'],
    ["action='session-initiate' sid='a'", "<content creator='initiator'/>", 'content@name'],
    ["action='session-initiate' sid='a'", "<content creator='me' name='f'/>", 'content@creator'],
    [
      "action='session-initiate' sid='a'",
      "<content creator='initiator' name='f' senders='all'/>",
      '@senders',
    ],
  ])('refuses <jingle %s>%s and says where', (attributes, inner, place) => {
    expect(() => decodeJingle(jingle(inner, attributes))).toThrow(DecodeError);
    expect(() => decodeJingle(jingle(inner, attributes))).toThrow(place);
  });
});

it('encodeJingle writes what decodeJingle reads', () => {
  const message = decodeJingle(
    jingle(
      "<content creator='responder' name='f' senders='none' disposition='session'/><reason><cancel/><text>no</text></reason>",
      "action='content-remove' sid='a' responder='j@capulet.example/b'",
    ),
  );
  expect(decodeJingle(encodeJingle(message))).toEqual(message);
});
