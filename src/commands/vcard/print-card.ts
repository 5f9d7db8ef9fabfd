/** A card on stdout, in the notation it is in. */
import type { Context } from '../../lib/context.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { WrittenCard } from '../../lib/vcard/formats/card-formats.js';
import { prettyXml } from '../../lib/xml/canonical.js';

export type CardContent = NonNullable<WrittenCard['content']>;

/** As a value of a JSON document: jCards are values themselves, the others text. */
export function cardAsJson(content: CardContent | undefined): unknown {
  if (!content) return null;
  if (content.kind === 'json') return content.value;
  return content.kind === 'xml' ? content.element.toString() : content.text;
}

/** @param facts what goes with it in JSON */
export async function printCard(
  content: CardContent,
  facts: Readonly<Record<string, unknown>>,
  { output }: Context,
): Promise<void> {
  if (output.isJson) {
    await output.result({ ...facts, card: cardAsJson(content) }, () => '');
    return;
  }
  if (content.kind === 'text') {
    await output.bytes(Buffer.from(cardText(content.text, output.isTerminal)));
    return;
  }
  const text = content.kind === 'xml' ? prettyXml(content.element) : JSON.stringify(content.value, null, 2);
  await output.result(text, (shown) => (output.isTerminal ? safeText(shown) : shown));
}

/** RFC 6350 §3.2: lines end in CRLF, which a terminal is spared. */
export function cardText(text: string, isTerminal: boolean): string {
  return isTerminal ? safeText(text.replaceAll('\r\n', '\n')) : text;
}
