/**
 * Takes secrets out of one direction of a stream, byte by byte, wherever the packets are cut.
 *
 * It is a small XML tokenizer that remembers names as hashes and keeps nothing else, so it can let bytes through
 * at once: a secret attribute is known by its name before its value begins, secret content by the start tag before
 * it. Only a `<` that ends a packet inside of secret content waits for the next byte. Broken XML is survived; in
 * doubt (an unknown prefix, an escape where a name decides, a wrong end tag inside of a secret) it redacts.
 */
import { OpenElements, StartTag } from './open-elements.js';
import { readPlainTag } from './plain-tag.js';
import { RedactedBytes, type Scanned } from './redacted-bytes.js';
import { SecretAttribute } from './secret-attribute.js';
import { addToHash, EMPTY_HASH, mayHaveContentRule } from './secrets.js';
import {
  APOSTROPHE,
  BANG,
  CLOSE_BRACKET,
  COLON,
  DASH,
  EQUALS,
  GT,
  isSpace,
  LT,
  OPEN_BRACKET,
  QUESTION,
  QUOTE,
  SLASH,
} from './xml-bytes.js';

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

/** Text is mostly short; what is longer is searched in one call, which costs more than this many bytes. */
const nearBytes = 32;

export class SecretScanner {
  #state: State = State.Text;
  readonly #out = new RedactedBytes();
  readonly #elements: OpenElements;
  /** The tag being read; an end tag has only its name there. */
  readonly #tag = new StartTag();
  readonly #attribute: SecretAttribute;

  /** How many bytes of a terminator (`--`, `]]`, `?`) were seen, or how deep the brackets of a declaration are. */
  #run = 0;

  /** @param privateFields names of `text-private` form fields, shared by both directions of a connection */
  constructor(privateFields = new Set<string>()) {
    this.#elements = new OpenElements(privateFields);
    this.#attribute = new SecretAttribute(this.#tag, this.#elements, this.#out);
  }

  /** The next bytes of the direction, redacted. */
  scan(chunk: Uint8Array): Scanned {
    this.#out.begin(chunk);
    let index = 0;
    while (index < chunk.length) index = this.#step(chunk, index);
    return this.#out.finish();
  }

  /** What was still held back when the direction ended. */
  end(): Uint8Array {
    return this.#out.end();
  }

  /** Reads a run of bytes from `index` and returns where the next one starts. */
  #step(chunk: Uint8Array, index: number): number {
    const { length } = chunk;
    const byte = chunk[index] ?? 0;
    switch (this.#state) {
      case State.Text: {
        if (byte === LT) {
          if (this.#elements.reason === undefined) {
            const end = readPlainTag(chunk, index + 1, this.#elements);
            if (end > 0) return end;
          } else this.#out.hold(index);
          this.#state = State.TagOpen;
          return index + 1;
        }
        let end = index + 1;
        const near = Math.min(length, index + nearBytes);
        while (end < near && chunk[end] !== LT) end += 1;
        if (end === near && near < length) {
          const found = chunk.indexOf(LT, near);
          end = found < 0 ? length : found;
        }
        return this.#inside(index, end);
      }
      case State.TagOpen:
        return this.#readTagOpen(byte, index);
      case State.TagName: {
        let at = index;
        let local = this.#tag.local;
        for (; at < length; at += 1) {
          const next = chunk[at] ?? 0;
          if (next === COLON) {
            this.#tag.prefix = local;
            local = EMPTY_HASH;
          } else if (isSpace(next) || next === SLASH || next === GT || next === LT) {
            this.#tag.hasContentRule = mayHaveContentRule(local);
            this.#state = State.InTag;
            break;
          } else local = addToHash(local, next);
        }
        this.#tag.local = local;
        return at;
      }
      case State.InTag:
        return this.#readInTag(byte, index);
      case State.AttributeName: {
        const end = this.#attribute.readName(chunk, index);
        if (end < length) this.#state = State.AfterAttributeName;
        return end;
      }
      case State.AfterAttributeName:
        if (byte === EQUALS) {
          this.#attribute.chooseRole();
          this.#state = State.BeforeValue;
          return index + 1;
        }
        if (isSpace(byte)) return index + 1;
        this.#state = State.InTag;
        return index;
      case State.BeforeValue:
        if (isSpace(byte)) return index + 1;
        this.#out.beginSecret();
        if (byte === GT || byte === LT) {
          this.#state = State.InTag;
          return index;
        }
        this.#state = State.Value;
        return this.#attribute.beginValue(byte) ? index + 1 : index;
      case State.Value: {
        const end = this.#attribute.readValue(chunk, index);
        if (this.#attribute.isFinished) this.#state = State.InTag;
        return end;
      }
      case State.EndTag: {
        // The name matters only where a secret may end.
        const isNamed = this.#elements.reason !== undefined;
        for (let at = index; at < length; at += 1) {
          const next = chunk[at] ?? 0;
          if (next === GT || next === LT) {
            this.#closeElement();
            return next === GT ? at + 1 : at;
          }
          if (!isNamed) continue;
          if (next === COLON) {
            this.#tag.prefix = this.#tag.local;
            this.#tag.local = EMPTY_HASH;
          } else if (!isSpace(next)) this.#tag.local = addToHash(this.#tag.local, next);
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
        if (byte !== DASH) {
          this.#state = State.Declaration;
          return index;
        }
        this.#state = State.Comment;
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
          if (next === LT && this.#run <= 0) {
            // A declaration that never ended; a tag starts here.
            this.#state = State.Text;
            at -= 1;
            break;
          }
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

  /** Looks at the byte after a `<`. */
  #readTagOpen(byte: number, index: number): number {
    const isMarkup = byte === BANG || byte === QUESTION;
    if (this.#out.isHolding) {
      if (isMarkup) this.#out.hideHeld(this.#elements.reason ?? '');
      else this.#out.passHeld();
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
      this.#out.beginSecret();
      return index;
    }
    this.#tag.reset();
    if (byte === SLASH) {
      this.#state = State.EndTag;
      return index + 1;
    }
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
      this.#tag.isEmpty = true;
      return index + 1;
    }
    if (isSpace(byte)) return index + 1;
    this.#tag.isEmpty = false;
    if (byte === EQUALS || byte === QUOTE || byte === APOSTROPHE) return index + 1;
    this.#attribute.begin();
    this.#state = State.AttributeName;
    return index;
  }

  #openElement(): void {
    this.#state = State.Text;
    this.#elements.open(this.#tag);
    this.#out.beginSecret();
  }

  #closeElement(): void {
    this.#state = State.Text;
    this.#elements.close(this.#tag.prefix, this.#tag.local);
    this.#out.beginSecret();
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
    const { reason } = this.#elements;
    if (reason !== undefined) this.#out.hide(from, to, reason);
    return to;
  }
}
