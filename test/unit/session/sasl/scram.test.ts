import { describe, expect, test } from 'vitest';
import { AuthError } from '../../../../src/lib/errors.js';
import { Scram, type ScramHash, type ScramOptions } from '../../../../src/lib/session/sasl/scram.js';
import { ScramServer } from '../../../support/fake-server/scram-server.js';
import vectors from '../../../fixtures/sasl/scram-vectors.json' with { type: 'json' };

const lists = {
  mechanisms: ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS'],
  channelBindings: ['tls-server-end-point', 'tls-exporter'],
};

function client(overrides: Partial<ScramOptions> = {}): Scram {
  return new Scram({
    hash: 'sha1',
    username: 'user',
    password: () => Promise.resolve('pencil'),
    binding: { flag: 'n' },
    lists,
    nonce: 'fyko+d2lbbFgONRv9qkxdawL',
    ...overrides,
  });
}

interface Vector {
  source: string;
  hash: ScramHash;
  username?: string;
  password?: string;
  bindingType?: string;
  bindingData?: string;
  clientFirst: string;
  serverFirst: string;
  clientFinal: string;
  serverFinal: string;
}

async function text(message: Promise<Buffer>): Promise<string> {
  return (await message).toString('utf8');
}

describe('the vectors of the specifications', () => {
  test.each(vectors as Vector[])('$source', async (vector) => {
    const { bindingType: type, bindingData, username = 'user', password = 'pencil' } = vector;
    const scram = client({
      hash: vector.hash,
      username,
      password: () => Promise.resolve(password),
      binding:
        type === undefined
          ? { flag: 'n' }
          : { flag: 'p', type, data: Buffer.from(bindingData ?? '', 'base64') },
      nonce: vector.clientFirst.slice(vector.clientFirst.indexOf('r=') + 2),
    });
    expect(await text(scram.start())).toBe(vector.clientFirst);
    expect(await text(scram.respond(Buffer.from(vector.serverFirst)))).toBe(vector.clientFinal);
    expect(() => scram.finish(Buffer.from(vector.serverFinal))).not.toThrow();
  });
});

describe.each(['sha1', 'sha256', 'sha512'] as const)('%s against a server of its own', (hash) => {
  const mechanism = `SCRAM-SHA-${hash.slice(3)}`;
  const data = Buffer.from('channel');

  test.each([
    ['without channel binding', mechanism, { flag: 'y' } as const],
    ['with channel binding', `${mechanism}-PLUS`, { flag: 'p', type: 'tls-exporter', data } as const],
  ])('%s', async (_title, name, binding) => {
    const password = 'pencil, =and more';
    const username = 'user,with=signs';
    const scram = client({ hash, username, password: () => Promise.resolve(password), binding });
    const server = new ScramServer({
      mechanism: name,
      hasPlus: binding.flag === 'p',
      passwordOf: (user) => (user === username ? password : undefined),
      channelBinding: () => data,
    });
    expect(scram.name).toBe(name);
    const challenge = server.first(await text(scram.start()));
    if (typeof challenge !== 'string') expect.unreachable(challenge.text);
    const result = server.final(await text(scram.respond(Buffer.from(challenge))));
    expect(result).toMatchObject({ username });
    scram.finish(Buffer.from('final' in result ? (result.final ?? '') : ''));
  });
});

test('every exchange has a nonce of its own', async () => {
  const options = {
    hash: 'sha256',
    username: 'user',
    password: () => Promise.resolve('x'),
    binding: { flag: 'n' },
    lists,
  } as const;
  const first = await text(new Scram(options).start());
  expect(first).toMatch(/^n,,n=user,r=[A-Za-z0-9+/]{32}$/);
  expect(await text(new Scram(options).start())).not.toBe(first);
});

const honest = { r: 'fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j', s: 'QSXCR+Q6sek8bf92', i: '4096' };

function serverFirst({ r, s, i }: Partial<typeof honest>): string {
  return `r=${r ?? honest.r},s=${s ?? honest.s},i=${i ?? honest.i}`;
}

