/**
 * Takes secrets out of one direction of a stream, byte by byte, wherever the packets are cut.
 *
 * It is a small XML tokenizer that remembers names as hashes and keeps nothing else, so it can let bytes through
 * at once: a secret attribute is known by its name before its value begins, secret content by the start tag before
 * it. Only a `<` that ends a packet inside of secret content waits for the next byte. Broken XML is survived; in
 * doubt (an unknown prefix, an escape where a name decides, a wrong end tag inside of a secret) it redacts.
 */
import { REDACTION_MARKER, type Redaction } from './record.js';
import {
  addToHash,
  contentRulesByName,
  EMPTY_HASH,
  hashName,
  mayHaveContentRule,
  isSecretField,
  isSecretHeader,
  isRemarkableAttribute,
  secretAttributeReason,
  type NameHash,
} from './secrets.js';

export interface Scanned {
  /** The bytes with a marker in place of each secret; the very same array when there was none. */
  bytes: Uint8Array;
  redactions: Redaction[];
}

/** An open element, as far as redaction needs to know it. `undefined` is a namespace that could not be read. */
interface Frame {
  name: NameHash;
  defaultNamespace: NameHash | undefined;
  prefixes: ReadonlyMap<NameHash, NameHash | undefined>;
  /** Why everything inside is secret. */
  reason: string | undefined;
  /** A form field whose values are secret. */
  isSecretField: boolean;
}

const enum State {
  Text,
  TagOpen,
  TagName,
  InTag,
  AttributeName,
  AfterAttributeName,
  BeforeValue,
  Value,
  EndTag,
  Bang,
  CommentOpen,
  Comment,
  Cdata,
  Declaration,
  Instruction,
}

/** What is done with an attribute's value. */
const enum Role {
  Pass,
  Hide,
  /** Hide up to the quote or the next tag: the attribute is broken. */
  HideBroken,
  DefaultNamespace,
  PrefixNamespace,
  Collect,
}

const LT = 0x3c;
const GT = 0x3e;
const SLASH = 0x2f;
const BANG = 0x21;
const QUESTION = 0x3f;
const EQUALS = 0x3d;
const COLON = 0x3a;
const DASH = 0x2d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const AMPERSAND = 0x26;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;

const marker = Buffer.from(REDACTION_MARKER, 'latin1');
const lessThan = Uint8Array.of(LT);
const nothing = new Uint8Array(0);

const XMLNS = hashName('xmlns');
const STREAM = hashName('stream');
const NS_STREAM = hashName('http://etherx.jabber.org/streams');
const FIELD = hashName('field');
const VALUE = hashName('value');
const HEADER = hashName('header');
const TYPE = hashName('type');
const VAR = hashName('var');
const NAME = hashName('name');

/** Enough for any name that decides something, and for every form of a connection. */
const maxCollected = 1024;
const maxPrivateFields = 1024;

const outermost: Frame = {
  name: EMPTY_HASH,
  defaultNamespace: EMPTY_HASH,
  prefixes: new Map(),
  reason: undefined,
  isSecretField: false,
};

function isLetter(byte: number): boolean {
  return byte >= 0x61 && byte <= 0x7a;
}

/** The bytes of nearly every name; others are left to the states. */
function isNameByte(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || byte === DASH || byte === COLON || (byte >= 0x30 && byte <= 0x39);
}

