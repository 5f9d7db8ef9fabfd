/**
 * The floor: STARTTLS, SCRAM-SHA-256, bind, stream management, one message, its acknowledgement and the close,
 * with Node's sockets and string searches. No XML parser, no command line: nothing a product could leave out.
 *
 * With `--publish=N NODE` it publishes N items to a node instead, fifty under way at a time.
 */
const { login, domain } = require('./bare-session.cjs');

async function publish({ write, until }, count, node) {
  const service = process.env.XMPPCTL_SANDBOX_PUBSUB;
  const send = (id) =>
    write(
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
  const session = await login('alice');
  const publishing = /^--publish=(\d+)$/.exec(process.argv[2] ?? '');
  if (publishing) {
    await publish(session, Number(publishing[1]), process.argv[3]);
    process.exit(0);
  }
  session.write(
    "<enable xmlns='urn:xmpp:sm:3'/>" +
      `<message to='bob@${domain}' type='chat'><body>hello</body></message><r xmlns='urn:xmpp:sm:3'/>`,
  );
  await session.until('<enabled');
  await session.until('<a ');
  session.end('</stream:stream>');
  await session.until('</stream:stream>');
  process.exit(0);
}

void main();
