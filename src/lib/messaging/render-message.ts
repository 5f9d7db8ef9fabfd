/** A message as a line of text. */
import type { Message } from './message.js';

/** What there is to read in it, on as many lines as it has. */
export function textOf(message: Message): string {
  const { body, subject, attachments, encryption, error, receiptFor, chatState, reactions } = message;
  const notes = [
    error && `[refused: ${error.condition}${error.text === undefined ? '' : `, ${error.text}`}]`,
    subject !== undefined && `[subject: ${subject}]`,
    encryption !== undefined && `[encrypted: ${encryption}]`,
    receiptFor !== undefined && `[received ${receiptFor}]`,
    reactions && `[reaction ${reactions.reactions.join(' ')} to ${reactions.id}]`,
    body === undefined && chatState !== undefined && `[${chatState}]`,
  ].filter((note) => typeof note === 'string');
  const links = attachments?.map(({ url }) => url).filter((url) => url !== body) ?? [];
  return [...notes, ...(body === undefined ? [] : [body]), ...links].join(' ');
}
