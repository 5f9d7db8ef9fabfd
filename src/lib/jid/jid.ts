/**
 * Addresses by RFC 7622: localpart by PRECIS UsernameCaseMapped, domain by IDNA2008, resource by PRECIS OpaqueString.
 *
 * Addresses are prepared once, when they are parsed; after that two of them are the same exactly when their texts are.
 */
import { domainToUnicode } from 'node:url';
import { escapeLocalpart } from './escaping.js';
import { prepareDomain, toAsciiDomain } from './idna/domain.js';
import { JidError, type AddressPart, type AddressViolation } from './jid-error.js';
import { enforce, opaqueString, usernameCaseMapped } from './precis/profile.js';
import { refused, type Prepared } from './violation.js';

/** Octets of UTF-8 that each part may have (RFC 7622 §3.2–§3.4). */
const maxOctets = 1023;

/** A name in DNS; longer ones are left to the long way, which says so. */
const maxPlainDomain = 253;

/** Addresses of plain ASCII, where only the case of the localpart has to be prepared: nearly every stanza's. */
const plainAddress =
  /^(?:([!#-%(-.0-9;=?[-~]{1,1023})@)?((?!-|..--)[a-z0-9-]{0,62}[a-z0-9](?:\.(?!-|..--)[a-z0-9-]{0,62}[a-z0-9])*)(?:\/([ -~]{1,1023}))?$/;

export interface AddressParts {
  local: string | undefined;
  domain: string;
  resource: string | undefined;
}

export class JID {
  private constructor(
    readonly local: string | undefined,
    readonly domain: string,
    readonly resource: string | undefined,
    /** False only for what `fromServer` took although it is no address by RFC 7622. */
    readonly isValid: boolean,
  ) {}

  /** @throws JidError what is wrong with it and, where that is clear, how to write it instead */
  static parse(text: string): JID {
    const plain = JID.parsePlain(text);
    if (plain) return plain;
    const parts = prepareParts(splitAddress(text));
    const [first, ...others] = parts.violations;
    if (first) throw new JidError(text, [first, ...others], suggestAddress(text));
    return new JID(parts.local, parts.domain, parts.resource, true);
  }

  /** The address, or undefined when the text is not one. */
  static tryParse(text: string): JID | undefined {
    const jid = JID.fromServer(text);
    return jid.isValid ? jid : undefined;
  }

  /**
   * An address as it came from a server. Never throws: each part is prepared if it can be and kept as it came if not,
   * so that it can be shown, compared and answered.
   *
   * COMPAT(Prosody 0.12, ejabberd 23.01): servers prepare with Nodeprep and Resourceprep (RFC 6122) or not at all, so
   * addresses exist that PRECIS refuses, for instance with a symbol in the localpart.
   */
  static fromServer(text: string): JID {
    const plain = JID.parsePlain(text);
    if (plain) return plain;
    const { local, domain, resource, violations } = prepareParts(splitAddress(text));
    return new JID(local, domain, resource, violations.length === 0);
  }

  private static parsePlain(text: string): JID | undefined {
    const match = plainAddress.exec(text);
    if (!match) return undefined;
    const [, local, domain = '', resource] = match;
    return domain.length > maxPlainDomain ? undefined : new JID(local?.toLowerCase(), domain, resource, true);
  }

  /** From parts that are not prepared yet; a localpart or resource of undefined is one that is not there. @throws JidError */
  static fromParts(parts: AddressParts): JID {
    const { local, domain, resource, violations } = prepareParts(parts);
    const [first, ...others] = violations;
    if (first) throw new JidError(joinParts(parts), [first, ...others]);
    return new JID(local, domain, resource, true);
  }

  get bare(): JID {
    return this.resource === undefined ? this : new JID(this.local, this.domain, undefined, this.isValid);
  }

  get isBare(): boolean {
    return this.resource === undefined;
  }

  /** The domain as DNS and TLS need it: `xn--mnchen-3ya.example`. */
  get asciiDomain(): string {
    return toAsciiDomain(this.domain);
  }

  /** The same account with another resource. @throws JidError when the resource is not a valid one */
  withResource(resource: string): JID {
    const result = preparePart(resource, prepareResource);
    if (result.ok) return new JID(this.local, this.domain, result.text, this.isValid);
    const [first, ...others] = inPart('resource', result);
    const parts = { local: this.local, domain: this.domain, resource };
    throw new JidError(joinParts(parts), [first, ...others]);
  }

  equals(other: JID): boolean {
    return this.resource === other.resource && this.local === other.local && this.domain === other.domain;
  }

  /** The prepared address: the form to send, to store, to show, and to use as a key. */
  toString(): string {
    return joinParts(this);
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Cuts at the first `/`, then at the first `@` before it (RFC 7622 §3.1). An empty part is '', a missing one undefined. */
export function splitAddress(text: string): AddressParts {
  const slash = text.indexOf('/');
  const bare = slash < 0 ? text : text.slice(0, slash);
  const at = bare.indexOf('@');
  return {
    local: at < 0 ? undefined : bare.slice(0, at),
    domain: bare.slice(at + 1),
    resource: slash < 0 ? undefined : text.slice(slash + 1),
  };
}

/** Every part prepared if it can be, as it was if not, and all that is wrong. Never throws. */
export interface PreparedParts extends AddressParts {
  violations: AddressViolation[];
}

export function prepareParts(parts: AddressParts): PreparedParts {
  const violations: AddressViolation[] = [];
  const prepare = (part: AddressPart, text: string, by: (text: string) => Prepared): string => {
    const result = preparePart(text, by);
    if (result.ok) return result.text;
    violations.push(...inPart(part, result));
    return text;
  };
  return {
    local: parts.local === undefined ? undefined : prepare('local', parts.local, prepareLocalpart),
    domain: prepare('domain', parts.domain, prepareDomain),
    resource: parts.resource === undefined ? undefined : prepare('resource', parts.resource, prepareResource),
    violations,
  };
}

/** How the address could be written to be valid, where what is meant is clear: without `xmpp:`, escaped, or as browsers read the domain. */
export function suggestAddress(text: string): string | undefined {
  const trimmed = text.trim();
  const uri = /^(?:xmpp|mailto):(?:\/\/)?([^?#]*)/i.exec(trimmed)?.[1];
  const address = uri === undefined ? trimmed : decodePercent(uri);
  const slash = address.indexOf('/');
  const bare = slash < 0 ? address : address.slice(0, slash);
  const resource = slash < 0 ? '' : address.slice(slash + 1);
  const at = bare.lastIndexOf('@');
  const local = at < 0 ? '' : bare.slice(0, at).trim();
  const domain = bare.slice(at + 1);
  const readable = prepareDomain(domain).ok ? domain : domainToUnicode(domain);
  const repaired = joinParts({
    local: local === '' ? undefined : escapeLocalpart(local),
    domain: readable,
    resource: resource === '' ? undefined : resource,
  });
  const suggestion = JID.tryParse(address) ?? JID.tryParse(repaired);
  return suggestion?.toString();
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** UsernameCaseMapped without the eight characters that RFC 7622 §3.3.1 excludes. */
function prepareLocalpart(text: string): Prepared {
  const result = enforce(usernameCaseMapped, text);
  if (!result.ok) return result;
  const index = Array.from(text).findIndex((character) => /["&'/:<>@＂＆＇／：＜＞＠]/.test(character));
  const excluded = /["&'/:<>@]/.exec(result.text)?.[0];
  if (excluded === undefined) return result;
  return refused({
    rule: 'excluded',
    message: `may not contain ${excluded}`,
    codePoint: `U+00${excluded.charCodeAt(0).toString(16).toUpperCase()}`,
    ...(index >= 0 && { index }),
  });
}

function prepareResource(text: string): Prepared {
  return enforce(opaqueString, text);
}

/** Prepares a part and counts its octets. What is far too long is not looked at: preparing could make it shorter, but not that much. */
function preparePart(text: string, prepare: (text: string) => Prepared): Prepared {
  if (text.length > maxOctets * 8) return tooLong();
  const result = prepare(text);
  const isTooLong =
    result.ok && result.text.length > maxOctets / 3 && Buffer.byteLength(result.text) > maxOctets;
  return isTooLong ? tooLong() : result;
}

function tooLong(): Prepared {
  return refused({ rule: 'too-long', message: `may not be longer than ${maxOctets} octets of UTF-8` });
}

function inPart(
  part: AddressPart,
  result: Prepared & { ok: false },
): [AddressViolation, ...AddressViolation[]] {
  const [first, ...others] = result.violations;
  return [{ part, ...first }, ...others.map((violation) => ({ part, ...violation }))];
}

export function joinParts({ local, domain, resource }: AddressParts): string {
  const bare = local === undefined ? domain : `${local}@${domain}`;
  return resource === undefined ? bare : `${bare}/${resource}`;
}
