import { defineCommand } from '../lib/command/definition.js';
import { xml } from '../lib/xml/element.js';

export interface PingOptions {
  to: string | undefined;
}

export const command = defineCommand({
  path: 'ping',
  summary: 'measure the round trip to a server or an entity',
  build: (command) => command.argument('[jid]', 'whom to ping; the own server when left out'),
  parse: ([jid]): PingOptions => ({ to: jid }),
  run: async (options: PingOptions, context) => {
    await using session = await context.connect();
    const started = context.clock.now();
    await session.request({
      type: 'get',
      ...(options.to !== undefined && { to: options.to }),
      payload: xml('ping', { xmlns: 'urn:xmpp:ping' }),
    });
    await context.output.result({ rttMs: context.clock.now() - started }, (result) => `${result.rttMs} ms`);
  },
});
