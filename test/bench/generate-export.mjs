/**
 * Makes an XEP-0227 file as ejabberd exports it: accounts with credentials, rosters, private XML and cards, one in four
 * with a picture. The same seed makes the same bytes.
 *
 *     node test/bench/generate-export.mjs ACCOUNTS FILE [SEED]
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const given = [
  'Anna',
  'Björn',
  'Chloé',
  'Dmitri',
  'Elif',
  'Fatima',
  'Grzegorz',
  'Hana',
  'Iñaki',
  'Jürgen',
  'Kenji',
  '李雷',
];
const family = [
  'Müller',
  'Kowalski',
  'Smith',
  "O'Neill",
  'García',
  'Ivanov',
  'Yılmaz',
  'Tanaka',
  'Nguyễn',
  'Åkesson',
];
const cities = ['Berlin', 'Kraków', 'London', 'Paris', 'Tōkyō', 'İstanbul', 'São Paulo'];

/** Small and quick; good enough for what nobody guesses (mulberry32). */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&apos;');

export function generateExport(count, file, seed = 227) {
  const random = randomFrom(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  // One block of noise, of which pictures are cut: base64 of noise is what base64 of a JPEG looks like.
  const noise = Buffer.alloc(256 * 1024);
  for (let at = 0; at < noise.length; at += 4) noise.writeUInt32LE(Math.floor(random() * 4294967296), at);
  const jpeg = Buffer.from('ffd8ffe000104a46494600010101004800480000ffc0000b080060006001011100', 'hex');
  const photo = () => {
    const length = Math.floor(2048 + (random() + random()) * 26_000);
    const from = Math.floor(random() * (noise.length - length));
    return Buffer.concat([jpeg, noise.subarray(from, from + length)]).toString('base64');
  };
  const key = (index, what, bytes) =>
    Buffer.from(
      createHash('sha1').update(`${index} ${what}`).digest().subarray(0, bytes).toString('base64'),
    ).toString('base64');
  const out = openSync(file, 'w');
  let pending = [];
  let pendingLength = 0;
  let written = 0;
  const flush = () => {
    const block = Buffer.from(pending.join(''));
    writeSync(out, block);
    written += block.length;
    pending = [];
    pendingLength = 0;
  };
  const add = (text) => {
    pending.push(text);
    pendingLength += text.length;
    if (pendingLength > 4 * 1024 * 1024) flush();
  };
  add(
    "<?xml version='1.0' encoding='UTF-8'?><server-data xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude'><host xmlns='urn:xmpp:pie:0' jid='bench.example'>",
  );
  for (let index = 0; index < count; index += 1) {
    const [first, last] = [pick(given), pick(family)];
    add(
      `<user name='user${index}'><scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'><iter-count>4096</iter-count><salt>${key(index, 'salt', 16)}</salt><server-key>${key(index, 'server', 20)}</server-key><stored-key>${key(index, 'stored', 20)}</stored-key></scram-credentials>`,
    );
    if (random() < 0.92) {
      add(
        `<vCard xmlns='vcard-temp'><FN>${escape(`${first} ${last}`)}</FN><N><FAMILY>${escape(last)}</FAMILY><GIVEN>${escape(first)}</GIVEN></N><NICKNAME>${first.toLowerCase()}${index}</NICKNAME>`,
      );
      if (random() < 0.4)
        add(
          `<BDAY>19${10 + Math.floor(random() * 89)}-0${1 + Math.floor(random() * 9)}-1${Math.floor(random() * 10)}</BDAY>`,
        );
      if (random() < 0.5) add(`<EMAIL><INTERNET/><HOME/><USERID>user${index}@mail.example</USERID></EMAIL>`);
      if (random() < 0.3)
        add(`<TEL><CELL/><VOICE/><NUMBER>+49 30 ${1000000 + Math.floor(random() * 8999999)}</NUMBER></TEL>`);
      if (random() < 0.3)
        add(
          `<ADR><HOME/><STREET>${Math.floor(random() * 200)} Main St &amp; Co</STREET><LOCALITY>${pick(cities)}</LOCALITY><PCODE>${10000 + Math.floor(random() * 89999)}</PCODE><CTRY>Europe</CTRY></ADR>`,
        );
      if (random() < 0.2)
        add(
          `<ORG><ORGNAME>Example ${Math.floor(random() * 50)}</ORGNAME><ORGUNIT>R&amp;D</ORGUNIT></ORG><TITLE>Engineer</TITLE>`,
        );
      if (random() < 0.2) add(`<URL>https://example.org/~user${index}</URL>`);
      if (random() < 0.1)
        add(
          `<DESC>I am ${escape(first)}, and this is a text of some length about me that says nothing in particular.</DESC>`,
        );
      if (random() < 0.253) add(`<PHOTO><TYPE>image/jpeg</TYPE><BINVAL>${photo()}</BINVAL></PHOTO>`);
      add('</vCard>');
    }
    const contacts = Math.floor(random() * 12);
    if (contacts > 0) {
      add("<query xmlns='jabber:iq:roster'>");
      for (let contact = 0; contact < contacts; contact += 1)
        add(
          `<item jid='user${Math.floor(random() * count)}@bench.example' name='${escape(`${pick(given)} ${pick(family)}`)}' subscription='both'><group>Friends</group></item>`,
        );
      add('</query>');
    }
    if (random() < 0.3)
      add(
        "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'><conference jid='room@conference.bench.example' autojoin='1'><nick>me</nick></conference></storage></query>",
      );
    add('</user>\n');
  }
  add('</host></server-data>');
  flush();
  closeSync(out);
  return written;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , count, file, seed] = process.argv;
  console.log(generateExport(Number(count), file, seed === undefined ? undefined : Number(seed)));
}
