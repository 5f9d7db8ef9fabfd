import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { StanzaError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { exportNode } from '../../../src/lib/pubsub/export-node.js';
import { importNode } from '../../../src/lib/pubsub/import-node.js';
import { mirrorNode } from '../../../src/lib/pubsub/mirror-node.js';
import { parseHeader, parseLine } from '../../../src/lib/pubsub/node-file.js';
import { prepareNode } from '../../../src/lib/pubsub/prepare-node.js';
import { readItems, readItemsOldestFirst } from '../../../src/lib/pubsub/read-items.js';
import type { IqRequest, Session } from '../../../src/lib/session/session.js';
import { childElements, xml, type Element } from '../../../src/lib/xml/element.js';

const refusal = (condition: string): StanzaError =>
  new StanzaError(condition, 'cancel', undefined, undefined, 'pubsub.test');

type Field = [name: string, values: string[], options?: string[]];

interface ServiceOptions {
  /** How the items are listed. */
  order?: 'newest-first';
  pages?: 'none' | 'repeating' | 'whole';
  /** What may be configured, and what it is at first. */
  form?: Field[];
  /** Settings that are refused. */
  refuses?: (settings: ReadonlyMap<string, string[]>) => boolean;
  /** Not the owner's. */
  isForeign?: boolean;
}

/** A service in memory, with the ways of services in the field. */
class Service {
  readonly nodes = new Map<string, { items: Map<string, Element>; config: Map<string, string[]> }>();
  readonly requests: string[] = [];

  constructor(private readonly options: ServiceOptions = {}) {}

  get session(): Session {
    return {
      jid: JID.parse('alice@test/x'),
      state: 'online',
      request: async (asked: IqRequest) => {
        await Promise.resolve();
        return this.#answer(asked);
      },
    } as unknown as Session;
  }

  fill(node: string, ids: readonly string[]): void {
    const items = new Map(ids.map((id) => [id, xml('n', { xmlns: 'urn:n' }, id)]));
    this.nodes.set(node, { items, config: new Map() });
  }

  ids(node: string): string[] {
    return [...(this.nodes.get(node)?.items.keys() ?? [])];
  }

  #answer({ payload }: IqRequest): Element {
    const [action] = childElements(payload);
    const name = String(action?.attrs['node']);
    this.requests.push(`${action?.getName() ?? ''} ${name}`);
    if (!action) throw refusal('bad-request');
    if (action.getName() === 'create') {
      if (this.nodes.has(name)) throw refusal('conflict');
      this.#apply(payload.getChild('configure'), name, true);
      return xml('iq', {});
    }
    const node = this.nodes.get(name);
    if (!node) throw refusal('item-not-found');
    switch (action.getName()) {
      case 'items':
        return this.#items(node.items, action, payload.getChild('set'));
      case 'publish': {
        const item = action.getChild('item');
        const id = String(item?.attrs['id']);
        node.items.delete(id);
        node.items.set(id, childElements(item ?? xml('item'))[0] ?? xml('none'));
        return xml('iq', {});
      }
      case 'retract':
        if (!node.items.delete(String(action.getChild('item')?.attrs['id']))) throw refusal('item-not-found');
        return xml('iq', {});
      case 'configure':
        if (this.options.isForeign) throw refusal('forbidden');
        if (!action.getChild('x')) return this.#form(payload.getNS() ?? '', node.config);
        this.#apply(action, name, false);
        return xml('iq', {});
      case 'affiliations':
      case 'subscriptions':
        if (this.options.isForeign) throw refusal('forbidden');
        return xml(
          'iq',
          {},
          xml('pubsub', { xmlns: payload.getNS() }, xml(action.getName(), { node: name })),
        );
      default:
        throw refusal('feature-not-implemented');
    }
  }

  #apply(configure: Element | undefined, name: string, isNew: boolean): void {
    const settings = new Map(
      (configure?.getChild('x')?.getChildren('field') ?? []).map((field) => [
        String(field.attrs['var']).replace('pubsub#', ''),
        field.getChildren('value').map((value) => value.getText()),
      ]),
    );
    settings.delete('FORM_TYPE');
    if (this.options.refuses?.(settings)) throw refusal('not-acceptable');
    if (isNew) this.nodes.set(name, { items: new Map(), config: new Map() });
    for (const [key, values] of settings) this.nodes.get(name)?.config.set(key, values);
  }

  #form(xmlns: string, config: ReadonlyMap<string, string[]>): Element {
    const fields = (this.options.form ?? []).map(([name, values, options = []]) =>
      xml(
        'field',
        { var: `pubsub#${name}` },
        (config.get(name) ?? values).map((value) => xml('value', {}, value)),
        options.map((option) => xml('option', {}, xml('value', {}, option))),
      ),
    );
    const form = xml('x', { xmlns: 'jabber:x:data', type: 'form' }, fields);
    return xml('iq', {}, xml('pubsub', { xmlns }, xml('configure', {}, form)));
  }

  #items(items: ReadonlyMap<string, Element>, asked: Element, set: Element | undefined): Element {
    const { order, pages } = this.options;
    const max = Number(asked.attrs['max_items'] ?? NaN);
    const all = [...items];
    const listed = order === 'newest-first' ? all.toReversed() : all;
    const latest = Number.isNaN(max)
      ? listed
      : order === 'newest-first'
        ? listed.slice(0, max)
        : listed.slice(-max);
    const size = Number(set?.getChildText('max') ?? NaN);
    const isPaged = !Number.isNaN(size) && pages !== 'none';
    const page = isPaged ? this.#page(listed, size, set) : latest;
    const result = xml(
      'items',
      { node: String(asked.attrs['node']) },
      page.map(([id, payload]) => xml('item', { id }, payload)),
    );
    const [first, last] = [page[0], page.at(-1)];
    const info =
      isPaged && first && last
        ? xml(
            'set',
            { xmlns: 'http://jabber.org/protocol/rsm' },
            xml('first', { index: listed.indexOf(first) }, first[0]),
            xml('last', {}, last[0]),
            xml('count', {}, String(listed.length)),
          )
        : undefined;
    return xml('iq', {}, xml('pubsub', { xmlns: 'http://jabber.org/protocol/pubsub' }, result, info));
  }

  #page(listed: [string, Element][], size: number, set: Element | undefined): [string, Element][] {
    if (this.options.pages === 'whole') return listed;
    if (this.options.pages === 'repeating') return listed.slice(0, size);
    const at = (id: string | null | undefined): number => listed.findIndex(([one]) => one === id);
    const before = set?.getChild('before')?.getText();
    if (before !== undefined) {
      const end = before === '' ? listed.length : at(before);
      return listed.slice(Math.max(0, end - size), end);
    }
    return listed.slice(at(set?.getChildText('after')) + 1).slice(0, size);
  }
}

