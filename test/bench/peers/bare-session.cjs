/** A login with Node's sockets and string searches: STARTTLS, SCRAM-SHA-256, bind. What bare peers stand on. */
const net = require('node:net');
const tls = require('node:tls');
const crypto = require('node:crypto');
const fs = require('node:fs');

const {
  XMPPCTL_SANDBOX_DOMAIN: domain,
  XMPPCTL_SANDBOX_HOST: host,
  XMPPCTL_SANDBOX_PORT: port,
} = process.env;
const ca = fs.readFileSync(process.env.XMPPCTL_SANDBOX_CA_FILE);
const header = `<?xml version='1.0'?><stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;

/**
 * @returns `write`, and `until`, which resolves with what has come up to and with a text
 */
async function login(user) {
  const password = process.env[`XMPPCTL_SANDBOX_PASSWORD_${user.toUpperCase()}`];
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
  const clientFirst = `n=${user},r=${nonce}`;
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
  return { write: (text) => socket.write(text), end: (text) => socket.end(text), until };
}

module.exports = { login, domain };