describe('a challenge that is refused', () => {
  test.each([
    ['a nonce that is not ours', serverFirst({ r: 'somethingelse' }), 'nonce'],
    ['our nonce with nothing added', serverFirst({ r: 'fyko+d2lbbFgONRv9qkxdawL' }), 'nonce'],
    ['a nonce with a character that none may have', serverFirst({ r: `${honest.r}é` }), 'nonce'],
    ['too few iterations', serverFirst({ i: '4095' }), '4095 SCRAM iterations'],
    ['no iterations', serverFirst({ i: '0' }), '0 SCRAM iterations'],
    ['more iterations than we have time for', serverFirst({ i: '10000001' }), '10000001 SCRAM iterations'],
    ['an absurd number of iterations', serverFirst({ i: '9'.repeat(40) }), 'unreadable number'],
    ['iterations that are no number', serverFirst({ i: '4096x' }), 'unreadable number'],
    ['a salt that is not base64', serverFirst({ s: 'not base64!' }), 'salt'],
    ['a salt with the padding cut off', serverFirst({ s: 'W22ZaJ0SNY7soEsUEjb6gQ' }), 'salt'],
    ['a mandatory extension', `m=ext,${serverFirst({})}`, 'extension'],
    ['an error', 'e=unknown-user', 'does not know the user'],
    ['an error that no specification has', 'e=<b>bold</b>', 'refused the SCRAM exchange'],
    ['attributes in another order', `s=${honest.s},r=${honest.r},i=4096`, 'cannot be read'],
    ['no attributes', 'hello', 'cannot be read'],
    ['an empty message', '', 'cannot be read'],
  ])('%s', async (_title, challenge, expected) => {
    const scram = client();
    await scram.start();
    const failure = await scram.respond(Buffer.from(challenge)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AuthError);
    expect(String(failure)).toContain(expected);
    expect(String(failure)).not.toContain('pencil');
  });

  test('bytes that are not UTF-8', async () => {
    const scram = client();
    await scram.start();
    await expect(scram.respond(Buffer.from([0x72, 0x3d, 0xff]))).rejects.toThrow('UTF-8');
  });
});

describe('the server’s proof', () => {
  async function answered(): Promise<Scram> {
    const scram = client();
    await scram.start();
    await scram.respond(Buffer.from(serverFirst({})));
    return scram;
  }

  test.each([
    ['is missing', undefined, 'without proving'],
    ['is empty', '', 'without proving'],
    ['is wrong', 'v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=', 'could not prove'],
    ['is cut short', 'v=rmF9', 'could not prove'],
    ['is empty base64', 'v=', 'cannot be read'],
    ['is not base64', 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ', 'cannot be read'],
    ['is an error', 'e=other-error', 'refused'],
  ])('%s', async (_title, final, expected) => {
    const scram = await answered();
    expect(() => scram.finish(final === undefined ? undefined : Buffer.from(final))).toThrow(expected);
  });

  test('is taken in a challenge, and then a success without data', async () => {
    const scram = await answered();
    expect(await text(scram.respond(Buffer.from('v=rmF9pqV8S7suAoZWja4dJRkFsKQ=')))).toBe('');
    expect(() => scram.finish(undefined)).not.toThrow();
  });

  test('is refused in a challenge too', async () => {
    const scram = await answered();
    await expect(scram.respond(Buffer.from('v=AAAAAAAAAAAAAAAAAAAAAAAAAAA='))).rejects.toThrow(
      'could not prove',
    );
    expect(() => scram.finish(undefined)).toThrow('without proving');
  });

  test('a success before any challenge proves nothing', async () => {
    const scram = client();
    await scram.start();
    expect(() => scram.finish(Buffer.from('v=rmF9pqV8S7suAoZWja4dJRkFsKQ='))).toThrow('could not prove');
  });
});

describe('downgrade protection (XEP-0474)', () => {
  // The hash of the example in §5.3.
  const right = 'G6k/rBLDqgOhRRaCuuatSDFkJ08=';

  test('the lists are confirmed', async () => {
    const scram = client();
    await scram.start();
    await scram.respond(Buffer.from(`${serverFirst({})},h=${right}`));
    expect(scram.isDowngradeProtected).toBe(true);
  });

  test('a server without it is none the worse', async () => {
    const scram = client();
    await scram.start();
    await scram.respond(Buffer.from(`${serverFirst({})},x=unknown`));
    expect(scram.isDowngradeProtected).toBe(false);
  });

  test('another hash is refused before the proof is made', async () => {
    const scram = client({ lists: { ...lists, mechanisms: ['SCRAM-SHA-1'] } });
    await scram.start();
    await expect(scram.respond(Buffer.from(`${serverFirst({})},h=${right}`))).rejects.toThrow('XEP-0474');
  });

  test('a hash that is needed is missing', async () => {
    const scram = client({ isHashRequired: true });
    await scram.start();
    await expect(scram.respond(Buffer.from(serverFirst({})))).rejects.toThrow('does not confirm');
  });
});
