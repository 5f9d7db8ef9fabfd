/**
 * Whole moves from one server to the other, with the tools that administrators have: afterwards everybody logs in with
 * the old password, and has the profile and the picture.
 */
import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseOffline, runOffline, type OfflineOptions } from '../../src/commands/vcard/migrate-offline.js';
import type { Context } from '../../src/lib/context.js';
import { JID } from '../../src/lib/jid/jid.js';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { startSandbox } from '../../src/lib/sandbox/start-sandbox.js';
import { connect } from '../../src/lib/session/connect.js';
import type { Session } from '../../src/lib/session/session.js';
import { xml, type Element } from '../../src/lib/xml/element.js';
import { callEjabberd, giveFolderTo, migrateProsody, sharedFolder } from '../support/export-tools.js';
import { createMemoryOutput } from '../support/memory-output.js';
import { parseXml } from '../../src/lib/xml/parse.js';
import { traceOfTest } from '../support/trace-on-failure.js';

/** A picture of one pixel. */
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const pngId = createHash('sha1').update(Buffer.from(png, 'base64')).digest('hex');

const passwords = { alice: 'Passwort für Alice', bob: 'bob & <friends>', carol: 'carol' };

const NS_PUBSUB = 'http://jabber.org/protocol/pubsub';

async function login(sandbox: Sandbox, name: keyof typeof passwords): Promise<Session> {
  return connect({
    jid: JID.parse(`${name}@${sandbox.domain}`),
    credentials: { password: () => Promise.resolve(passwords[name]) },
    service: sandbox.services.starttls,
    tls: { ca: sandbox.ca },
    timeoutMs: 20_000,
    tracer: traceOfTest(),
  });
}

const accounts = Object.entries(passwords).map(([name, password]) => ({ name, password }));
const scram = {
  ejabberd: { auth_password_format: 'scram' },
  prosody: { host: { authentication: 'internal_hashed' } },
};

function start(server: 'prosody' | 'ejabberd', isFilled: boolean): Promise<Sandbox> {
  return startSandbox({
    server,
    searchPath: process.env['PATH'],
    storage: 'disk',
    accounts: isFilled ? accounts : ['admin'],
    ...scram,
  });
}

async function migrate(options: Partial<OfflineOptions> & Pick<OfflineOptions, 'from' | 'to' | 'layout'>) {
  const memory = createMemoryOutput({ isJson: true });
  const context = {
    output: memory.output,
    signal: new AbortController().signal,
  } as Partial<Context> as Context;
  await runOffline(
    {
      isReplacing: false,
      showsDiff: false,
      existing: 'skip',
      access: 'open',
      dates: 'extended',
      maxAvatarBytes: 1_000_000,
      isWanted: undefined,
      limit: undefined,
      report: undefined,
      ...options,
    },
    context,
  );
  expect(memory.stderr()).toBe('');
  return JSON.parse(memory.stdout()) as unknown;
}

async function fetchNode(session: Session, node: string, of?: string): Promise<Element[]> {
  const payload = xml('pubsub', { xmlns: NS_PUBSUB }, xml('items', { node }));
  const reply = await session.request({ type: 'get', payload, ...(of !== undefined && { to: of }) });
  return reply.getChild('pubsub', NS_PUBSUB)?.getChild('items')?.getChildren('item') ?? [];
}

async function fetchVcardTemp(session: Session): Promise<Element> {
  const reply = await session.request({ type: 'get', payload: xml('vCard', { xmlns: 'vcard-temp' }) });
  return reply.getChild('vCard', 'vcard-temp') ?? xml('nothing');
}

async function publish(session: Session, node: string, id: string, payload: Element): Promise<void> {
  await session.request({
    type: 'set',
    payload: xml('pubsub', { xmlns: NS_PUBSUB }, xml('publish', { node }, xml('item', { id }, payload))),
  });
}

