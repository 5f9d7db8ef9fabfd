/**
 * What a server itself takes: the stanzas of a migration, made beforehand, written to a bare socket. Prints how many
 * accounts have their card.
 *
 *     bare-migrate.cjs privileged|listener|api ACCOUNTS-FILE     facts about the server on standard input
 */
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const https = require('node:https');
const net = require('node:net');
const tls = require('node:tls');

const [, , mode, file] = process.argv;
const facts = JSON.parse(readFileSync(0, 'utf8'));
const accounts = readFileSync(file, 'utf8').trim().split('\n');
const window = 10;
const NS = 'http://jabber.org/protocol/pubsub';
const item = (node) => `<pubsub xmlns='${NS}'><items node='${node}' max_items='1'/></pubsub>`;
const options = `<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>${NS}#publish-options</value></field><field var='pubsub#persist_items'><value>true</value></field><field var='pubsub#access_model'><value>open</value></field></x></publish-options>`;
const publish = (node, id, payload) =>
  `<pubsub xmlns='${NS}'><publish node='${node}'><item id='${id}'>${payload}</item></publish>${options}</pubsub>`;
const cardOf = (account) =>
  `<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>User ${account}</text></fn><nickname><text>${account}</text></nickname><url><uri>https://example.org/${account}</uri></url></vcard>`;

/** As the accounts have them: every fourth. */
function changesOf(account) {
  const index = Number(/^u(\d+)@/.exec(account)[1]);
  const card = ['urn:xmpp:vcard4', 'current', cardOf(account)];
  if (index % 4 !== 0) return [card];
  const data = Buffer.alloc(4096 + ((index * 7919) % 20_480) + 13, index);
  const id = createHash('sha1').update(data).digest('hex');
  const info = `<metadata xmlns='urn:xmpp:avatar:metadata'><info id='${id}' bytes='${data.length}' type='image/gif' width='64' height='64'/></metadata>`;
  const content = `<data xmlns='urn:xmpp:avatar:data'>${data.toString('base64')}</data>`;
  return [['urn:xmpp:avatar:data', id, content], ['urn:xmpp:avatar:metadata', id, info], card];
}

const reads = (account) => [
  ['get', account, item('urn:xmpp:vcard4')],
  ['get', account, item('urn:xmpp:avatar:metadata')],
  ['get', account, "<vCard xmlns='vcard-temp'/>"],
];
/** What was written, and nothing else; the picture by its id. */
const readBacks = (account) =>
  changesOf(account).map(([node, id]) => [
    'get',
    account,
    node === 'urn:xmpp:avatar:data'
      ? `<pubsub xmlns='${NS}'><items node='${node}'><item id='${id}'/></items></pubsub>`
      : item(node),
  ]);
const writes = (account) => changesOf(account).map((change) => ['set', account, publish(...change)]);

/** A tag whose end has not come yet. */
function unfinished(text) {
  const start = text.lastIndexOf('<');
  return text.includes('>', start) ? '' : text.slice(Math.max(0, start));
}

async function openComponent(port, name, secret) {
  const socket = net.connect(port, facts.host);
  socket.setNoDelay(true);
  let text = '';
  let wake = () => {};
  socket.on('data', (chunk) => {
    text += chunk;
    wake();
  });
  const until = async (pattern) => {
    for (;;) {
      const found = pattern.exec(text);
      if (found) return found;
      await new Promise((resolve) => (wake = resolve));
    }
  };
  socket.write(
    `<?xml version='1.0'?><stream:stream to='${name}' xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>`,
  );
  const [, id] = await until(/ id=['"]([^'"]+)['"]/);
  socket.write(
    `<handshake>${createHash('sha1')
      .update(id + secret)
      .digest('hex')}</handshake>`,
  );
  await until(/<handshake/);
  text = '';
  return {
    socket,
    take: (handler) => {
      wake = () => {
        handler(text);
        text = unfinished(text);
      };
      wake();
    },
  };
}