const ids = Array.from({ length: 123 }, (_, index) => `i${index}`);
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};
const idsOf = async (items: AsyncIterable<{ id: string }>): Promise<string[]> =>
  (await all(items)).map(({ id }) => id);
const warnings: string[] = [];
const warn = (text: string): void => void warnings.push(text);

describe('reading a whole node', () => {
  it.each<[string, ServiceOptions]>([
    ['that pages', {}],
    ['that lists the newest first', { order: 'newest-first' }],
    ['that does not page', { pages: 'none' }],
    ['that lists the newest first and does not page', { order: 'newest-first', pages: 'none' }],
    ['that ignores how many are wanted', { pages: 'whole' }],
    [
      'that lists the newest first and ignores how many are wanted',
      { order: 'newest-first', pages: 'whole' },
    ],
  ])('gives the oldest first, each once, of a service %s', async (_what, options) => {
    for (const some of [[], ids.slice(0, 1), ids.slice(0, 2), ids.slice(0, 50), ids.slice(0, 51), ids]) {
      const service = new Service(options);
      service.fill('n', some);
      expect(await idsOf(readItemsOldestFirst(service.session, { node: 'n' }))).toEqual(some);
    }
  });

  it.each<[string, ServiceOptions]>([
    ['forwards', { pages: 'repeating' }],
    ['backwards', { pages: 'repeating', order: 'newest-first' }],
  ])('ends when the same page comes again, %s', async (_what, options) => {
    const service = new Service(options);
    service.fill('n', ids);
    await expect(idsOf(readItems(service.session, { node: 'n' }))).rejects.toThrow(
      'the same page was sent twice',
    );
    await expect(idsOf(readItemsOldestFirst(service.session, { node: 'n' }))).rejects.toThrow(
      /the same page was sent twice|another one came/,
    );
  });
});

