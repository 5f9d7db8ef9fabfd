/** The attribute that `SecretScanner` is reading: what its value is to us, and what is done with it. */
import { FIELD, HEADER, type OpenElements, type StartTag } from './open-elements.js';
import type { RedactedBytes } from './redacted-bytes.js';
import { addToHash, EMPTY_HASH, hashName, secretAttributeReason, XMLNS, type NameHash } from './secrets.js';
import { AMPERSAND, APOSTROPHE, COLON, EQUALS, GT, isSpace, LT, QUOTE, SLASH } from './xml-bytes.js';

/** What is done with a value. */
const enum Role {
  Pass,
  Hide,
  /** Hide up to the quote or the next tag: the attribute is broken. */
  HideBroken,
  DefaultNamespace,
  PrefixNamespace,
  Collect,
}

const TYPE = hashName('type');
const VAR = hashName('var');
const NAME = hashName('name');

/** Enough for any name that decides something. */
const maxCollected = 1024;

export class SecretAttribute {
  #prefix: NameHash = EMPTY_HASH;
  #name: NameHash = EMPTY_HASH;
  #role: Role = Role.Pass;
  #reason = '';
  /** 0 for a value without quotes. */
  #quote = 0;
  #hash: NameHash = EMPTY_HASH;
  #collected = '';
  #isEscaped = false;
  #isFinished = false;

  /** @param tag the one that it stands in @param elements those around it @param out where bytes are hidden */
  constructor(
    private readonly tag: StartTag,
    private readonly elements: OpenElements,
    private readonly out: RedactedBytes,
  ) {}

  /** Whether `readValue` has come to the end of the value. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  begin(): void {
    this.#prefix = EMPTY_HASH;
    this.#name = EMPTY_HASH;
  }

  /** @returns where the byte behind the name is, or the end of the chunk */
  readName(chunk: Uint8Array, index: number): number {
    let at = index;
    let name = this.#name;
    for (; at < chunk.length; at += 1) {
      const next = chunk[at] ?? 0;
      if (next === COLON) {
        this.#prefix = name;
        name = EMPTY_HASH;
      } else if (next === EQUALS || isSpace(next) || next === GT || next === LT || next === SLASH) break;
      else name = addToHash(name, next);
    }
    this.#name = name;
    return at;
  }

  /** Decides, once the name is known, what the value is to us. */
  chooseRole(): void {
    this.#hash = EMPTY_HASH;
    this.#collected = '';
    this.#isEscaped = false;
    const name = this.#name;
    const reason = this.elements.reason ?? secretAttributeReason(this.tag.local, name);
    if (this.#prefix === XMLNS) this.#role = Role.PrefixNamespace;
    else if (this.#prefix === EMPTY_HASH && name === XMLNS) this.#role = Role.DefaultNamespace;
    else if (reason !== undefined) {
      this.#role = Role.Hide;
      this.#reason = reason;
    } else if (this.#prefix !== EMPTY_HASH) this.#role = Role.Pass;
    else if (
      (this.tag.local === FIELD && (name === TYPE || name === VAR)) ||
      (this.tag.local === HEADER && name === NAME)
    )
      this.#role = Role.Collect;
    else this.#role = Role.Pass;
  }

  /** @returns whether the byte is a quote, and so not of the value */
  beginValue(byte: number): boolean {
    this.#quote = byte === QUOTE || byte === APOSTROPHE ? byte : 0;
    this.#isFinished = false;
    return this.#quote !== 0;
  }

  /** @returns where the next byte to be read is; the value goes on there unless it `isFinished` */
  readValue(chunk: Uint8Array, index: number): number {
    const quote = this.#quote;
    let end = index;
    if (this.#role === Role.Pass && !this.#isNearSecret()) {
      // Nearly every value: nothing to remember, nothing to hide.
      while (end < chunk.length && chunk[end] !== quote && chunk[end] !== LT) end += 1;
      if (quote === 0) end = index;
    }
    let isFinished = false;
    for (; end < chunk.length; end += 1) {
      const byte = chunk[end] ?? 0;
      if (quote === 0 ? isSpace(byte) || byte === GT : byte === quote) {
        isFinished = true;
        break;
      }
      switch (this.#role) {
        case Role.Hide:
          continue;
        case Role.Pass:
        case Role.HideBroken:
          break;
        case Role.DefaultNamespace:
        case Role.PrefixNamespace:
          if (byte === AMPERSAND) this.#isEscaped = true;
          this.#hash = addToHash(this.#hash, byte);
          break;
        case Role.Collect:
          if (byte === AMPERSAND) this.#isEscaped = true;
          if (this.#collected.length < maxCollected) this.#collected += String.fromCharCode(byte);
          break;
      }
      // XML allows no `<` in a value: a quote is missing, and this is the next tag.
      if (byte === LT) {
        this.#isEscaped = true;
        isFinished = true;
        break;
      }
      // A `>` in a value of a tag with secret content is more likely a missing quote than a value.
      if (byte === GT && this.#role !== Role.HideBroken && this.#isNearSecret()) {
        this.#role = Role.HideBroken;
        this.#reason = 'broken';
        this.tag.ownDefault = { namespace: undefined };
        this.out.beginSecret();
        return end + 1;
      }
    }
    if (this.#role === Role.Hide || this.#role === Role.HideBroken) this.out.hide(index, end, this.#reason);
    if (!isFinished) return end;
    this.#finish();
    return quote !== 0 && chunk[end] === quote ? end + 1 : end;
  }

  #isNearSecret(): boolean {
    return this.tag.hasContentRule || this.elements.reason !== undefined;
  }

  #finish(): void {
    this.#isFinished = true;
    const namespace = this.#isEscaped ? undefined : this.#hash;
    if (this.#role === Role.DefaultNamespace) this.tag.ownDefault = { namespace };
    else if (this.#role === Role.PrefixNamespace) {
      this.tag.ownPrefixes ??= new Map(this.elements.prefixes);
      this.tag.ownPrefixes.set(this.#name, namespace);
    } else if (this.#role === Role.Collect) {
      if (this.#isEscaped) this.tag.isDisguised = true;
      if (this.#name === TYPE) this.tag.fieldType = this.#collected;
      else if (this.#name === VAR) this.tag.fieldName = this.#collected;
      else this.tag.headerName = this.#collected;
    }
  }
}