/** Each account's stanzas at once, and so many accounts at a time; every stanza is answered. */
async function throughComponent({ port, name, secret, wrap, stanzasOf, isAnswered }) {
  const { socket, take } = await openComponent(port, name, secret);
  let confirmed = 0;
  await new Promise((resolve) => {
    let next = 0;
    const open = new Map();
    const start = () => {
      if (next === accounts.length) return open.size === 0 && resolve();
      const index = next++;
      const stanzas = stanzasOf(accounts[index]);
      open.set(index, { left: stanzas.filter(([type]) => isAnswered(type)).length });
      socket.write(
        stanzas.map(([type, to, payload], number) => wrap(type, to, payload, `r${index}x${number}`)).join(''),
      );
    };
    take((text) => {
      for (const [, id] of text.matchAll(/<iq [^>]*?id=['"]r(\d+)x\d+['"][^>]*>/g)) {
        const account = open.get(Number(id));
        if (account && --account.left === 0) {
          open.delete(Number(id));
          confirmed += 1;
          start();
        }
      }
    });
    for (let count = 0; count < window; count += 1) start();
  });
  socket.end();
  return confirmed;
}

const modes = {
  privileged: () =>
    throughComponent({
      port: facts.ports.component,
      name: facts.addresses.privileged,
      secret: facts.componentSecret,
      stanzasOf: (account) => [...reads(account), ...writes(account)],
      isAnswered: () => true,
      wrap: (type, to, payload, id) =>
        `<iq type='${type}' from='${facts.addresses.privileged}' to='${to}' id='${id}'><privileged_iq xmlns='urn:xmpp:privilege:2'><iq xmlns='jabber:client' type='${type}' id='i' to='${to}'>${payload}</iq></privileged_iq></iq>`,
    }),
  listener: () =>
    throughComponent({
      port: facts.listener.port,
      name: facts.listener.name,
      secret: facts.listener.secret,
      stanzasOf: (account) => [...reads(account), ...writes(account), ...readBacks(account)],
      isAnswered: (type) => type === 'get',
      wrap: (type, to, payload, id) =>
        `<iq type='${type}' from='${type === 'get' ? facts.listener.name : to}' to='${to}' id='${id}'>${payload}</iq>`,
    }),
  api: throughApi,
};

/** The administrator's own stream, over TLS: what is asked is answered there. */
async function openClient() {
  const { hostname, port } = new URL(facts.services.tls);
  const { jid, password } = facts.accounts.admin;
  const [local, domain] = jid.split('@');
  const ca = readFileSync(facts.caFile);
  const socket = tls.connect({ host: hostname, port: Number(port), servername: domain, ca });
  let text = '';
  let wake = () => {};
  socket.on('data', (chunk) => {
    text += chunk;
    wake();
  });
  const until = async (pattern) => {
    while (!pattern.test(text)) await new Promise((resolve) => (wake = resolve));
    text = '';
  };
  const open = `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;
  socket.write(open);
  await until(/<\/stream:features>/);
  const proof = Buffer.from(`\0${local}\0${password}`).toString('base64');
  socket.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${proof}</auth>`);
  await until(/<success/);
  socket.write(open);
  await until(/<\/stream:features>/);
  socket.write("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
  await until(/<\/iq>/);
  const waiting = new Map();
  let count = 0;
  wake = () => {
    for (const [, id] of text.matchAll(/<iq [^>]*?id=['"]r(\d+)['"][^>]*>/g)) {
      waiting.get(id)?.();
      waiting.delete(id);
    }
    text = unfinished(text);
  };
  return {
    socket,
    askAll: (stanzas) =>
      Promise.all(
        stanzas.map(([type, to, payload]) => {
          const id = String(++count);
          socket.write(`<iq type='${type}' to='${to}' id='r${id}'>${payload}</iq>`);
          return new Promise((resolve) => waiting.set(id, resolve));
        }),
      ),
  };
}

/** So many accounts at a time; the changes of all of them one after the other, as ejabberd wants them. */
async function throughApi() {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(facts.caFile) });
  const { jid, password } = facts.accounts.admin;
  const call = (args) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(args);
      const request = https.request(`${facts.services.api}/send_stanza`, {
        method: 'POST',
        agent,
        auth: `${jid}:${password}`,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      });
      request.on('error', reject);
      request.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode)));
      request.end(body);
    });
  const { socket, askAll } = await openClient();
  let last = Promise.resolve();
  const inTurn = (work) => (last = last.then(work));
  let confirmed = 0;
  let next = 0;
  const move = async () => {
    while (next < accounts.length) {
      const account = accounts[next++];
      await askAll(reads(account));
      let isGood = true;
      for (const [type, to, payload] of writes(account)) {
        const stanza = `<iq type='${type}' id='r'>${payload}</iq>`;
        const status = await inTurn(() => call({ from: to, to, stanza }));
        isGood &&= status === 200;
      }
      await askAll(readBacks(account));
      if (isGood) confirmed += 1;
    }
  };
  await Promise.all(Array.from({ length: window }, move));
  agent.destroy();
  socket.end();
  return confirmed;
}

modes[mode]().then((confirmed) => process.stdout.write(`${confirmed}\n`));
