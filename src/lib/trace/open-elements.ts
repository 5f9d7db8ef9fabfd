/** The elements that are open in a direction of a stream, and which of them are secret. */
import {
  contentRulesByName,
  EMPTY_HASH,
  hashName,
  isSecretField,
  isSecretHeader,
  mayHaveContentRule,
  type NameHash,
} from './secrets.js';

/** `undefined` is a namespace that could not be read. */
export type Namespace = NameHash | undefined;

/** An open element, as far as redaction needs to know it. */
interface OpenElement {
  name: NameHash;
  defaultNamespace: Namespace;
  prefixes: ReadonlyMap<NameHash, Namespace>;
  /** Why everything inside is secret. */
  reason: string | undefined;
  /** A form field whose values are secret. */
  isSecretField: boolean;
}

/** What has been read of a start tag. */
export class StartTag {
  prefix: NameHash = EMPTY_HASH;
  local: NameHash = EMPTY_HASH;
  isEmpty = false;
  hasContentRule = false;
  ownDefault: { namespace: Namespace } | undefined;
  ownPrefixes: Map<NameHash, Namespace> | undefined;
  fieldType = '';
  fieldName = '';
  headerName = '';
  /** A deciding attribute was written with an escape. */
  isDisguised = false;

  reset(): void {
    this.prefix = this.local = EMPTY_HASH;
    this.isEmpty = this.hasContentRule = this.isDisguised = false;
    this.ownDefault = this.ownPrefixes = undefined;
    this.fieldType = this.fieldName = this.headerName = '';
  }
}

export const FIELD = hashName('field');
export const HEADER = hashName('header');
const VALUE = hashName('value');
const STREAM = hashName('stream');
const NS_STREAM = hashName('http://etherx.jabber.org/streams');

/** Enough for every form of a connection. */
const maxPrivateFields = 1024;

const outermost: OpenElement = {
  name: EMPTY_HASH,
  defaultNamespace: EMPTY_HASH,
  prefixes: new Map(),
  reason: undefined,
  isSecretField: false,
};

/** Elements about which more must be known than their name: secret content, form fields, headers, the stream itself. */
export function isRemarkableElement(name: NameHash): boolean {
  return mayHaveContentRule(name) || name === FIELD || name === VALUE || name === HEADER || name === STREAM;
}

export class OpenElements {
  #current: OpenElement = outermost;
  readonly #ancestors: OpenElement[] = [];

  /** @param privateFields names of `text-private` form fields, shared by both directions of a connection */
  constructor(private readonly privateFields: Set<string>) {}

  /** Why the content of the innermost element is secret, or undefined. */
  get reason(): string | undefined {
    return this.#current.reason;
  }

  get prefixes(): ReadonlyMap<NameHash, Namespace> {
    return this.#current.prefixes;
  }

  /** A start tag ended. */
  open(tag: StartTag): void {
    const parent = this.#current;
    const defaultNamespace = tag.ownDefault ? tag.ownDefault.namespace : parent.defaultNamespace;
    const prefixes = tag.ownPrefixes ?? parent.prefixes;
    const namespace = tag.prefix === EMPTY_HASH ? defaultNamespace : prefixes.get(tag.prefix);
    const isField = tag.local === FIELD && this.#isPrivateField(tag);
    if (tag.isEmpty) return;
    // RFC 6120 §4.3.3: a negotiated stream starts anew inside of the old one, which is never closed.
    if (tag.local === STREAM && namespace === NS_STREAM && parent.reason === undefined) {
      this.#ancestors.length = 0;
      this.#current = outermost;
    }
    this.#ancestors.push(this.#current);
    this.#current = {
      name: qualify(tag.prefix, tag.local),
      defaultNamespace,
      prefixes,
      reason: parent.reason ?? contentReason(tag, namespace, parent),
      isSecretField: isField,
    };
  }

  /** A start tag ended that has nothing to do with secrets. */
  openPlain(
    prefix: NameHash,
    local: NameHash,
    ownDefault: NameHash | undefined,
    ownPrefixes: ReadonlyMap<NameHash, Namespace> | undefined,
  ): void {
    const parent = this.#current;
    this.#ancestors.push(parent);
    this.#current = {
      name: qualify(prefix, local),
      defaultNamespace: ownDefault ?? parent.defaultNamespace,
      prefixes: ownPrefixes ?? parent.prefixes,
      reason: undefined,
      isSecretField: false,
    };
  }

  /** An end tag ended. Inside of a secret only its own end tag ends it. */
  close(prefix: NameHash, local: NameHash): void {
    if (this.#current.reason === undefined || qualify(prefix, local) === this.#current.name)
      this.closePlain();
  }

  /** An end tag ended, outside of secrets: whatever its name is. */
  closePlain(): void {
    this.#current = this.#ancestors.pop() ?? outermost;
  }

  /** Forms that are filled in often leave the type out, so a name that was private once stays private. */
  #isPrivateField({ fieldType, fieldName, isDisguised }: StartTag): boolean {
    if (isDisguised) return true;
    if (fieldType === 'text-private' && fieldName !== '' && this.privateFields.size < maxPrivateFields)
      this.privateFields.add(fieldName);
    return isSecretField(fieldType, fieldName) || this.privateFields.has(fieldName);
  }
}

function contentReason(tag: StartTag, namespace: Namespace, parent: OpenElement): string | undefined {
  if (tag.local === VALUE) return parent.isSecretField ? 'form' : undefined;
  if (tag.local === HEADER) return tag.isDisguised || isSecretHeader(tag.headerName) ? 'header' : undefined;
  if (!tag.hasContentRule) return undefined;
  return contentRulesByName
    .get(tag.local)
    ?.find(
      ({ namespaces }) => namespaces === undefined || namespace === undefined || namespaces.has(namespace),
    )?.reason;
}

function qualify(prefix: NameHash, local: NameHash): NameHash {
  return Math.imul(prefix, 31) ^ local;
}