describe('a move from ejabberd to Prosody', () => {
  let ejabberd: Sandbox;
  let prosody: Sandbox;
  beforeAll(async () => {
    [ejabberd, prosody] = await Promise.all([start('ejabberd', true), start('prosody', false)]);
  });
  afterAll(async () => {
    await ejabberd.stop();
    await prosody.stop();
  });

  it('keeps passwords, profiles, pictures and contacts', async () => {
    await using folder = await sharedFolder();
    const card = parseXml(
      `<vCard xmlns='vcard-temp'><FN>Alice &amp; Co</FN><N><FAMILY>Liddell</FAMILY><GIVEN>Alice</GIVEN></N><GEO><LAT>51.7</LAT><LON>-1.25</LON></GEO><PHOTO><TYPE>image/png</TYPE><BINVAL>${png}</BINVAL></PHOTO></vCard>`,
    );
    {
      await using alice = await login(ejabberd, 'alice');
      await alice.request({ type: 'set', payload: card });
      await alice.request({
        type: 'set',
        payload: xml(
          'query',
          { xmlns: 'jabber:iq:roster' },
          xml('item', { jid: 'hatter@example.org', name: 'Hatter' }, xml('group', {}, 'Tea')),
        ),
      });
    }
    await callEjabberd(ejabberd, 'export_piefxis', { dir: folder.at() });
    expect(await migrate({ from: folder.at(), to: folder.at('prosody'), layout: 'prosody' })).toMatchObject({
      accounts: 3,
      migrated: 3,
      failed: 0,
      made: { card: 1, avatar: 1, credentials: 3 },
    });
    expect((await readdir(folder.at('prosody'))).sort()).toEqual(
      Object.keys(passwords).map((name) => `${name}@${ejabberd.domain}.xml`),
    );
    await migrateProsody(prosody, 'import', folder.at('prosody'));
    {
      // Somebody else sees it before there was any login: the nodes are open, as vcard-temp was.
      await using carol = await login(prosody, 'carol');
      const [metadata] = await fetchNode(carol, 'urn:xmpp:avatar:metadata', `alice@${prosody.domain}`);
      expect(metadata?.attrs['id']).toBe(pngId);
    }
    await using alice = await login(prosody, 'alice');
    const [item] = await fetchNode(alice, 'urn:xmpp:vcard4');
    expect(item?.attrs['id']).toBe('current');
    expect(item?.toString()).toContain('<fn><text>Alice &amp; Co</text></fn>');
    // Prosody's own conversion would have lost this.
    expect(item?.toString()).toContain('51.7');
    const [data] = await fetchNode(alice, 'urn:xmpp:avatar:data');
    expect(data?.getChildText('data', 'urn:xmpp:avatar:data')).toBe(png);
    const old = await fetchVcardTemp(alice);
    expect(old.getChildText('FN')).toBe('Alice & Co');
    expect(old.getChild('PHOTO')?.getChildText('BINVAL')).toBe(png);
    const roster = await alice.request({
      type: 'get',
      payload: xml('query', { xmlns: 'jabber:iq:roster' }),
    });
    expect(roster.toString()).toContain('name="Hatter"');
    await using bob = await login(prosody, 'bob');
    expect(bob.jid.local).toBe('bob');
  });
});