/** Elements that the states must look at: secret content, form fields, headers, and the stream itself. */
function isRemarkableElement(name: NameHash): boolean {
  return mayHaveContentRule(name) || name === FIELD || name === VALUE || name === HEADER || name === STREAM;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

export class SecretScanner {
  #state: State = State.Text;
  #frame: Frame = outermost;
  readonly #ancestors: Frame[] = [];

  // The tag being read.
  #prefix: NameHash = EMPTY_HASH;
  #local: NameHash = EMPTY_HASH;
  #isEmptyTag = false;
  #hasContentRule = false;
  #ownDefault: { namespace: NameHash | undefined } | undefined;
  #ownPrefixes: Map<NameHash, NameHash | undefined> | undefined;
  #fieldType = '';
  #fieldName = '';
  #headerName = '';
  /** A deciding attribute was written with an escape. */
  #isDisguised = false;

  // The attribute being read.
  #attributePrefix: NameHash = EMPTY_HASH;
  #attribute: NameHash = EMPTY_HASH;
  #role: Role = Role.Pass;
  #roleReason = '';
  #quote = 0;
  #valueHash: NameHash = EMPTY_HASH;
  #collected = '';
  #isEscaped = false;

  /** How many bytes of a terminator (`--`, `]]`, `?`) were seen, or how deep the brackets of a declaration are. */
  #run = 0;

  // The secret being hidden.
  #needsMarker = false;
  #isHeld = false;
  #entry: Redaction | undefined;

  // What this call gives out.
  #chunk: Uint8Array = nothing;
  #pieces: Uint8Array[] = [];
  #length = 0;
  #done = 0;
  #redactions: Redaction[] = [];

  /** @param privateFields names of `text-private` form fields, shared by both directions of a connection */
  constructor(private readonly privateFields: Set<string> = new Set()) {}

  /** The next bytes of the direction, redacted. */
  scan(chunk: Uint8Array): Scanned {
    this.#chunk = chunk;
    this.#pieces = [];
    this.#length = 0;
    this.#done = 0;
    this.#redactions = [];
    this.#entry = undefined;
    let index = 0;
    while (index < chunk.length) index = this.#step(chunk, index);
    if (this.#pieces.length === 0 && this.#done === 0) return { bytes: chunk, redactions: this.#redactions };
    this.#pass(chunk.length);
    return { bytes: Buffer.concat(this.#pieces, this.#length), redactions: this.#redactions };
  }

  /** What was still held back when the direction ended. */
  end(): Uint8Array {
    const rest = this.#isHeld ? lessThan : nothing;
    this.#isHeld = false;
    return rest;
  }

  /** Reads a run of bytes from `index` and returns where the next one starts. */
  #step(chunk: Uint8Array, index: number): number {
    const { length } = chunk;
    const byte = chunk[index] ?? 0;
    switch (this.#state) {
      case State.Text: {
        if (byte === LT) {
          if (this.#frame.reason === undefined) {
            const end = this.#readPlainTag(chunk, index + 1);
            if (end > 0) return end;
          } else this.#hold(index);
          this.#state = State.TagOpen;
          return index + 1;
        }
        let end = index + 1;
        while (end < length && chunk[end] !== LT) end += 1;
        if (this.#frame.reason !== undefined) this.#hide(index, end, this.#frame.reason);
        return end;
      }
      case State.TagOpen:
        return this.#readTagOpen(byte, index);
      case State.TagName: {
        let at = index;
        let local = this.#local;
        for (; at < length; at += 1) {
          const next = chunk[at] ?? 0;
          if (isLetter(next)) local = addToHash(local, next);
          else if (next === COLON) {
            this.#prefix = local;
            local = EMPTY_HASH;
          } else if (isSpace(next) || next === SLASH || next === GT || next === LT) {
            this.#hasContentRule = mayHaveContentRule(local);
            this.#state = State.InTag;
            break;
          } else local = addToHash(local, next);
        }
        this.#local = local;
        return at;
      }
      case State.InTag:
        return this.#readInTag(byte, index);
      case State.AttributeName: {
        let at = index;
        let attribute = this.#attribute;
        for (; at < length; at += 1) {
          const next = chunk[at] ?? 0;
          if (isLetter(next)) attribute = addToHash(attribute, next);
          else if (next === COLON) {
            this.#attributePrefix = attribute;
            attribute = EMPTY_HASH;
          } else if (next === EQUALS || isSpace(next) || next === GT || next === LT || next === SLASH) {
            this.#state = State.AfterAttributeName;
            break;
          } else attribute = addToHash(attribute, next);
        }
        this.#attribute = attribute;
        return at;
      }
      case State.AfterAttributeName:
        if (byte === EQUALS) {
          this.#chooseRole();
          this.#state = State.BeforeValue;
          return index + 1;
        }
        if (isSpace(byte)) return index + 1;
        this.#state = State.InTag;
        return index;
      case State.BeforeValue:
        if (isSpace(byte)) return index + 1;
        this.#beginSecret();
        if (byte === QUOTE || byte === APOSTROPHE) {
          this.#quote = byte;
          this.#state = State.Value;
          return index + 1;
        }
        if (byte === GT || byte === LT) {
          this.#state = State.InTag;
          return index;
        }
        this.#quote = 0;
        this.#state = State.Value;
        return index;
      case State.Value:
        return this.#readValue(chunk, index);
      case State.EndTag: {
        // The name matters only where a secret may end.
        const isNamed = this.#frame.reason !== undefined;
        for (let at = index; at < length; at += 1) {
          const next = chunk[at] ?? 0;
          if (next === GT || next === LT) {
            this.#closeElement();
            return next === GT ? at + 1 : at;
          }
          if (!isNamed) continue;
          if (next === COLON) {
            this.#prefix = this.#local;
            this.#local = EMPTY_HASH;
          } else if (!isSpace(next)) this.#local = addToHash(this.#local, next);
        }
        return length;
      }
      case State.Bang:
        this.#run = 0;
        if (byte === DASH) this.#state = State.CommentOpen;
        else if (byte === OPEN_BRACKET) this.#state = State.Cdata;
        else {
          this.#state = State.Declaration;
          return index;
        }
        return this.#inside(index, index + 1);
      case State.CommentOpen:
        this.#state = byte === DASH ? State.Comment : State.Declaration;
        return this.#inside(index, index + 1);
      case State.Comment:
        return this.#skipUntil(chunk, index, DASH, 2);
      case State.Cdata:
        return this.#skipUntil(chunk, index, CLOSE_BRACKET, 2);
      case State.Instruction:
        return this.#skipUntil(chunk, index, QUESTION, 1);
      case State.Declaration: {
        let at = index;
        while (at < length) {
          const next = chunk[at] ?? 0;
          at += 1;
          if (next === OPEN_BRACKET) this.#run += 1;
          else if (next === CLOSE_BRACKET) this.#run -= 1;
          else if (next === GT && this.#run <= 0) {
            this.#state = State.Text;
            break;
          }
        }
        return this.#inside(index, at);
      }
    }
  }

  /**
   * Reads a tag in one go when all of it is here and nothing about it concerns a secret: nearly every tag of a
   * stream, at a third of the price. Returns where it ends, or 0 with nothing changed: then the states read it.
   */
  #readPlainTag(chunk: Uint8Array, start: number): number {
    const { length } = chunk;
    let at = start;
    if (chunk[at] === SLASH) {
      while (at < length && chunk[at] !== GT && chunk[at] !== LT) at += 1;
      if (chunk[at] !== GT) return 0;
      this.#frame = this.#ancestors.pop() ?? outermost;
      return at + 1;
    }
    let prefix = EMPTY_HASH;
    let local = EMPTY_HASH;
    let byte = chunk[at] ?? 0;
    while (isNameByte(byte)) {
      if (byte === COLON) {
        prefix = local;
        local = EMPTY_HASH;
      } else local = addToHash(local, byte);
      at += 1;
      byte = chunk[at] ?? 0;
    }
    if (at === start || isRemarkableElement(local)) return 0;
    let own: NameHash | undefined;
    let ownPrefixes: Map<NameHash, NameHash | undefined> | undefined;
    for (;;) {
      while (byte === 0x20) {
        at += 1;
        byte = chunk[at] ?? 0;
      }
      if (byte === GT) break;
      if (byte === SLASH) return chunk[at + 1] === GT ? at + 2 : 0;
      let attributePrefix = EMPTY_HASH;
      let attribute = EMPTY_HASH;
      while (isNameByte(byte)) {
        if (byte === COLON) {
          attributePrefix = attribute;
          attribute = EMPTY_HASH;
        } else attribute = addToHash(attribute, byte);
        at += 1;
        byte = chunk[at] ?? 0;
      }
      const quote = chunk[at + 1] ?? 0;
      if (byte !== EQUALS || (quote !== QUOTE && quote !== APOSTROPHE)) return 0;
      if (attribute === EMPTY_HASH || isRemarkableAttribute(attribute)) return 0;
      at += 2;
      const isDefault = attribute === XMLNS && attributePrefix === EMPTY_HASH;
      if (isDefault || attributePrefix === XMLNS) {
        let namespace = EMPTY_HASH;
        for (byte = chunk[at] ?? 0; byte !== quote; byte = chunk[at] ?? 0) {
          if (at >= length || byte === AMPERSAND || byte === LT) return 0;
          namespace = addToHash(namespace, byte);
          at += 1;
        }
        if (isDefault) own = namespace;
        else (ownPrefixes ??= new Map(this.#frame.prefixes)).set(attribute, namespace);
      } else {
        while (at < length && chunk[at] !== quote && chunk[at] !== LT) at += 1;
        if (chunk[at] !== quote) return 0;
      }
      at += 1;
      byte = chunk[at] ?? 0;
    }
    this.#ancestors.push(this.#frame);
    this.#frame = {
      name: qualify(prefix, local),
      defaultNamespace: own ?? this.#frame.defaultNamespace,
      prefixes: ownPrefixes ?? this.#frame.prefixes,
      reason: undefined,
      isSecretField: false,
    };
    return at + 1;
  }

  /** Looks at the byte after a `<`. */
  #readTagOpen(byte: number, index: number): number {
    const isMarkup = byte === BANG || byte === QUESTION;
    if (this.#isHeld) {
      this.#isHeld = false;
      if (isMarkup) this.#hideHeld();
      else this.#emit(lessThan);
    }
    if (isMarkup) {
      this.#run = 0;
      this.#state = byte === BANG ? State.Bang : State.Instruction;
      return this.#inside(index, index + 1);
    }
    if (byte === LT) {
      // `<<` is no tag; the second may start one.
      this.#state = State.Text;
      return index;
    }
    if (isSpace(byte) || byte === GT) {
      this.#state = State.Text;
      this.#beginSecret();
      return index;
    }
    this.#prefix = EMPTY_HASH;
    this.#local = EMPTY_HASH;
    if (byte === SLASH) {
      this.#state = State.EndTag;
      return index + 1;
    }
    this.#isEmptyTag = false;
    this.#ownDefault = undefined;
    this.#ownPrefixes = undefined;
    this.#fieldType = this.#fieldName = this.#headerName = '';
    this.#isDisguised = false;
    this.#state = State.TagName;
    return index;
  }

  /** Looks at a byte between the attributes of a start tag. */
  #readInTag(byte: number, index: number): number {
    if (byte === GT) {
      this.#openElement();
      return index + 1;
    }
    if (byte === LT) {
      // The tag was never finished. What follows is read as if it had been.
      this.#openElement();
      return index;
    }
    if (byte === SLASH) {
      this.#isEmptyTag = true;
      return index + 1;
    }
    if (isSpace(byte)) return index + 1;
    this.#isEmptyTag = false;
    if (byte === EQUALS || byte === QUOTE || byte === APOSTROPHE) return index + 1;
    this.#attributePrefix = EMPTY_HASH;
    this.#attribute = EMPTY_HASH;
    this.#state = State.AttributeName;
    return index;
  }

  /** Decides, once its name is known, what an attribute's value is to us. */
  #chooseRole(): void {
    this.#valueHash = EMPTY_HASH;
    this.#collected = '';
    this.#isEscaped = false;
    const name = this.#attribute;
    const reason = this.#frame.reason ?? secretAttributeReason(this.#local, name);
    if (this.#attributePrefix === XMLNS) this.#role = Role.PrefixNamespace;
    else if (this.#attributePrefix === EMPTY_HASH && name === XMLNS) this.#role = Role.DefaultNamespace;
    else if (reason !== undefined) {
      this.#role = Role.Hide;
      this.#roleReason = reason;
    } else if (this.#attributePrefix !== EMPTY_HASH) this.#role = Role.Pass;
    else if (
      (this.#local === FIELD && (name === TYPE || name === VAR)) ||
      (this.#local === HEADER && name === NAME)
    )
      this.#role = Role.Collect;
    else this.#role = Role.Pass;
  }

  #readValue(chunk: Uint8Array, index: number): number {
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
          this.#valueHash = addToHash(this.#valueHash, byte);
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
        this.#roleReason = 'broken';
        this.#ownDefault = { namespace: undefined };
        this.#beginSecret();
        return end + 1;
      }
    }
    if (this.#role === Role.Hide || this.#role === Role.HideBroken) this.#hide(index, end, this.#roleReason);
    if (!isFinished) return end;
    this.#finishValue();
    this.#state = State.InTag;
    return quote !== 0 && chunk[end] === quote ? end + 1 : end;
  }

  #isNearSecret(): boolean {
    return this.#hasContentRule || this.#frame.reason !== undefined;
  }

  #finishValue(): void {
    const namespace = this.#isEscaped ? undefined : this.#valueHash;
    if (this.#role === Role.DefaultNamespace) this.#ownDefault = { namespace };
    else if (this.#role === Role.PrefixNamespace) {
      this.#ownPrefixes ??= new Map(this.#frame.prefixes);
      this.#ownPrefixes.set(this.#attribute, namespace);
    } else if (this.#role === Role.Collect) {
      if (this.#isEscaped) this.#isDisguised = true;
      if (this.#attribute === TYPE) this.#fieldType = this.#collected;
      else if (this.#attribute === VAR) this.#fieldName = this.#collected;
      else this.#headerName = this.#collected;
    }
  }

  #openElement(): void {
    this.#state = State.Text;
    const parent = this.#frame;
    const defaultNamespace = this.#ownDefault ? this.#ownDefault.namespace : parent.defaultNamespace;
    const prefixes = this.#ownPrefixes ?? parent.prefixes;
    const namespace = this.#prefix === EMPTY_HASH ? defaultNamespace : prefixes.get(this.#prefix);
    const isField = this.#local === FIELD && this.#isPrivateField();
    if (this.#isEmptyTag) {
      this.#beginSecret();
      return;
    }
    // RFC 6120 §4.3.3: a negotiated stream starts anew inside of the old one, which is never closed.
    if (this.#local === STREAM && namespace === NS_STREAM && parent.reason === undefined) {
      this.#ancestors.length = 0;
      this.#frame = outermost;
    }
    this.#ancestors.push(this.#frame);
    this.#frame = {
      name: qualify(this.#prefix, this.#local),
      defaultNamespace,
      prefixes,
      reason: parent.reason ?? this.#contentReason(namespace, parent),
      isSecretField: isField,
    };
    this.#beginSecret();
  }

  #contentReason(namespace: NameHash | undefined, parent: Frame): string | undefined {
    if (this.#local === VALUE) return parent.isSecretField ? 'form' : undefined;
    if (this.#local === HEADER)
      return this.#isDisguised || isSecretHeader(this.#headerName) ? 'header' : undefined;
    if (!this.#hasContentRule) return undefined;
    return contentRulesByName
      .get(this.#local)
      ?.find(
        ({ namespaces }) => namespaces === undefined || namespace === undefined || namespaces.has(namespace),
      )?.reason;
  }

  /** Forms that are filled in often leave the type out, so a name that was private once stays private. */
  #isPrivateField(): boolean {
    if (this.#isDisguised) return true;
    const name = this.#fieldName;
    if (this.#fieldType === 'text-private' && name !== '' && this.privateFields.size < maxPrivateFields)
      this.privateFields.add(name);
    return isSecretField(this.#fieldType, name) || this.privateFields.has(name);
  }

  #closeElement(): void {
    this.#state = State.Text;
    this.#beginSecret();
    // Inside of a secret only its own end tag ends it.
    if (this.#frame.reason !== undefined && qualify(this.#prefix, this.#local) !== this.#frame.name) return;
    this.#frame = this.#ancestors.pop() ?? outermost;
  }

  /** Reads on to a `>` that follows `count` of a byte; inside of a secret all of it is hidden. */
  #skipUntil(chunk: Uint8Array, index: number, byte: number, count: number): number {
    let at = index;
    while (at < chunk.length) {
      const next = chunk[at] ?? 0;
      at += 1;
      if (next === byte) this.#run += 1;
      else if (next === GT && this.#run >= count) {
        this.#state = State.Text;
        break;
      } else this.#run = 0;
    }
    return this.#inside(index, at);
  }

  /** A comment, CDATA section or the like inside of a secret is part of the secret. */
  #inside(from: number, to: number): number {
    if (this.#frame.reason !== undefined) this.#hide(from, to, this.#frame.reason);
    return to;
  }

  /** The next byte that is hidden begins a new secret. */
  #beginSecret(): void {
    this.#needsMarker = true;
    this.#entry = undefined;
  }

  #hide(from: number, to: number, reason: string): void {
    if (to <= from) return;
    this.#pass(from);
    this.#done = to;
    this.#count(to - from, reason);
  }

  #hideHeld(): void {
    this.#count(1, this.#frame.reason ?? '');
  }

  #count(bytes: number, reason: string): void {
    if (this.#entry) {
      this.#entry.bytes += bytes;
      return;
    }
    this.#entry = {
      at: this.#length,
      bytes,
      reason,
      ...(!this.#needsMarker && { continued: true as const }),
    };
    this.#redactions.push(this.#entry);
    if (this.#needsMarker) this.#emit(marker);
    this.#needsMarker = false;
  }

  /** Keeps back a `<` in secret content until the next byte tells whether it belongs to the secret. */
  #hold(index: number): void {
    this.#pass(index);
    this.#done = index + 1;
    this.#isHeld = true;
  }

  /** Lets the bytes up to `end` through. */
  #pass(end: number): void {
    if (end > this.#done) this.#emit(this.#chunk.subarray(this.#done, end));
    this.#done = Math.max(this.#done, end);
  }

  #emit(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }
}

function qualify(prefix: NameHash, local: NameHash): NameHash {
  return Math.imul(prefix, 31) ^ local;
}
