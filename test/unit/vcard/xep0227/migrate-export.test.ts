import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../../../src/lib/errors.js';
import { canonicalXml } from '../../../../src/lib/xml/canonical.js';
import { childElements, type Element } from '../../../../src/lib/xml/element.js';
import { parseXml } from '../../../../src/lib/xml/parse.js';
import { convertExport, type ConvertExportOptions } from '../../../support/convert-export.js';

const wrap = (content: string, host = 'a.example'): string =>
  `<?xml version='1.0' encoding='UTF-8'?><server-data xmlns='urn:xmpp:pie:0'><host jid='${host}'>${content}</host></server-data>`;

const once = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const twice = (text: string): string => once(once(text));

const credentials = (encode: (text: string) => string): string =>
  `<scram-credentials xmlns="urn:xmpp:pie:0#scram" mechanism="SCRAM-SHA-1"><iter-count>4096</iter-count><salt>${encode('salt of 16 bytes')}</salt><server-key>${encode('a'.repeat(20))}</server-key><stored-key>${encode('b'.repeat(20))}</stored-key></scram-credentials>`;

const card = "<vCard xmlns='vcard-temp'><FN>Alice</FN></vCard>";

/** What is in a `<user/>` and not ours to change, written in every way there is. */
const others = `<query xmlns='jabber:iq:roster'><item jid="bob@b.example" name='B&#111;b &amp; "Co"'><group><![CDATA[<Friends>]]></group></item></query>
  <offline-messages><message xmlns="jabber:client" from='a@b/c'><body>😀&#x1F600;</body></message></offline-messages>
  <query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query ><empty  a = 'b' />text`;

function parse(text: string): Element {
  return parseXml(text.replace(/^<\?[^]*?\?>/, ''));
}

/** The only account of an output. */
function accountIn(text: string | undefined): Element {
  const user = parse(text ?? '')
    .getChild('host')
    ?.getChild('user');
  if (!user) throw new Error(`no account in ${text ?? 'nothing'}`);
  return user;
}

async function convertAccount(content: string, options?: ConvertExportOptions) {
  const { files, results } = await convertExport(wrap(`<user name='alice'>${content}</user>`), options);
  const text = files['output.xml'] ?? '';
  return { text, user: accountIn(text), result: results[0] };
}

const itemsOf = (user: Element, node: string): Element[] =>
  user
    .getChild('pubsub', 'http://jabber.org/protocol/pubsub')
    ?.getChildren('items')
    .filter(({ attrs }) => attrs['node'] === node)
    .flatMap((items) => items.getChildren('item')) ?? [];

const accessOf = (user: Element, node: string): string | null | undefined =>
  user
    .getChild('pubsub', 'http://jabber.org/protocol/pubsub#owner')
    ?.getChildren('configure')
    .find(({ attrs }) => attrs['node'] === node)
    ?.getChild('x', 'jabber:x:data')
    ?.getChildren('field')
    .find(({ attrs }) => attrs['var'] === 'pubsub#access_model')
    ?.getChildText('value');

