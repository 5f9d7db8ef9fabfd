/** The files that a message points at. Whose messages are worth reading is for the caller to say. */
import { DecodeError } from '../errors.js';
import type { FileFacts } from '../file-transfer/transfer.js';
import { OutOfBand } from '../messaging/stanzas.js';
import type { Element } from '../xml/element.js';
import type { ElementCodec } from '../xml/codec.js';
import { childElements } from '../xml/element.js';
import { FileSharing, factsFromMetadata } from './sharing-stanzas.js';

export interface SharedLink {
  /** Of the network: `https:` or `aesgcm:`; `downloadLink` checks it. */
  url: string;
  /** What the sender says of it; the name is the last part of the URL where it says none. */
  facts: FileFacts;
}

const web = /^https?:\/\//i;
/** XEP-0454 §5: a message of this kind is the link, perhaps with a thumbnail, and nothing else. */
const encryptedLink = /^aesgcm:\/\/\S+#[0-9a-f]{88,96}(?=$|\n)/i;

/** Files first (XEP-0447); links (XEP-0066) only where there are none, since they are the same ones again. */
export function readLinks(message: Element): SharedLink[] {
  if (message.attrs['type'] === 'error') return [];
  const files = decodeAll(message, FileSharing).flatMap(({ file, sources }) => {
    const facts = factsFromMetadata(file);
    const url = sources?.urls.map(({ target }) => target).find((target) => web.test(target));
    return url === undefined ? [] : [{ url, facts: { ...facts, name: facts.name ?? nameOf(url) } }];
  });
  if (files.length > 0) return files;
  const links = decodeAll(message, OutOfBand)
    .filter(({ url }) => web.test(url))
    .map(({ url, description }) => ({ url, facts: factsOfUrl(url, description) }));
  if (links.length > 0) return links;
  const body: unknown = message.getChildText('body');
  const encrypted = encryptedLink.exec(typeof body === 'string' ? body.trim() : '')?.[0];
  return encrypted === undefined ? [] : [{ url: encrypted, facts: factsOfUrl(encrypted, undefined) }];
}

/** One that is broken does not take the others with it. */
function decodeAll<T, Input>(message: Element, codec: ElementCodec<T, Input>): T[] {
  return childElements(message).flatMap((child) => {
    if (!codec.matches(child)) return [];
    try {
      return [codec.decode(child)];
    } catch (error) {
      if (error instanceof DecodeError) return [];
      throw error;
    }
  });
}

function factsOfUrl(url: string, description: string | undefined): FileFacts {
  return {
    name: nameOf(url),
    sizeBytes: undefined,
    mediaType: undefined,
    date: undefined,
    description,
    hashes: [],
    promisedHashes: [],
  };
}

function nameOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const last = new URL(url).pathname.split('/').findLast((part) => part !== '');
  try {
    return last === undefined ? undefined : decodeURIComponent(last);
  } catch {
    return last;
  }
}
