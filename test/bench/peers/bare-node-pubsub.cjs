/**
 * What the server itself takes, measured with bare sockets. Prints JSON.
 *
 *     bare-node-pubsub.cjs --latency=N NODE   milliseconds from publishing an item to its notification, N times
 *     bare-node-pubsub.cjs --read=SIZE NODE   all items of a node, by pages of SIZE: how many
 */
const { login, domain } = require('./bare-session.cjs');

const service = process.env.XMPPCTL_SANDBOX_PUBSUB;
const NS = 'http://jabber.org/protocol/pubsub';

async function latency(count, node) {
  const [publisher, subscriber] = [await login('alice'), await login('bob')];
  subscriber.write('<presence/>');
  subscriber.write(
    `<iq type='set' id='s' to='${service}'><pubsub xmlns='${NS}'><subscribe node='${node}' jid='bob@${domain}'/></pubsub></iq>`,
  );
  await subscriber.until('</iq>');
  const times = [];
  for (let number = 0; number < count; number += 1) {
    const started = performance.now();
    publisher.write(
      `<iq type='set' id='p${number}' to='${service}'><pubsub xmlns='${NS}'>` +
        `<publish node='${node}'><item id='bare${number}'><n xmlns='urn:n'>${number}</n></item></publish></pubsub></iq>`,
    );
    await subscriber.until(`bare${number}`);
    times.push(performance.now() - started);
    await subscriber.until('</message>');
  }
  return times;
}

async function read(size, node) {
  const session = await login('alice');
  let after = '';
  let items = 0;
  for (;;) {
    session.write(
      `<iq type='get' id='g' to='${service}'><pubsub xmlns='${NS}'><items node='${node}'/>` +
        `<set xmlns='http://jabber.org/protocol/rsm'><max>${size}</max>${after}</set></pubsub></iq>`,
    );
    const page = await session.until('</iq>');
    items += page.split('<item ').length - 1;
    const last = /<last>([^<]*)<\/last>/.exec(page)?.[1];
    const count = /<count>(\d+)/.exec(page)?.[1];
    if (last === undefined || items >= Number(count)) return items;
    after = `<after>${last}</after>`;
  }
}

const [, what, number] = /^--(latency|read)=(\d+)$/.exec(process.argv[2]) ?? [];
void (what === 'latency' ? latency : read)(Number(number), process.argv[3]).then((result) => {
  process.stdout.write(JSON.stringify(result));
  process.exit(0);
});