describe('a move from Prosody to ejabberd', () => {
  let ejabberd: Sandbox;
  let prosody: Sandbox;
  beforeAll(async () => {
    [ejabberd, prosody] = await Promise.all([start('ejabberd', false), start('prosody', true)]);
  });
  afterAll(async () => {
    await ejabberd.stop();
    await prosody.stop();
  });

  it('keeps passwords, profiles and pictures', async () => {
    await using folder = await sharedFolder();
    {
      await using alice = await login(prosody, 'alice');
      await publish(
        alice,
        'urn:xmpp:avatar:data',
        pngId,
        xml('data', { xmlns: 'urn:xmpp:avatar:data' }, png),
      );
      await publish(
        alice,
        'urn:xmpp:avatar:metadata',
        pngId,
        xml(
          'metadata',
          { xmlns: 'urn:xmpp:avatar:metadata' },
          xml('info', { id: pngId, bytes: Buffer.from(png, 'base64').length, type: 'image/png' }),
        ),
      );
      await publish(
        alice,
        'urn:xmpp:vcard4',
        'current',
        parseXml(
          "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Alice &amp; Co</text></fn><nickname><text>alice</text></nickname><geo><uri>geo:51.7,-1.25</uri></geo></vcard>",
        ),
      );
    }
    await migrateProsody(prosody, 'export', folder.at('export'));
    expect((await readdir(folder.at('export'))).length).toBeGreaterThanOrEqual(3);
    expect(
      await migrate({ from: folder.at('export'), to: folder.at('ejabberd'), layout: 'ejabberd' }),
    ).toMatchObject({ accounts: 3, migrated: 3, failed: 0, made: { card: 1, avatar: 1, credentials: 3 } });
    expect((await readdir(folder.at('ejabberd'))).sort()).toEqual(['main.xml', `${prosody.domain}.xml`]);
    // Readable for the server, as an administrator must make it.
    await giveFolderTo('ejabberd', folder.at('ejabberd'));
    const answer = await callEjabberd(ejabberd, 'import_piefxis', {
      file: folder.at('ejabberd', 'main.xml'),
    });
    expect(answer, await ejabberd.readLog()).toBe('0');
    await using alice = await login(ejabberd, 'alice');
    const card = await fetchVcardTemp(alice);
    expect(card.getChildText('FN')).toBe('Alice & Co');
    expect(card.toString()).toContain('51.7');
    expect(card.getChild('PHOTO')?.getChildText('BINVAL')).toBe(png);
    // ejabberd makes the picture of PEP from the card when it imports it.
    const [metadata] = await fetchNode(alice, 'urn:xmpp:avatar:metadata');
    expect(metadata?.attrs['id']).toBe(pngId);
    await using bob = await login(ejabberd, 'bob');
    expect(bob.jid.local).toBe('bob');
  });

  it('goes to its end although there are accounts at which the import would end', async () => {
    await using folder = await sharedFolder();
    const photo = (data: string): string =>
      `<vCard xmlns='vcard-temp'><FN>X</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>${data}</BINVAL></PHOTO></vCard>`;
    const picture = (sizeBytes: number): string =>
      Buffer.concat([Buffer.from(png, 'base64'), Buffer.alloc(sizeBytes)])
        .subarray(0, sizeBytes)
        .toString('base64');
    const bad = {
      'bad-base64': photo('!!!'),
      'no-padding': photo('iVBORw0KGgo'),
      'bad-logo': "<vCard xmlns='vcard-temp'><LOGO><BINVAL>?</BINVAL></LOGO></vCard>",
      'too-large': photo(picture(400_000)),
      'just-right': photo(picture(187_000)),
      'bad-credentials': "<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'/>",
      'unknown-mechanism': `<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-X'><iter-count>1</iter-count><salt>c2FsdA==</salt><server-key>AAAA</server-key><stored-key>AAAA</stored-key></scram-credentials>`,
    };
    const contacts = [
      ...['jid="a@b" subscription="bogus"', 'jid="c@d" subscription=""', 'jid="e@f" ask="unsubscribe"'],
      ...['jid=""', 'subscription="both"', 'jid="@b"', 'jid="a b@c"'],
    ].map((attributes) => `<item ${attributes}/>`);
    const roster = `<query xmlns='jabber:iq:roster'><item jid='ok@b' subscription='both'><group/></item>${contacts.join('')}</query>`;
    const users = Object.entries({ ...bad, contacts: roster }).map(
      ([name, content]) => `<user name='${name}'>${content}</user>`,
    );
    const last = `<user name='carol' password='carol'><scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'/></user>`;
    const target = await startSandbox({
      server: 'ejabberd',
      searchPath: process.env['PATH'],
      storage: 'disk',
      accounts: ['admin'],
      ...scram,
    });
    try {
      await writeFile(
        folder.at('export.xml'),
        `<server-data xmlns='urn:xmpp:pie:0'><host jid='${target.domain}'>${users.join('')}${last}</host></server-data>`,
      );
      const offline = await parseOffline({
        from: folder.at('export.xml'),
        to: folder.at('import'),
        layout: 'ejabberd',
      });
      if (!offline) throw new Error('nothing to do');
      expect(await migrate(offline)).toMatchObject({ accounts: 9, failed: 0 });
      await giveFolderTo('ejabberd', folder.at('import'));
      await callEjabberd(target, 'import_piefxis', { file: folder.at('import', 'main.xml') });
      await using carol = await login(target, 'carol');
      expect(carol.jid.local).toBe('carol');
      const kept = await callEjabberd(target, 'get_roster', { user: 'contacts', server: target.domain });
      expect((JSON.parse(kept) as { jid: string }[]).map(({ jid }) => jid).sort()).toEqual([
        'a@b',
        'c@d',
        'e@f',
        'ok@b',
      ]);
    } finally {
      await target.stop();
    }
  });
});
