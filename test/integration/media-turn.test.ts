import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { openMediaEngine } from '../../src/lib/media/engine.js';
import type { IceServer, MediaEngine } from '../../src/lib/media/media-link.js';
import { startTurnServer, type TurnServer } from '../support/coturn.js';
import { connectEngines, type CallSide } from '../support/media-call.js';

const engines: MediaEngine[] = [];
let server: TurnServer | undefined;

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

async function call(servers: readonly IceServer[], isRelayOnly = true): Promise<[CallSide, CallSide]> {
  const open = async (hertz: number): Promise<MediaEngine> => {
    const engine = await openMediaEngine({
      source: { kind: 'tone', hertz },
      sink: {},
      signal: new AbortController().signal,
      onWarning: (text) => expect.fail(text),
    });
    engines.push(engine);
    return engine;
  };
  const options = { servers, isRelayOnly };
  return connectEngines(await open(440), await open(1000), { first: options, second: options });
}

function turn(port: number, changes: Partial<IceServer> = {}): IceServer {
  return {
    kind: 'turn',
    host: '127.0.0.1',
    port,
    transport: 'udp',
    username: 'juliet',
    password: 'r0m30',
    ...changes,
  };
}

const hasIPv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);
const withAccount = ['lt-cred-mech', 'user=juliet:r0m30'];

describe('a call over coturn', () => {
  it.each(['udp', 'tcp'] as const)('with relays only, reached over %s', async (transport) => {
    server = await startTurnServer(withAccount);
    await checkRelayed(await call([turn(server.port, { transport })]));
  });

  it.skipIf(!hasIPv6)('over IPv6 (where this machine has it)', async () => {
    server = await startTurnServer(withAccount, '::1');
    const sides = await call([turn(server.port, { host: '::1' })]);
    await checkRelayed(sides);
    expect(sides.map(({ link }) => link.statistics().pair?.local.ip)).toEqual(['::1', '::1']);
  });

  async function checkRelayed(sides: readonly CallSide[]): Promise<void> {
    for (const { link, events } of sides) {
      await expect.poll(() => link.statistics().packetsReceived, { timeout: 30_000 }).toBeGreaterThan(50);
      const { pair, lost } = link.statistics();
      expect(pair?.local.type).toBe('relay');
      expect(pair?.remote.type).toBe('relay');
      expect(lost).toBeLessThan(5);
      const candidates = events.flatMap((event) => (event.type === 'candidate' ? [event.candidate] : []));
      // What is told gives no address away but the relayed one.
      expect(candidates.map(({ type, relatedAddress, ip }) => [type, relatedAddress === ip])).toEqual([
        ['relay', true],
      ]);
    }
  }

  it('finds its address by STUN', async () => {
    server = await startTurnServer(['no-auth']);
    const [one, other] = await call(
      [{ kind: 'stun', host: 'localhost', port: server.port, transport: 'udp' }],
      false,
    );
    await Promise.all([one.when('dtls-connected'), other.when('dtls-connected')]);
    // On loopback nobody translates addresses, so there is nothing new to tell.
    await one.when('gathered');
    expect(
      one.events.filter((event) => event.type === 'candidate' && event.candidate.type === 'srflx'),
    ).toEqual([]);
  });

  it('says what the server says when the password is wrong', async () => {
    server = await startTurnServer(withAccount);
    const [one] = await call([turn(server.port, { password: 'wrong' })]);
    expect(await one.when('failed')).toMatchObject({
      phase: 'ice',
      reason: `there is no address to send from (TURN 127.0.0.1:${server.port}: refused: 401 Unauthorized)`,
    });
  });

  it('says so when there is no server', async () => {
    const [one] = await call([turn(9)]);
    expect(await one.when('failed')).toMatchObject({
      phase: 'ice',
      reason: 'there is no address to send from (TURN 127.0.0.1:9: no answer)',
    });
  });
});
