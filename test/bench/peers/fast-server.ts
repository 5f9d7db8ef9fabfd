/**
 * A server that is never the slower part: an honest login, and from then on bytes are counted, not parsed. Prosody takes
 * longer for a message than any client, so a race through it measures Prosody.
 *
 *     node fast-server.mjs COUNT CA-FILE [notifications]
 *
 * prints one line of JSON with its address, then one for each client that has gone. Whoever sends presence gets that many
 * messages, or notifications; whoever sends messages has them acknowledged, whoever publishes items has them confirmed,
 * and each node has that many items.
 */
import { writeFileSync } from 'node:fs';
import type { Element } from '@xmpp/xml';
import { startFakeServer } from '../../support/fake-server.js';
import type { FakePeer } from '../../support/fake-server/peer.js';

const count = Number(process.argv[2]);
const caFile = process.argv[3] ?? '';
const isNotifying = process.argv[4] === 'notifications';
const NS_SM = 'urn:xmpp:sm:3';

function bind(peer: FakePeer, request: Element | undefined): void {
  const jid = `bob@fake.test/${request?.getChild('bind')?.getChildText('resource') ?? 'bench'}`;
  const { socket } = peer;
  socket.removeAllListeners('data');
  let rest = '';
  let stanzas = 0;
  let messages = 0;
  let startedMs: number | undefined;
  socket.on('data', (chunk: Buffer) => {
    rest += chunk.toString('latin1');
    let end = 0;
    for (const match of rest.matchAll(/<(message|presence|iq|r|enable|\/stream:stream)\b([^>]*)>/g)) {
      end = match.index + match[0].length;
      const [, name, attributes = ''] = match;
      if (name === 'r') {
        socket.write(`<a xmlns='${NS_SM}' h='${stanzas}'/>`);
      } else if (name === 'enable') {
        stanzas = 0;
        socket.write(`<enabled xmlns='${NS_SM}' id='bench' resume='true'/>`);
      } else if (name === '/stream:stream') {
        socket.end('</stream:stream>');
      } else {
        stanzas += 1;
        startedMs ??= name === 'iq' ? undefined : performance.now();
        if (name === 'message') messages += 1;
        if (name === 'iq') answer(attributes, rest.slice(end, end + 300));
        if (name === 'presence' && !attributes.includes('type=')) flood();
      }
    }
    rest = rest.slice(Math.max(end, rest.lastIndexOf('<')));
  });
  socket.on('close', () => {
    const wallMs = startedMs === undefined ? 0 : performance.now() - startedMs;
    process.stdout.write(`${JSON.stringify({ jid, messages, wallMs })}\n`);
  });
  socket.write(
    `<iq type='result' id='${String(request?.attrs['id'])}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>${jid}</jid></bind></iq>`,
  );

  function answer(attributes: string, content: string): void {
    const value = (name: string): string => new RegExp(`\\b${name}=["']([^"']*)`).exec(attributes)?.[1] ?? '';
    if (value('type') === 'result' || value('type') === 'error') return;
    const addresses = `id='${value('id')}' to='${jid}'${value('to') ? ` from='${value('to')}'` : ''}`;
    const wanted = /<items node=[^]*<max>(\d+)<\/max>(?:<after>(\d+))?/.exec(content);
    if (value('type') === 'get' && content.includes('<items ')) {
      const latest = /max_items=["'](\d+)/.exec(content);
      socket.write(
        `<iq type='result' ${addresses}>${latest ? page(Number(latest[1]), count - Number(latest[1])) : page(Number(wanted?.[1] ?? 1), Number(wanted?.[2] ?? -1) + 1)}</iq>`,
      );
      return;
    }
    socket.write(
      /ping|carbons|<publish /.test(content)
        ? `<iq type='result' ${addresses}/>`
        : `<iq type='error' ${addresses}><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
    );
  }

  function page(size: number, first: number): string {
    let items = '';
    const end = Math.min(count, first + size);
    for (let id = first; id < end; id += 1)
      items += `<item id='${id}'><n xmlns='urn:n'>number ${id}</n></item>`;
    return (
      `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'>${items}</items>` +
      `<set xmlns='http://jabber.org/protocol/rsm'><first index='${first}'>${first}</first><last>${end - 1}</last>` +
      `<count>${count}</count></set></pubsub>`
    );
  }

  function notification(id: number): string {
    return (
      `<message from='bob@fake.test' to='${jid}' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'>` +
      `<items node='urn:bench'><item id='${id}'><n xmlns='urn:n'>number ${id} with some words in it</n></item></items></event></message>`
    );
  }

  function flood(): void {
    startedMs = performance.now();
    let sent = 0;
    const more = (): void => {
      while (sent < count) {
        let batch = '';
        for (let size = 0; size < 500 && sent < count; size += 1, sent += 1) {
          if (isNotifying) {
            batch += notification(sent);
            continue;
          }
          batch +=
            `<message from='flood@fake.test/bench' to='${jid}' type='chat' id='m${sent}'>` +
            `<body>message number ${sent} with some words in it</body>` +
            `<stanza-id xmlns='urn:xmpp:sid:0' by='bob@fake.test' id='s${sent}'/></message>`;
        }
        if (!socket.write(batch)) {
          socket.once('drain', more);
          return;
        }
      }
    };
    more();
  }
}

const server = await startFakeServer({
  accounts: { bob: 'bench' },
  mechanisms: ['SCRAM-SHA-1'],
  at: { bind },
});
writeFileSync(caFile, server.ca);
process.stdout.write(`${JSON.stringify({ port: server.port })}\n`);
process.on('SIGTERM', () => void server.close().then(() => process.exit(0)));
