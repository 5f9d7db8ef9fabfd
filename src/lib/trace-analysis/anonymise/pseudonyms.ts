/**
 * Other names for what a trace tells of people: the same for the same, as long as one trace is read.
 *
 * Parts of addresses are replaced by themselves, so that two resources of an account stay two resources of an account.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { isProtocolName, isServiceLabel, machineWords } from './vocabulary.js';

export interface PseudonymOptions {
  /** A domain whose name is no secret, in lower case; names below it keep its end. */
  keptDomain?: string;
  /** Above so many names the later ones are hashed, so that memory stays bounded. */
  maxNames?: number;
}

type Kind =
  'user' | 'resource' | 'domain' | 'host' | 'id' | 'text' | 'node' | 'namespace' | 'path' | 'address';

/** Only these many names are looked for in what would be kept. */
const maxWatched = 2000;
const shortestWatched = 3;

export class Pseudonyms {
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<Kind, number>();
  readonly #watched = new Set<string>();
  /** Those of them that an id of digits could have in it. */
  readonly #watchedDigits = new Set<string>();
  /** Protocol names that were looked at since the last name was added. */
  readonly #harmless = new Set<string>();
  readonly #key = randomBytes(16);

  constructor(private readonly options: PseudonymOptions = {}) {}

  /** An address, or anything that stands where one must stand. */
  jid(text: string): string {
    if (text === '') return '';
    const slash = text.indexOf('/');
    const bare = slash < 0 ? text : text.slice(0, slash);
    const resource = slash < 0 ? undefined : text.slice(slash + 1);
    const at = bare.lastIndexOf('@');
    const local = at < 0 ? '' : `${this.user(bare.slice(0, at))}@`;
    return `${local}${this.domain(bare.slice(at + 1))}${resource === undefined ? '' : `/${this.resource(resource)}`}`;
  }

  user(local: string): string {
    this.#watch(local);
    return this.#name('user', local.toLowerCase(), (n) => `user${n}`);
  }

  /** A resource, or the nick in a room. */
  resource(text: string): string {
    if (text === '') return '';
    this.#watch(text);
    return this.#name('resource', text, (n) => `resource${n}`);
  }

  domain(text: string): string {
    const name = text.toLowerCase().replace(/\.$/, '');
    if (name === '') return '';
    const address = name.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0) return this.address(address);
    const { keptDomain } = this.options;
    if (keptDomain !== undefined && name === keptDomain) return name;
    const isKept = keptDomain !== undefined && name.endsWith(`.${keptDomain}`);
    const labels = name.split('.');
    const base = isKept ? keptDomain : labels.slice(-2).join('.');
    const below = labels.slice(0, -base.split('.').length);
    if (!isKept) for (const label of base.split('.')) this.#watch(label);
    const end = isKept ? base : this.#name('domain', base, (n) => `domain${n}.example`);
    return [...below.map((label) => this.#label(label)), end].join('.');
  }

  /** An address of the internet, from those kept for documentation. */
  address(text: string): string {
    return isIP(text) === 6
      ? this.#name('address', text.toLowerCase(), (n) => `2001:db8::${n.toString(16)}`)
      : this.#name('address', text, (n) => `198.${18 + ((n >> 16) & 1)}.${(n >> 8) & 255}.${n & 255}`);
  }

  /** An id stays where it is plainly made by a machine and names nobody. */
  id(text: string): string {
    return isMachineMade(text) && !tells(text, this.#watchedDigits)
      ? text
      : this.#name('id', text, (n) => `id${n}`);
  }

  text(text: string): string {
    return this.#name('text', text, (n) => `text${n}`);
  }

  /** The name of a node stays where it is one of a protocol. */
  node(text: string): string {
    return isProtocolName(text) && !this.isTelling(text) ? text : this.#name('node', text, (n) => `node${n}`);
  }

  namespace(text: string): string {
    return text === '' || (isProtocolName(text) && !this.isTelling(text))
      ? text
      : this.#name('namespace', text, (n) => `urn:x-anonymous:${n}`);
  }

  /** An address of the web, of XMPP, or of something else. */
  url(text: string): string {
    const [, scheme = '', host = '', rest = ''] =
      /^(https?|wss?|ftp|turns?|stuns?|aesgcm):\/\/([^/?#\s]*)([\s\S]*)$/i.exec(text) ?? [];
    if (scheme !== '') {
      const [, name = '', port = ''] = /^(?:.*@)?(\[[^\]]*\]|[^:]*)(:\d{1,5})?$/.exec(host) ?? [];
      const path = rest === '' || rest === '/' ? rest : `/${this.#name('path', rest, (n) => `path${n}`)}`;
      return `${scheme.toLowerCase()}://${this.domain(name)}${port}${path}`;
    }
    if (/^xmpp:/i.test(text)) return `xmpp:${this.jid(text.slice(5).replace(/[?#][\s\S]*$/, ''))}`;
    return this.namespace(text);
  }

  /** Whether a text has a part of an address that was seen before, or looks like one. */
  isTelling(text: string): boolean {
    if (this.#harmless.has(text)) return false;
    if (text.includes('@') || tells(text, this.#watched)) return true;
    if (this.#harmless.size < maxWatched) this.#harmless.add(text);
    return false;
  }

  #label(label: string): string {
    if (isServiceLabel(label)) return label;
    this.#watch(label);
    return this.#name('host', label, (n) => `host${n}`);
  }

  #watch(text: string): void {
    const isCommon = text.length < shortestWatched || machineWords.test(text);
    const name = text.toLowerCase();
    if (isCommon || this.#watched.size >= maxWatched || this.#watched.has(name)) return;
    this.#watched.add(name);
    if (/^[\da-f-]*$/.test(name)) this.#watchedDigits.add(name);
    this.#harmless.clear();
  }

  #name(kind: Kind, original: string, make: (n: number) => string): string {
    const key = original.length > 64 ? this.#hash(`${kind} ${original}`) : `${kind} ${original}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    if (this.#names.size >= (this.options.maxNames ?? 200_000)) {
      return make(1_000_000 + (parseInt(this.#hash(`${kind} ${original}`).slice(0, 8), 16) & 0xffffff));
    }
    const n = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, n);
    const name = make(n);
    this.#names.set(key, name);
    return name;
  }

  /** With a key of its own, so that nobody can try what a text was. */
  #hash(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('hex');
  }
}

function tells(text: string, names: ReadonlySet<string>): boolean {
  if (names.size === 0) return false;
  const folded = text.toLowerCase();
  for (const name of names) if (folded.includes(name)) return true;
  return false;
}

const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const idWords =
  /iq|id|msg|message|presence|bind|session|sess|ping|disco|roster|info|items|item|auth|reg|req|res|push|uid|xmpp|purple|prof|stream|pubsub|muc|mam|query/gi;

/** No word in it but those that programs use, and no number that can be dialled. */
function isMachineMade(id: string): boolean {
  if (id.length > 200 || !/^[\w.:+/=#-]*$/.test(id)) return false;
  if (uuid.test(id) || /^(\d{0,6}|\d{16,})$/.test(id)) return true;
  if (/^[\da-f]{16,}$/i.test(id) && /\d/.test(id)) return true;
  const rest = id.replace(idWords, '-');
  return !/\d{7}|[A-Za-z]/.test(rest);
}
