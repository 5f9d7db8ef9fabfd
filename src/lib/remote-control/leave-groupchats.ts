/**
 * XEP-0146: Remote Controlling Clients, version 1.1.
 *
 * Only its command to leave rooms, on both sides, by the ad-hoc commands of XEP-0050 with their two steps. Not here: the
 * other commands, and the list of commands in service discovery.
 */
import { randomUUID } from 'node:crypto';
import { DecodeError, RemoteError } from '../errors.js';
import { fillForm } from '../forms/answers.js';
import { DataForm, NS_DATA_FORMS } from '../forms/stanzas.js';
import { formValues } from '../forms/values.js';
import type { JID } from '../jid/jid.js';
import type { Session, WaitOptions } from '../session/session.js';
import { StanzaReply } from '../session/stanza-reply.js';
import { xml, type Element } from '../xml/element.js';

const NS_COMMANDS = 'http://jabber.org/protocol/commands';
const NS_REMOTE_CONTROL = 'http://jabber.org/protocol/rc';
const LEAVE_GROUPCHATS = `${NS_REMOTE_CONTROL}#leave-groupchats`;
const FIELD = 'groupchats';

export interface LeavingOptions {
  /** The rooms that can be left at the moment: `room@service/nick`. */
  occupancies: () => readonly JID[];
  /** Leaves one; the answer is given when it is done. */
  leave: (occupancy: JID) => Promise<void>;
}

/** Lets other clients of the own account, and nobody else, have rooms left. Until it is disposed. */
export function answerLeaving(
  session: Pick<Session, 'jid' | 'respond'>,
  { occupancies, leave }: LeavingOptions,
): Disposable {
  const request = { type: 'set' as const, name: 'command', namespace: NS_COMMANDS };
  return session.respond({ ...request, feature: [NS_COMMANDS] }, async ({ payload, from }) => {
    if (!from.bare.equals(session.jid.bare)) throw new StanzaReply({ condition: 'forbidden' });
    if (payload.attrs['node'] !== LEAVE_GROUPCHATS) throw new StanzaReply({ condition: 'item-not-found' });
    if (payload.attrs['action'] === 'cancel')
      return command({ sessionid: sidOf(payload), status: 'canceled' });
    const form = submittedForm(payload);
    if (!form) return command({ sessionid: randomUUID(), status: 'executing' }, offer(occupancies()));
    const wanted = formValues(form, FIELD);
    for (const occupancy of occupancies()) if (wanted.includes(occupancy.toString())) await leave(occupancy);
    return command({ sessionid: sidOf(payload), status: 'completed' });
  });
}

/**
 * Has a client of the own account leave a room.
 * @param client with its resource
 * @param occupancy `room@service/nick`
 * @returns false when it is not there as that
 * @throws StanzaError the client does not take the command
 * @throws RemoteError it answers with something else @throws TimeoutError
 */
export async function requestLeaving(
  session: Pick<Session, 'request'>,
  client: JID,
  occupancy: JID,
  options?: WaitOptions,
): Promise<boolean> {
  const ask = async (payload: Element): Promise<Element | undefined> => {
    const reply = await session.request({ type: 'set', to: client, payload }, options);
    return reply.getChild('command', NS_COMMANDS);
  };
  const first = await ask(command({ action: 'execute' }));
  const form = first && formIn(first);
  if (!form) throw new RemoteError(`${client.toString()} does not say which rooms it could leave`);
  const name = occupancy.toString();
  const isOffered = form.fields.some(
    (field) => field.name === FIELD && field.options.some(({ value }) => value === name),
  );
  const answer = isOffered ? DataForm.encode(fillForm(form, { [FIELD]: [name] })) : undefined;
  const next = isOffered ? {} : { action: 'cancel' };
  const last = await ask(command({ sessionid: sidOf(first), ...next }, answer));
  return isOffered && last?.attrs['status'] === 'completed';
}

function offer(occupancies: readonly JID[]): Element {
  return DataForm.encode({
    type: 'form',
    title: 'Leave rooms',
    fields: [
      { name: 'FORM_TYPE', type: 'hidden', values: [NS_REMOTE_CONTROL] },
      {
        name: FIELD,
        type: 'list-multi',
        label: 'Rooms',
        isRequired: true,
        options: occupancies.map((occupancy) => ({ value: occupancy.toString() })),
      },
    ],
  });
}

/** A form that cannot be read is none: the first step is answered again. */
function submittedForm(payload: Element): DataForm | undefined {
  const form = formIn(payload);
  return form?.type === 'submit' ? form : undefined;
}

function formIn(payload: Element): DataForm | undefined {
  if (!payload.getChild('x', NS_DATA_FORMS)) return undefined;
  try {
    return DataForm.find(payload);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function command(attributes: Record<string, string | undefined>, form?: Element): Element {
  return xml('command', { xmlns: NS_COMMANDS, node: LEAVE_GROUPCHATS, ...attributes }, form);
}

function sidOf(payload: Element): string | undefined {
  const sid: unknown = payload.attrs['sessionid'];
  return typeof sid === 'string' ? sid : undefined;
}
