/**
 * Makes a recording of a client that is used a lot: chat messages, an archive being fetched, presence, requests with
 * their replies, acknowledgements, now and then a picture. The same size makes the same bytes.
 *
 *     node test/bench/generate-trace.mjs MEGABYTES FILE
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const self = 'juliet@capulet.example/balcony';
const room = 'verona@rooms.capulet.example';
const says = [
  'Wherefore art thou, Romeo?',
  'How happy is the blameless vestal’s lot! The world forgetting, by the world forgot.',
  'ok',
  'Grüße aus Köln – I will be there at eight.',
  'https://upload.capulet.example/5f2c9d6e/balcony.jpg',
  'A long message, as people write them when they have something to say: it goes on for a while, has a second thought, and then it ends after all, not without having said it twice.',
];
const friends = ['romeo@montague.example/orchard', 'nurse@capulet.example/phone', `${room}/mercutio`];

/** @param write takes the lines, in pieces of about a megabyte */
export function generateLines(bytes, write) {
  let n = 0;
  let t = 0;
  let size = 0;
  let lines = '';
  let picture = '';
  for (let at = 0; at < 9000; at += 1)
    picture += 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef'[(at * at * 31 + at * 7) % 32];
  const put = (record) => {
    lines += `${JSON.stringify(record)}\n`;
    if (lines.length < 1 << 20) return;
    const piece = Buffer.from(lines);
    lines = '';
    size += piece.length;
    write(piece);
  };
  const stamp = (ms) => ({ n: (n += 1), t: (t = Math.round((t + ms) * 1000) / 1000) });
  const data = (dir, text, ms = 0.37) => put({ ...stamp(ms), conn: 1, kind: 'data', dir, text });
  const head = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'`;

  put({
    ...{ kind: 'header', format: 'xmppctl-trace', version: 1 },
    ...{ started: '2026-01-31T10:00:00.000Z', tool: 'xmppctl bench', redacted: true },
  });
  put({ ...stamp(0.2), kind: 'connection', conn: 1, label: `c2s ${self}` });
  put({
    ...{ ...stamp(1), conn: 1, kind: 'event', name: 'tcp' },
    detail: { address: '192.0.2.1', port: 5222, family: 4 },
  });
  const header = `<?xml version='1.0'?>${head} to='capulet.example' version='1.0'>`;
  const answer = `<?xml version='1.0'?>${head} from='capulet.example' id='s1' version='1.0'>`;
  const sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
  const bind = "xmlns='urn:ietf:params:xml:ns:xmpp-bind'";
  data('out', header);
  data(
    'in',
    `${answer}<stream:features><mechanisms ${sasl}><mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>`,
  );
  data('out', `<auth ${sasl} mechanism='SCRAM-SHA-1'>[redacted]</auth>`);
  data('in', `<success ${sasl}>[redacted]</success>`);
  data('out', header);
  data('in', `${answer}<stream:features><bind ${bind}/><sm xmlns='urn:xmpp:sm:3'/></stream:features>`);
  data('out', `<iq type='set' id='b'><bind ${bind}><resource>balcony</resource></bind></iq>`);
  data('in', `<iq type='result' id='b'><bind ${bind}><jid>${self}</jid></bind></iq>`);
  data('out', "<enable xmlns='urn:xmpp:sm:3'/>");
  data('in', "<enabled xmlns='urn:xmpp:sm:3'/>");
  let received = 0;
  for (let turn = 0; size < bytes; turn += 1) {
    const says_ = (index) => says[(turn + index) % says.length];
    const friend = friends[turn % friends.length];
    const id = `${turn.toString(16).padStart(8, '0')}-6d2b-4f5a`;
    // As a client that writes double quotes sends it.
    data(
      'out',
      `<message to="${friend}" type="chat" id="${id}"><body>${says_(0)}</body><active xmlns="http://jabber.org/protocol/chatstates"/><request xmlns="urn:xmpp:receipts"/><markable xmlns="urn:xmpp:chat-markers:0"/><origin-id xmlns="urn:xmpp:sid:0" id="${id}"/></message>`,
    );
    for (let index = 0; index < 3; index += 1) {
      data(
        'in',
        `<message from='${friend}' to='${self}' type='chat' id='${id}-${index}' xml:lang='en'><body>${says_(index)}</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='${id}-${index}'/><stanza-id xmlns='urn:xmpp:sid:0' by='juliet@capulet.example' id='17${turn}${index}'/></message>`,
      );
    }
    data('out', `<iq to='${friend}' type='get' id='v${id}'><query xmlns='jabber:iq:version'/></iq>`);
    data(
      'out',
      `<iq type="set" id="m${id}"><query xmlns="urn:xmpp:mam:2" queryid="q${turn}"><set xmlns="http://jabber.org/protocol/rsm"><max>4</max></set></query></iq>`,
    );
    data(
      'in',
      `<iq from='${friend}' to='${self}' type='result' id='v${id}'><query xmlns='jabber:iq:version'><name>Gajim</name><version>1.8.4</version><os>Debian</os></query></iq>`,
      12.5,
    );
    for (let index = 0; index < 4; index += 1) {
      data(
        'in',
        `<message to='${self}'><result xmlns='urn:xmpp:mam:2' queryid='q${turn}' id='28${turn}${index}'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-01-30T0${index}:11:12Z'/><message xmlns='jabber:client' from='${friend}' to='juliet@capulet.example' type='chat' id='${id}.${index}' xml:lang='en'><body>${says_(index + 1)}</body><markable xmlns='urn:xmpp:chat-markers:0'/><origin-id xmlns='urn:xmpp:sid:0' id='${id}.${index}'/><stanza-id xmlns='urn:xmpp:sid:0' by='juliet@capulet.example' id='28${turn}${index}'/></message></forwarded></result></message>`,
        0.05,
      );
    }
    data(
      'in',
      `<iq to='${self}' type='result' id='m${id}'><fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><first index='0'>28${turn}0</first><last>28${turn}3</last><count>4</count></set></fin></iq><r xmlns='urn:xmpp:sm:3'/>`,
    );
    // Three messages, two replies, four from the archive; behind the acknowledgement a presence, and maybe a picture.
    received += 9;
    data('out', `<a xmlns='urn:xmpp:sm:3' h='${received}'/>`);
    received += turn % 20 === 0 ? 2 : 1;
    data(
      'in',
      `<presence from='${friend}' to='${self}' xml:lang='en'><show>away</show><status>${says_(3)}</status><priority>5</priority><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://gajim.org' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/><x xmlns='vcard-temp:x:update'><photo>7fd1a56060d2d3a8f2f6d3b1d2e4c5b6a7f8e9d0</photo></x></presence>`,
    );
    if (turn % 20 !== 0) continue;
    data(
      'out',
      `<iq to='${friend}' type='get' id='p${id}'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'/></pubsub></iq>`,
    );
    // A reply of several packets.
    const reply = `<iq from='${friend}' to='${self}' type='result' id='p${id}'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'><item id='7fd1a560'><data xmlns='urn:xmpp:avatar:data'>${picture}</data></item></items></pubsub></iq>`;
    for (let at = 0; at < reply.length; at += 4096) data('in', reply.slice(at, at + 4096));
  }
  write(Buffer.from(lines));
}

/** Writes a recording of about so many megabytes. */
export function generateTrace(megabytes, file) {
  const fd = openSync(file, 'w', 0o600);
  try {
    generateLines(megabytes * 1e6, (piece) => writeSync(fd, piece));
  } finally {
    closeSync(fd);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, , megabytes, file] = process.argv;
  generateTrace(Number(megabytes), file);
}