describe('an account on its way to another server', () => {
  it('keeps everything that is nobody’s business, byte by byte', async () => {
    const { text, result } = await convertAccount(`${others}${card}${others}`);
    expect(text.split(others)).toHaveLength(3);
    expect(result).toMatchObject({ account: 'alice@a.example', outcome: 'migrated', made: ['card'] });
    expect(text).not.toContain('<vCard');
  });

  it('loses comments and processing instructions, which Prosody refuses', async () => {
    const { text } = await convertAccount('<!-- x --><a><!-- y -->b<?z?>c</a><?w w?>');
    expect(text).toContain("<user name='alice'><a>bc</a></user>");
  });

  it('has its card in PEP nodes, which are open as vcard-temp is', async () => {
    const { user } = await convertAccount(card);
    const [item] = itemsOf(user, 'urn:xmpp:vcard4');
    expect(item?.attrs['id']).toBe('current');
    expect(item?.getChild('vcard', 'urn:ietf:params:xml:ns:vcard-4.0')?.toString()).toContain(
      '<fn><text>Alice</text></fn>',
    );
    expect(accessOf(user, 'urn:xmpp:vcard4')).toBe('open');
    expect(
      accessOf((await convertAccount(card, { plan: { access: 'presence' } })).user, 'urn:xmpp:vcard4'),
    ).toBe('presence');
  });

  it('without a card stays as it is, and is told as empty', async () => {
    for (const content of ['', others]) {
      const { text, result } = await convertAccount(content);
      expect(text).toContain(`<user name='alice'>${content}</user>`);
      expect(result).toMatchObject({ outcome: 'empty', made: [] });
    }
    const { files } = await convertExport(wrap("<user name='alice' password='x'/>"));
    expect(files['output.xml']).toContain("<user name='alice' password='x'/>");
  });

  const nodes = (access: string): string =>
    `<pubsub xmlns="http://jabber.org/protocol/pubsub#owner"><configure node="urn:xmpp:vcard4"><x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE" type="hidden"><value>http://jabber.org/protocol/pubsub#node_config</value></field><field var="pubsub#title" type="text-single"/><field var="x#unknown"><value>kept</value></field><field var="pubsub#access_model" type="list-single"><value>${access}</value></field></x></configure><affiliations node="urn:xmpp:vcard4"><affiliation jid="b@c" affiliation="member"/></affiliations></pubsub>`;
  const items = `<pubsub xmlns="http://jabber.org/protocol/pubsub"><items node="urn:xmpp:vcard4"><item id="current"><vcard xmlns="urn:ietf:params:xml:ns:vcard-4.0"><fn><text>Present</text></fn></vcard></item></items><items node="x"><item id="1"><y xmlns="y"/></item></items></pubsub>`;

  it.each([
    ['skip', 'Present', undefined],
    ['merge', 'Present', 'alice'],
    ['overwrite', 'Alice', 'alice'],
  ] as const)('that has a vCard4 already: %s', async (existing, fn, nickname) => {
    const temp = "<vCard xmlns='vcard-temp'><FN>Alice</FN><NICKNAME>alice</NICKNAME></vCard>";
    const { user, result } = await convertAccount(nodes('presence') + items + temp, {
      plan: { existing, access: 'keep' },
    });
    const [item, ...more] = itemsOf(user, 'urn:xmpp:vcard4');
    expect(more).toEqual([]);
    const vcard = item?.getChild('vcard', 'urn:ietf:params:xml:ns:vcard-4.0');
    expect(vcard?.getChild('fn')?.getChildText('text')).toBe(fn);
    expect(vcard?.getChild('nickname')?.getChildText('text') ?? undefined).toBe(nickname);
    expect(itemsOf(user, 'x')).toHaveLength(1);
    expect(accessOf(user, 'urn:xmpp:vcard4')).toBe('presence');
    expect(result?.outcome).toBe(existing === 'skip' ? 'skipped' : 'migrated');
  });

  it('keeps empty and unknown fields of a configuration', async () => {
    const { user } = await convertAccount(nodes('presence') + items + card, {
      plan: { existing: 'overwrite', access: 'keep' },
    });
    const configured = user.getChild('pubsub', 'http://jabber.org/protocol/pubsub#owner');
    const before = parseXml(nodes('presence'));
    expect(configured && canonicalXml(configured)).toBe(canonicalXml(before));
  });

  it('has a list of items for each configured node, without which prosody-migrator ends', async () => {
    const bare = '<pubsub xmlns="http://jabber.org/protocol/pubsub#owner"><configure node="n"/></pubsub>';
    const { user } = await convertAccount(bare);
    const pubsub = user.getChild('pubsub', 'http://jabber.org/protocol/pubsub');
    expect(pubsub?.getChildren('items').map(({ attrs }) => attrs['node'] as string)).toEqual(['n']);
  });

  it.each([
    ['prosody', twice, once],
    ['prosody', once, once],
    ['ejabberd', once, twice],
    ['ejabberd', twice, twice],
  ] as const)('has its credentials as %s reads them', async (server, before, after) => {
    const { files } = await convertExport(wrap(`<user name='alice'>${credentials(before)}</user>`), {
      plan: { server, scram: server === 'prosody' ? 'single' : 'double' },
    });
    expect(files['output.xml']).toContain(credentials(after));
  });

  it('has the credentials in an element that ejabberd once wrote as a password', async () => {
    const password = `scram:${[twice('b'.repeat(20)), twice('a'.repeat(20)), twice('salt of 16 bytes'), '4096'].join(',')}`;
    const { files } = await convertExport(
      wrap(`<user name='alice' password='${password}' x='y'><a/></user>`),
    );
    expect(files['output.xml']).toContain(`<user name="alice" x="y"><a/>${credentials(once)}</user>`);
  });

  it('has a password or credentials for ejabberd, whose import ends at both', async () => {
    const { files } = await convertExport(
      wrap(`<user name='alice' password='x'>${credentials(once)}</user>`),
      {
        layout: 'ejabberd',
      },
    );
    expect(files['a.example.xml']).toContain("<user name='alice' password='x'></user>");
  });

  it('with credentials that are broken is told', async () => {
    const { result } = await convertAccount(credentials(() => 'AAAA'));
    expect(result?.warnings.map(({ element }) => element)).toEqual(['scram-credentials']);
  });

  it('gets a vcard-temp for a server that has no other', async () => {
    const { files, results } = await convertExport(
      wrap(`<user name='alice'>${nodes('open')}${items}</user>`),
      {
        layout: 'ejabberd',
      },
    );
    const host = parse(files['a.example.xml'] ?? '');
    expect(host.getChild('user')?.getChild('vCard', 'vcard-temp')?.getChildText('FN')).toBe('Present');
    expect(results).toMatchObject([{ outcome: 'migrated', made: ['card'] }]);
  });

  it.each([
    ['base64 that is none', '<PHOTO><TYPE>image/png</TYPE><BINVAL>!!!</BINVAL></PHOTO>', '', 'bad-base64'],
    ['a logo of the same kind', '<LOGO><BINVAL>?</BINVAL></LOGO>', '', 'bad-base64'],
    [
      'base64 without its padding',
      '<KEY><BINVAL>AAA</BINVAL></KEY>',
      '<KEY><BINVAL>AAA=</BINVAL></KEY>',
      'nonstandard',
    ],
    [
      'a picture without a type',
      '<PHOTO><BINVAL>/9j/4AAQSkZJRgABAQAASABI</BINVAL></PHOTO>',
      '<PHOTO><BINVAL>/9j/4AAQSkZJRgABAQAASABI</BINVAL><TYPE>image/jpeg</TYPE></PHOTO>',
      'type-unknown',
    ],
    [
      'a picture that is too large',
      `<PHOTO><TYPE>image/png</TYPE><BINVAL>${'AAAA'.repeat(500)}</BINVAL></PHOTO>`,
      '',
      'avatar-large',
    ],
  ])('has no %s, at which the import of ejabberd would end', async (_title, before, after, code) => {
    const vcard = (content: string): string => `<vCard xmlns="vcard-temp"><FN>A</FN>${content}</vCard>`;
    const { files, results } = await convertExport(wrap(`<user name='alice'>${vcard(before)}</user>`), {
      layout: 'ejabberd',
      plan: { maxAvatarBytes: 1000 },
    });
    expect(files['a.example.xml']).toContain(`<user name='alice'>${vcard(after)}</user>`);
    expect(results[0]?.warnings.map((warning) => warning.code)).toEqual([code]);
  });

  it('has a card for ejabberd byte by byte when there is nothing wrong with it', async () => {
    const good =
      "<vCard xmlns='vcard-temp'><FN>A</FN><PHOTO><TYPE>image/png</TYPE>\n<BINVAL>AAAA\nAAAA</BINVAL></PHOTO></vCard>";
    const { files, results } = await convertExport(wrap(`<user name='alice'>${good}</user>`), {
      layout: 'ejabberd',
    });
    expect(files['a.example.xml']).toContain(good);
    expect(results).toMatchObject([{ outcome: 'skipped', warnings: [] }]);
  });

  it('is understood whatever its prefixes are', async () => {
    const { files } = await convertExport(
      `<p:server-data xmlns:p='urn:xmpp:pie:0' xmlns:v='vcard-temp' xmlns:z='urn:z'><p:host jid='a.example'><p:user name='alice' z:a='1'><v:vCard><v:FN>Alice</v:FN></v:vCard><z:x z:y='1'/></p:user></p:host></p:server-data>`,
    );
    const user = accountIn(files['output.xml']);
    expect(itemsOf(user, 'urn:xmpp:vcard4')).toHaveLength(1);
    expect(user.getChild('x', 'urn:z')).toBeDefined();
    expect(files['output.xml']).toMatch(/<user [^>]*name="alice"/);
  });

  const including = (href: string, more = ''): string =>
    `<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='${href}'${more}/>`;

  it('that includes a card from another file has it', async () => {
    const alice = "<v:vCard xmlns:v='vcard-temp'><v:FN>Alice &amp; é</v:FN></v:vCard>";
    for (const content of [
      card.replace('Alice', 'Alice &amp; é'),
      `<?xml version='1.0' encoding='utf-8'?>\n<!-- a card -->\n${alice}\n`,
      Buffer.from(`\ufeff<?xml version='1.0' encoding='UTF-16'?>${alice}`, 'utf16le'),
    ]) {
      const { user, result } = await convertAccount(`text${including('a%20b.xml')}<x xmlns='urn:x'/>`, {
        beside: { 'a b.xml': content },
      });
      expect(result).toMatchObject({ outcome: 'migrated', made: ['card'] });
      expect(String(itemsOf(user, 'urn:xmpp:vcard4')[0])).toContain('<fn><text>Alice &amp; é</text></fn>');
      expect(user.getChild('include', 'http://www.w3.org/2001/XInclude')).toBeUndefined();
      expect(user.getChild('x', 'urn:x')).toBeDefined();
    }
    const { text } = await convertAccount(including('plain.xml'), { beside: { 'plain.xml': '<plain/>' } });
    expect(text).toContain('<plain xmlns=""/>');
  });

  it.each([
    ['missing.xml', '', 'there is no such file'],
    ['../outside.xml', '', 'it is outside of the folder'],
    ['input.xml', '', 'it includes itself again'],
    ['broken.xml', '', 'not well-formed'],
    ['entities.xml', '', 'not well-formed'],
    ['two.xml', '', 'one element is expected'],
    ['nested.xml', '', 'it includes another file itself'],
    ['latin.xml', '', 'bytes that are not UTF-8'],
    ['said.xml', '', 'it is in ISO-8859-1'],
    ['good.xml', " parse='text'", 'only whole files of XML are included'],
    ['https://example.org/a.xml', '', 'only files below the folder'],
  ])('that includes %s%s is told, and copied', async (href, more, reason) => {
    const { result, user } = await convertAccount(`${including(href, more)}<x xmlns='urn:x'/>`, {
      beside: {
        'broken.xml': "</user><user name='eve' password='x'>",
        'entities.xml': "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        'two.xml': `${card}${card}`,
        'nested.xml': `<a xmlns='urn:a'>${including('good.xml')}</a>`,
        'latin.xml': Buffer.from('<a>é</a>', 'latin1'),
        'said.xml': "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
        'good.xml': card,
      },
    });
    expect(result).toMatchObject({ outcome: 'failed', reason: expect.stringContaining(reason) as string });
    expect(user.getChild('include', 'http://www.w3.org/2001/XInclude')?.attrs['href']).toBe(href);
    expect(user.getChild('x', 'urn:x')).toBeDefined();
  });

  it('with a picture of 10 MB keeps the rest, and the picture is told', async () => {
    const picture = Buffer.concat([
      Buffer.from('ffd8ffe000104a4649460001', 'hex'),
      Buffer.alloc(10_000_000, 7),
    ]);
    const photo = `<vCard xmlns='vcard-temp'><FN>Alice</FN><PHOTO><TYPE>image/jpeg</TYPE><BINVAL>${picture.toString('base64')}</BINVAL></PHOTO></vCard>`;
    const { user, result, text } = await convertAccount(photo);
    expect(itemsOf(user, 'urn:xmpp:vcard4')).toHaveLength(1);
    expect(result?.warnings.map(({ code }) => code)).toContain('avatar-large');
    expect(text.length).toBeLessThan(10_000);
  });
});

