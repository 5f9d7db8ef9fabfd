/**
 * The floor: STARTTLS, SCRAM-SHA-256, bind, stream management, one message, its acknowledgement and the close,
 * with Node's sockets and string searches. No XML parser, no command line: nothing a product could leave out.
 *
 * With `--publish=N NODE` it publishes N items to a node instead, fifty under way at a time.
 */
const net = require('node:net');
const tls = require('node:tls');
const crypto = require('node:crypto');
const fs = require('node:fs');

const {
  XMPPCTL_SANDBOX_DOMAIN: domain,
  XMPPCTL_SANDBOX_HOST: host,
  XMPPCTL_SANDBOX_PORT: port,
} = process.env;
const password = process.env.XMPPCTL_SANDBOX_PASSWORD_ALICE;
const ca = fs.readFileSync(process.env.XMPPCTL_SANDBOX_CA_FILE);
const header = `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;

let socket = net.connect(Number(port), host);
let received = '';
let wanted;

function until(text) {
  return new Promise((resolve) => {
    wanted = { text, resolve };
    check();
  });
}

function check() {
  const end = wanted ? received.indexOf(wanted.text) : -1;
  if (end < 0) return;
  const { text, resolve } = wanted;
  const part = received.slice(0, end + text.length);
  received = received.slice(end + text.length);
  wanted = undefined;
  resolve(part);
}

function listen() {
  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    received += chunk;
    check();
  });
}

async function publish(count, node) {
  const service = process.env.XMPPCTL_SANDBOX_PUBSUB;
  const send = (id) =>
    socket.write(
      `<iq type='set' id='p${id}' to='${service}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>` +
        `<publish node='${node}'><item id='${id}'><n xmlns='urn:n'>${id}</n></item></publish></pubsub></iq>`,
    );
  let sent = 0;
  for (let confirmed = 0; confirmed < count; confirmed += 1) {
    while (sent < count && sent - confirmed < 50) send(sent++);
    const answer = await until('</iq>');
    if (!/type=['"]result['"]/.test(answer)) throw new Error(answer);
  }
}

async function main() {
  listen();
  socket.write(header);
  await until('</stream:features>');
  socket.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  await until('<proceed');
  socket.removeAllListeners('data');
  received = '';
  socket = tls.connect({ socket, servername: domain, ca });
  // Prosody waits for an acknowledgement after each session ticket (Nagle): a byte from us spares it the delay.
  socket.on('session', () => setImmediate(() => socket.write(' ')));
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  listen();
  socket.write(header);
  await until('</stream:features>');
  const nonce = crypto.randomBytes(18).toString('base64');
  const clientFirst = `n=alice,r=${nonce}`;
  socket.write(
    `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>${Buffer.from(`n,,${clientFirst}`).toString('base64')}</auth>`,
  );
  const challenge = await until('</challenge>');
  const serverFirst = Buffer.from(/>([A-Za-z0-9+/=]+)<\/challenge>/.exec(challenge)[1], 'base64').toString();
  const { r, s, i } = Object.fromEntries(serverFirst.split(',').map((part) => [part[0], part.slice(2)]));
  const withoutProof = `c=biws,r=${r}`;
  const salted = crypto.pbkdf2Sync(password, Buffer.from(s, 'base64'), Number(i), 32, 'sha256');
  const hmac = (key, data) => crypto.createHmac('sha256', key).update(data).digest();
  const clientKey = hmac(salted, 'Client Key');
  const storedKey = crypto.createHash('sha256').update(clientKey).digest();
  const signature = hmac(storedKey, `${clientFirst},${serverFirst},${withoutProof}`);
  const proof = clientKey.map((byte, index) => byte ^ signature[index]).toString('base64');
  socket.write(
    `<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${Buffer.from(`${withoutProof},p=${proof}`).toString('base64')}</response>`,
  );
  await until('</success>');
  socket.write(header);
  await until('</stream:features>');
  socket.write("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
  await until('</iq>');
  const publishing = /^--publish=(\d+)$/.exec(process.argv[2] ?? '');
  if (publishing) {
    await publish(Number(publishing[1]), process.argv[3]);
    process.exit(0);
  }
  socket.write(
    "<enable xmlns='urn:xmpp:sm:3'/>" +
      `<message to='bob@${domain}' type='chat'><body>hello</body></message><r xmlns='urn:xmpp:sm:3'/>`,
  );
  await until('<enabled');
  await until('<a ');
  socket.end('</stream:stream>');
  await until('</stream:stream>');
  process.exit(0);
}

void main();