describe('a node that is to be like another one', () => {
  const form: Field[] = [
    ['access_model', ['open'], ['open', 'whitelist']],
    ['max_items', ['10']],
    ['title', ['']],
    ['persist_items', ['1']],
  ];
  const options = { reconfigures: false, warn };

  it('is made and configured, as far as the service can be', async () => {
    warnings.length = 0;
    const service = new Service({ form });
    const settings = {
      access_model: ['whitelist'],
      max_items: ['100'],
      persist_items: ['1'],
      owner: ['somebody'],
      itemreply: ['none'],
      description: [''],
    };
    expect(await prepareNode(service.session, { node: 'n' }, settings, options)).toBe(true);
    expect(service.nodes.get('n')?.config.get('max_items')).toEqual(['100']);
    expect(service.nodes.get('n')?.config.get('access_model')).toEqual(['whitelist']);
    expect(warnings).toEqual(['the service has no itemreply=none']);
  });

  it('keeps what is refused as the service has it, and takes the rest', async () => {
    warnings.length = 0;
    const service = new Service({ form, refuses: (asked) => asked.get('max_items')?.[0] === '100' });
    await prepareNode(
      service.session,
      { node: 'n' },
      { access_model: ['whitelist'], title: ['T'], max_items: ['100'] },
      options,
    );
    expect(service.nodes.get('n')?.config.get('title')).toEqual(['T']);
    expect(warnings).toEqual([expect.stringMatching(/^the service refuses max_items=100: /)]);
  });

  it('is made without settings where they cannot be given at once', async () => {
    let asked = 0;
    const service = new Service({ form, refuses: () => (asked += 1) === 1 });
    await prepareNode(service.session, { node: 'n' }, { access_model: ['whitelist'] }, options);
    expect(service.nodes.get('n')?.config.get('access_model')).toEqual(['whitelist']);
  });

  it('is left alone when it is there', async () => {
    const service = new Service({ form });
    service.fill('n', []);
    expect(await prepareNode(service.session, { node: 'n' }, { title: ['T'] }, options)).toBe(false);
    expect(service.nodes.get('n')?.config.has('title')).toBe(false);
    await prepareNode(service.session, { node: 'n' }, { title: ['T'] }, { ...options, reconfigures: true });
    expect(service.nodes.get('n')?.config.get('title')).toEqual(['T']);
  });
});

describe('a node as a file', () => {
  const now = new Date('2026-01-02T03:04:05Z');
  const exported = async (service: Service): Promise<string[]> =>
    (await all(exportNode(service.session, { node: 'n' }, { now, warn }))).map((line) =>
      JSON.stringify(line),
    );

  it('has all that makes the node, and makes it again', async () => {
    const service = new Service({ form: [['title', ['T']]] });
    service.fill('n', ids);
    const lines = await exported(service);
    expect(lines).toHaveLength(ids.length + 2);
    expect(parseHeader(lines[0] ?? '')).toMatchObject({ node: 'n', configuration: { title: ['T'] } });
    const other = new Service({ form: [['title', ['']]] });
    const options = {
      service: undefined,
      node: 'copy',
      takesAffiliations: true,
      takesSubscriptions: true,
      reconfigures: false,
      retries: 0,
      warn,
    };
    await all(importNode(other.session, Readable.from(lines), options));
    expect(other.ids('copy')).toEqual(ids);
    expect(other.nodes.get('copy')?.config.get('title')).toEqual(['T']);
  });

  it('leaves out what is for owners', async () => {
    warnings.length = 0;
    const service = new Service({ isForeign: true });
    service.fill('n', ['1']);
    const [header] = await exported(service);
    expect(JSON.parse(header ?? '')).not.toHaveProperty('configuration');
    expect(warnings).toHaveLength(3);
    await expect(all(exportNode(service.session, { node: 'other' }, { now, warn }))).rejects.toThrow();
  });

  it('says which line is wrong', () => {
    expect(() => parseLine('{"id":1}', 7)).toThrow('line 7 is not an item');
    expect(() => parseLine('{"id":"1","payload":"<a"}', 8)).toThrow(/^line 8: not well-formed/);
    expect(
      parseHeader(
        '{"format":"xmppctl-node-1","node":"n","affiliations":[{"jid":"@","affiliation":"owner"},1],"configuration":{"a":"b"}}',
      ),
    ).toMatchObject({
      affiliations: [],
      configuration: { a: [] },
    });
  });
});

describe('a mirror', () => {
  it('copies what is missing or different, and takes away what is not there', async () => {
    const service = new Service();
    service.fill('a', ['1', '2', '3']);
    service.fill('b', ['2', 'x']);
    const signal = new AbortController().signal;
    const mirror = (removes: boolean) =>
      all(
        mirrorNode(service.session, {
          source: { node: 'a' },
          target: { node: 'b' },
          removes,
          follows: false,
          retries: 0,
          signal,
          warn,
        }),
      );
    expect(await mirror(false)).toEqual([
      { kind: 'published', id: '1' },
      { kind: 'published', id: '3' },
      { kind: 'in-step', items: 3 },
    ]);
    expect(await mirror(true)).toEqual([
      { kind: 'retracted', id: 'x' },
      { kind: 'in-step', items: 3 },
    ]);
    expect(await mirror(true)).toEqual([{ kind: 'in-step', items: 3 }]);
    expect(service.ids('b').sort()).toEqual(['1', '2', '3']);
  });
});