describe('accounts together', () => {
  it('of which one is there twice are told, and the first is taken', async () => {
    const { files, results } = await convertExport(
      wrap("<user name='alice'><a/></user><user name='Alice'><b/></user><user name='bob'/>"),
    );
    expect(files['output.xml']).not.toContain('<b/>');
    expect(results.map(({ account, outcome, reason }) => [account, outcome, reason])).toEqual([
      ['alice@a.example', 'empty', undefined],
      ['alice@a.example', 'failed', 'it is in the input twice: the first one was taken'],
      ['bob@a.example', 'empty', undefined],
    ]);
  });

  it('have names as servers keep them, and files of their names', async () => {
    const names = [
      'a%2fb',
      'jörg',
      'ÄNNE',
      '李雷',
      String.raw`at\40home`,
      "o'neill",
      'a/b',
      'a b',
      '',
      '..',
      'x'.repeat(300),
    ];
    const users = names.map((name) => `<user name="${name}"/>`).join('');
    const { files, results } = await convertExport(wrap(users), { layout: 'prosody' });
    expect(Object.keys(files).sort()).toEqual(
      ['a%2fb', 'jörg', 'änne', '李雷', String.raw`at\40home`, '..']
        .map((name) => `${name}@a.example.xml`)
        .sort(),
    );
    expect(files['änne@a.example.xml']).toContain('<user name="änne">');
    expect(
      results.filter(({ outcome }) => outcome === 'failed').map(({ account }) => account.slice(0, 20)),
    ).toEqual(["o'neill@a.example", 'a/b@a.example', 'a b@a.example', '@a.example', 'x'.repeat(20)]);
  });

  it('of several hosts are in a file for each, and the main file includes them', async () => {
    const { files } = await convertExport(
      `<server-data xmlns='urn:xmpp:pie:0'><host jid='a.example'><user name='a'/></host><host jid='b.example'><user name='b'/></host><host jid='a.example'><user name='c'/></host><host jid='empty.example'/></server-data>`,
      { layout: 'ejabberd' },
    );
    expect(Object.keys(files).sort()).toEqual([
      'a.example.xml',
      'b.example.xml',
      'empty.example.xml',
      'main.xml',
    ]);
    expect(files['main.xml']).toContain(
      '<xi:include href="a.example.xml"/>\n<xi:include href="b.example.xml"/>',
    );
    const users = (name: string) =>
      childElements(parse(files[name] ?? '')).map(({ attrs }) => attrs['name'] as string);
    expect([users('a.example.xml'), users('b.example.xml'), users('empty.example.xml')]).toEqual([
      ['a', 'c'],
      ['b'],
      [],
    ]);
  });

  it('that are left out are not in the output', async () => {
    const text = wrap(['a', 'b', 'c', 'd'].map((name) => `<user name='${name}'/>`).join(''));
    const only = await convertExport(text, { selection: { isWanted: (account) => /^[bd]@/.test(account) } });
    expect(only.results.map(({ account }) => account)).toEqual(['b@a.example', 'd@a.example']);
    const limited = await convertExport(text, { selection: { limit: 2 } });
    expect(limited.results.map(({ account }) => account)).toEqual(['a@a.example', 'b@a.example']);
  });

  it('are written the same whether an account is small or large', async () => {
    const text = wrap(
      `<user name='alice'>${others}${card}${'<x>y</x>'.repeat(2000)}${credentials(twice)}</user><user name='bob'>${card}</user>`,
    );
    const small = await convertExport(text);
    const large = await convertExport(text, { limits: { largeBytes: 4096 } });
    const sorted = (content: string | undefined): string[] =>
      childElements(parse(content ?? '').getChild('host') ?? parseXml('<x/>')).flatMap((user) =>
        childElements(user)
          .map((child) => canonicalXml(child))
          .sort(),
      );
    expect(sorted(large.files['output.xml'])).toEqual(sorted(small.files['output.xml']));
    expect(large.results).toEqual(small.results);
  });

  it('leave nothing behind when the input is truncated, at any byte', async () => {
    const bytes = Buffer.from(wrap(`<user name='alice'>${card}${others}</user><user name='bob'/>`));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (length) => {
        await expect(convertExport(bytes.subarray(0, length))).rejects.toThrow(FileError);
        await expect(convertExport(bytes.subarray(0, length))).rejects.toThrow(/is broken at byte \d+/);
      }),
      { numRuns: 60 },
    );
  });

  it('tell what is beside them', async () => {
    const { foreign } = await convertExport(wrap("<settings xmlns='urn:x'/>"));
    expect(foreign).toEqual(['settings']);
  });
});
