import { describe, expect, it } from 'vitest';
import { JID } from '../../../src/lib/jid/jid.js';
import { answerLeaving, requestLeaving } from '../../../src/lib/remote-control/leave-groupchats.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { World } from '../../support/chat-world.js';

const RECORDER = 'juliet@a.example/recorder';
const ORCHARD = JID.parse('orchard@chat.example/recorder');
const HALL = JID.parse('hall@chat.example/recorder');

function world() {
  const all = new World();
  const recorder = all.stream(RECORDER);
  const left: string[] = [];
  let occupancies = [ORCHARD, HALL];
  const registration = answerLeaving(recorder.session, {
    occupancies: () => occupancies,
    leave: (occupancy) => {
      left.push(occupancy.toString());
      occupancies = occupancies.filter((one) => !one.equals(occupancy));
      return Promise.resolve();
    },
  });
  return { all, left, registration };
}

const command = (attributes: string, inner = ''): string =>
  `<command xmlns="http://jabber.org/protocol/commands" node="http://jabber.org/protocol/rc#leave-groupchats" ${attributes}>${inner}</command>`;

describe('leaving rooms on behalf of another client', () => {
  it('is done for the own account: what is named is left, and nothing else', async () => {
    const { all, left } = world();
    const phone = all.stream('juliet@a.example/phone');
    expect(await requestLeaving(phone.session, JID.parse(RECORDER), ORCHARD)).toBe(true);
    expect(left).toEqual([ORCHARD.toString()]);
    // It is not there any more.
    expect(await requestLeaving(phone.session, JID.parse(RECORDER), ORCHARD)).toBe(false);
    expect(left).toHaveLength(1);
  });

  it('is not done for others, nor after it was taken back', async () => {
    const { all, left, registration } = world();
    const romeo = all.stream('romeo@a.example/x');
    await expect(requestLeaving(romeo.session, JID.parse(RECORDER), ORCHARD)).rejects.toMatchObject({
      condition: 'forbidden',
    });
    registration[Symbol.dispose]();
    const phone = all.stream('juliet@a.example/phone');
    await expect(requestLeaving(phone.session, JID.parse(RECORDER), ORCHARD)).rejects.toMatchObject({
      condition: 'service-unavailable',
    });
    expect(left).toEqual([]);
  });

  it('goes by the steps of the specification, and is cancelled with one', async () => {
    const { all, left } = world();
    const phone = all.stream('juliet@a.example/phone');
    const ask = async (text: string) => {
      const reply = await phone.request({ type: 'set', to: RECORDER, payload: parseXml(text) });
      return reply.getChild('command')?.toString();
    };
    const form = await ask(command('action="execute"'));
    expect(form).toContain('status="executing"');
    expect(form).toContain('<value>hall@chat.example/recorder</value>');
    expect(await ask(command('sessionid="s" action="cancel"'))).toContain('status="canceled"');
    // A form that cannot be read is answered with the form again.
    expect(await ask(command('sessionid="s"', '<x xmlns="jabber:x:data" type="nonsense"/>'))).toContain(
      'status="executing"',
    );
    const all2 = `<x xmlns="jabber:x:data" type="submit"><field var="groupchats"><value>hall@chat.example/recorder</value><value>cellar@chat.example/x</value></field></x>`;
    expect(await ask(command('sessionid="s"', all2))).toContain('status="completed"');
    expect(left).toEqual([HALL.toString()]);
    await expect(
      ask('<command xmlns="http://jabber.org/protocol/commands" node="x"/>'),
    ).rejects.toMatchObject({
      condition: 'item-not-found',
    });
  });
});
