/**
 * Reading a message archive (XEP-0313 1.1.3): our account's, or a room's.
 *
 * Not here: preferences (§6), fields beyond with, start and end, flipped pages.
 */
import { randomUUID } from 'node:crypto';
import { DecodeError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import { readPages } from '../rsm/pages.js';
import type { Session, WaitOptions } from '../session/session.js';
import { isFromOwnAccount, readArchivedMessage, type Message } from './message.js';
import { ArchiveEnd, ArchiveQuery, ArchiveResult, NS_MAM } from './stanzas.js';
import type { Element } from '../xml/element.js';
import { dateTime } from '../xml/scalars.js';

export interface ArchiveRange {
  /** Whose archive; our own when left out. */
  archive?: JID | undefined;
  /** The id of the last message that is known already. */
  after?: string | undefined;
  start?: Date | undefined;
  end?: Date | undefined;
  /** Only messages with this address. */
  with?: JID | undefined;
  pageSize?: number;
}

/**
 * The archived messages of a range, oldest first. A page is fetched when the reader has read the one before.
 * @throws StanzaError `item-not-found`: the archive does not know the message to go on after
 */
export function readArchive(
  session: Session,
  range: ArchiveRange,
  options?: WaitOptions,
): AsyncGenerator<Message, void, undefined> {
  const pageSize = range.pageSize ?? 100;
  return readPages(
    async (page) => {
      const { messages, end } = await queryPage(session, range, page, options);
      return { items: messages, set: end?.page, isLast: end === undefined || end.isComplete };
    },
    { pageSize, after: range.after },
  );
}

/** The id of the newest message in an archive; `undefined` when it is empty. */
export async function lastArchiveId(session: Session, archive?: JID, options?: WaitOptions) {
  const { messages } = await queryPage(session, { archive }, { max: 1, before: '' }, options);
  return messages.at(-1)?.stanzaId;
}

async function queryPage(
  session: Session,
  range: ArchiveRange,
  page: { max?: number | undefined; after?: string | undefined; before?: string | undefined },
  options?: WaitOptions,
) {
  const queryId = randomUUID();
  const messages: Message[] = [];
  const { archive } = range;
  // Results are messages of their own that come before the IQ's answer; anybody could send one, so both sender and query count.
  using _results = session.handle(
    { name: 'message', child: { name: 'result', namespace: NS_MAM } },
    (stanza) => {
      const isFromArchive = archive
        ? stanza.attrs['from'] === archive.toString()
        : isFromOwnAccount(stanza, session.jid);
      if (!isFromArchive) return;
      const message = readResult(stanza, queryId, session.jid);
      if (message) messages.push(message);
    },
  );
  const { start, end, with: peer } = range;
  const filters = [
    { name: 'with', value: peer?.toString() },
    { name: 'start', value: start && dateTime.write(start) },
    { name: 'end', value: end && dateTime.write(end) },
  ].flatMap(({ name, value }) => (value === undefined ? [] : [{ name, values: [value] }]));
  const reply = await session.request(
    {
      type: 'set',
      ...(archive && { to: archive }),
      payload: ArchiveQuery.encode({
        queryId,
        ...(filters.length > 0 && {
          form: {
            type: 'submit',
            fields: [{ name: 'FORM_TYPE', type: 'hidden', values: [NS_MAM] }, ...filters],
          },
        }),
        page,
      }),
    },
    options,
  );
  return { messages, end: ArchiveEnd.find(reply) };
}

/** A result that cannot be read must not end the whole query: the archive would stay unreadable for ever. */
function readResult(stanza: Element, queryId: string, me: JID): Message | undefined {
  try {
    const result = ArchiveResult.find(stanza);
    if (result?.queryId !== queryId) return undefined;
    return readArchivedMessage(result, { me, now: Date.now() });
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
