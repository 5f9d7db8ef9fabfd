/** A component (XEP-0114) that sends many messages as fast as the server takes them. */
import { createHash } from 'node:crypto';
import net from 'node:net';

/** Resolves when the last byte has been handed to the server and it has answered a ping sent after it. */
export async function flood(to, count) {
  const {
    XMPPCTL_SANDBOX_HOST: host,
    XMPPCTL_SANDBOX_COMPONENT_PORT: port,
    XMPPCTL_SANDBOX_COMPONENT_SECRET: secret,
  } = process.env;
  const name = process.env.XMPPCTL_SANDBOX_COMPONENT;
  const socket = net.connect(Number(port), host);
  let received = '';
  let wake = () => {};
  socket.on('data', (chunk) => {
    received += chunk;
    wake();
  });
  const until = async (pattern) => {
    while (!pattern.test(received)) await new Promise((resolve) => (wake = resolve));
    const match = pattern.exec(received);
    received = '';
    return match;
  };
  socket.write(
    `<?xml version='1.0'?><stream:stream to='${name}' xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>`,
  );
  const [, id] = await until(/<stream:stream[^>]*\bid=['"]([^'"]+)['"]/);
  socket.write(
    `<handshake>${createHash('sha1')
      .update(id + secret)
      .digest('hex')}</handshake>`,
  );
  await until(/<handshake/);
  for (let sent = 0; sent < count;) {
    let batch = '';
    for (let size = 0; size < 200 && sent < count; size += 1, sent += 1) {
      batch += `<message from='flood@${name}' to='${to}' type='chat' id='m${sent}'><body>message number ${sent} with some words in it</body></message>`;
    }
    if (!socket.write(batch)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  socket.write(
    `<iq from='flood@${name}' to='${process.env.XMPPCTL_SANDBOX_DOMAIN}' type='get' id='last'><ping xmlns='urn:xmpp:ping'/></iq>`,
  );
  await until(/id=['"]last['"]/);
  socket.end('</stream:stream>');
}
