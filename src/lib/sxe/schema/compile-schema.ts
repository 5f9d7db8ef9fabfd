/** RELAX NG and XML Schema by libxml2. It blocks while it works, so it is run in a thread (`schema-worker.ts`). */
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  ParseOption,
  RelaxNGValidator,
  XmlBufferInputProvider,
  xmlCleanupInputProvider,
  XmlDocument,
  XmlLibError,
  xmlRegisterInputProvider,
  XsdValidator,
} from 'libxml2-wasm';

/** Why a document is not valid. */
export interface SchemaFault {
  /** What libxml2 says: one line. */
  reason: string;
  /** From 1; undefined where it is not known. */
  line: number | undefined;
}

interface Validator {
  validate(document: XmlDocument): void;
}

/** Finds the first fault in a document. */
export type FindFault = (text: string) => SchemaFault | undefined;

const NS_RELAX_NG = 'http://relaxng.org/ns/structure/1.0';
const NS_XML_SCHEMA = 'http://www.w3.org/2001/XMLSchema';
const MAX_REASON_LENGTH = 500;
const MAX_SCHEMA_BYTES = 16 * 1024 * 1024;
/** Nothing but the text itself: no DTD and no entity is fetched. Depth is bounded by who has parsed it before. */
const OPTIONS = [
  ParseOption.XML_PARSE_NONET,
  ParseOption.XML_PARSE_NO_XXE,
  ParseOption.XML_PARSE_BIG_LINES,
  ParseOption.XML_PARSE_HUGE,
].reduce((all, one) => (all | one) as ParseOption, ParseOption.XML_PARSE_DEFAULT);

/**
 * @param file where the schema is: what it includes is looked for from there, in files only
 * @throws Error what is wrong with the schema, in one line
 */
export function compileSchema(file: string): FindFault {
  xmlRegisterInputProvider(new IncludedFiles());
  try {
    const source = XmlDocument.fromBuffer(readBounded(file), { url: file, option: OPTIONS });
    const validator = validatorOf(source);
    return (text) => findFault(validator, text);
  } catch (error) {
    if (!(error instanceof XmlLibError)) throw error;
    const { reason, line } = firstOf(error);
    throw new Error(line === undefined ? reason : `line ${line}: ${reason}`, { cause: error });
  } finally {
    xmlCleanupInputProvider();
  }
}

function validatorOf(source: XmlDocument): Validator {
  switch (source.root.namespaceUri) {
    case NS_RELAX_NG:
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- libxml2 may part with it; the version here has it
      return RelaxNGValidator.fromDoc(source);
    case NS_XML_SCHEMA:
      return XsdValidator.fromDoc(source);
    default:
      throw new Error('it is neither RELAX NG (in its XML syntax) nor an XML Schema');
  }
}

function findFault(validator: Validator, text: string): SchemaFault | undefined {
  let document: XmlDocument | undefined;
  try {
    document = XmlDocument.fromString(text, { option: OPTIONS });
    validator.validate(document);
    return undefined;
  } catch (error) {
    if (error instanceof XmlLibError) return firstOf(error);
    throw error;
  } finally {
    document?.dispose();
  }
}

/** What comes later is most often said because of the first. */
function firstOf(error: XmlLibError): SchemaFault {
  const [first] = error.details.filter(({ level, message }) => level >= 2 && message !== '');
  const reason = (first?.message ?? error.message).replace(/\s+/g, ' ').trim().slice(0, MAX_REASON_LENGTH);
  const line = first?.line;
  return { reason, line: line !== undefined && line > 0 ? line : undefined };
}

/** What a schema includes: files, and nothing else that an address may stand for. */
class IncludedFiles extends XmlBufferInputProvider {
  constructor() {
    super({});
  }

  override match(name: string): boolean {
    try {
      this.addBuffer(name, readBounded(name.startsWith('file:') ? fileURLToPath(name) : name));
      return true;
    } catch {
      return false;
    }
  }
}

/** @throws Error it cannot be read, or is too large */
function readBounded(file: string): Uint8Array {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats) throw new Error('it does not exist');
  if (!stats.isFile()) throw new Error('it is no file');
  if (stats.size > MAX_SCHEMA_BYTES) throw new Error(`it has more than ${MAX_SCHEMA_BYTES} bytes`);
  return readFileSync(file);
}
