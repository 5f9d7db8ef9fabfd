import { describe, expect, it } from 'vitest';
import { ConnectionLostError, NegativeError, StanzaError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { Proposal, proposals, type IncomingProposal } from '../../../src/lib/jingle/message-initiation.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { MessageStream } from '../../support/message-stream.js';

const NS = 'urn:xmpp:jingle-message:0';
const romeo = 'romeo@montague.example/orchard';
const juliet = 'juliet@capulet.example/phone';
const description = '<description xmlns="urn:xmpp:jingle:apps:file-transfer:5"/>';
const from = (sender: string, inner: string): string =>
  `<message type="chat" from="${sender}">${inner}<store xmlns="urn:xmpp:hints"/></message>`;

describe('a session that we announce', () => {
  async function propose(): Promise<{ stream: MessageStream; proposal: Proposal }> {
    const stream = new MessageStream(romeo);
    const proposal = new Proposal(stream, JID.parse('juliet@capulet.example'));
    await proposal.send([parseXml(description)]);
    return { stream, proposal };
  }

  it('goes to the bare address, as a chat message that is stored', async () => {
    const { stream, proposal } = await propose();
    expect(stream.sent.map(String)).toEqual([
      `<message to="juliet@capulet.example" type="chat" id="${proposal.id}"><propose xmlns="${NS}" id="${proposal.id}">${description}</propose><store xmlns="urn:xmpp:hints"/></message>`,
    ]);
  });

  it('is taken by the resource that says so first', async () => {
    const { stream, proposal } = await propose();
    stream.deliver(from(juliet, `<ringing xmlns="${NS}" id="${proposal.id}"/>`));
    await proposal.firstSign;
    stream.deliver(from(juliet, `<proceed xmlns="${NS}" id="another"/>`));
    stream.deliver(from('mercutio@capulet.example/x', `<proceed xmlns="${NS}" id="${proposal.id}"/>`));
    stream.deliver(from(juliet, `<proceed xmlns="${NS}" id="${proposal.id}"/>`));
    stream.deliver(from('juliet@capulet.example/late', `<proceed xmlns="${NS}" id="${proposal.id}"/>`));
    expect((await proposal.answer).toString()).toBe(juliet);
  });

  it('is over when somebody there says no, when the message comes back, and when the stream is lost', async () => {
    const rejected = await propose();
    rejected.stream.deliver(from(juliet, `<reject xmlns="${NS}" id="${rejected.proposal.id}"/>`));
    await expect(rejected.proposal.answer).rejects.toBeInstanceOf(NegativeError);
    const bounced = await propose();
    bounced.stream.deliver(
      `<message type="error" id="${bounced.proposal.id}" from="juliet@capulet.example"><error type="cancel"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></message>`,
    );
    await expect(bounced.proposal.answer).rejects.toBeInstanceOf(StanzaError);
    const lost = await propose();
    lost.stream.close(new ConnectionLostError('gone'));
    await expect(lost.proposal.answer).rejects.toThrow('gone');
  });

  it('is retracted once, and not after it was taken', async () => {
    const { stream, proposal } = await propose();
    await proposal.retract();
    await proposal.retract();
    expect(stream.sent.slice(1).map(String)).toEqual([
      expect.stringContaining(
        `<retract xmlns="${NS}" id="${proposal.id}"><reason xmlns="urn:xmpp:jingle:1"><cancel/></reason></retract>`,
      ) as string,
    ]);
  });
});

describe('sessions that others announce', () => {
  const offer = (id: string, sender = romeo): string =>
    from(sender, `<propose xmlns="${NS}" id="${id}">${description}</propose>`);

  it('are handed out once, with what is needed to answer', async () => {
    const stream = new MessageStream(juliet);
    const reader = proposals(stream);
    stream.deliver(offer('a'));
    stream.deliver(offer('a'));
    stream.deliver(offer('b'));
    const { value } = (await reader.next()) as {
      value: { id: string; from: JID; proceed: () => Promise<void> };
    };
    expect([value.id, value.from.toString()]).toEqual(['a', romeo]);
    expect(stream.sent).toEqual([]);
    await value.proceed();
    expect(stream.sent.map(({ attrs }) => attrs['to'] as string)).toEqual(['juliet@capulet.example', romeo]);
    expect(stream.sent.map(String).join('')).toContain(`<proceed xmlns="${NS}" id="a"/>`);
    expect(((await reader.next()) as { value: { id: string } }).value.id).toBe('b');
  });

  it('are not wanted any more when they are retracted, or another resource of ours has answered', async () => {
    const stream = new MessageStream(juliet);
    const reader = proposals(stream);
    for (const id of ['a', 'b', 'c']) stream.deliver(offer(id));
    stream.deliver(from(romeo, `<retract xmlns="${NS}" id="a"/>`));
    stream.deliver(from('juliet@capulet.example/other', `<accept xmlns="${NS}" id="b"/>`));
    // Nobody else can take an announcement back.
    stream.deliver(from('tybalt@capulet.example/x', `<retract xmlns="${NS}" id="c"/>`));
    const states: boolean[] = [];
    for (let count = 0; count < 3; count += 1) {
      const { value } = (await reader.next()) as { value: { signal: AbortSignal } };
      states.push(value.signal.aborted);
    }
    expect(states).toEqual([true, true, false]);
  });

  it('are taken back also after we have taken them, and say when they come late', async () => {
    const stream = new MessageStream(juliet);
    const reader = proposals(stream);
    stream.deliver(offer('a'));
    stream.deliver(offer('b').replace('</message>', '<delay xmlns="urn:xmpp:delay"/></message>'));
    const read = async () => ((await reader.next()) as { value: IncomingProposal }).value;
    const [first, second] = [await read(), await read()];
    expect([first.isLate, second.isLate]).toEqual([false, true]);
    await first.proceed();
    expect(first.signal.aborted).toBe(false);
    stream.deliver(from(romeo, `<retract xmlns="${NS}" id="a"/>`));
    expect(first.signal.aborted).toBe(true);
  });

  it('that we took and that are finished are finished by us, too, once', async () => {
    const stream = new MessageStream(juliet);
    const reader = proposals(stream);
    stream.deliver(offer('a'));
    const { value } = (await reader.next()) as { value: { proceed: () => Promise<void> } };
    await value.proceed();
    stream.deliver(from(romeo, `<finish xmlns="${NS}" id="a"/>`));
    stream.deliver(from(romeo, `<finish xmlns="${NS}" id="a"/>`));
    expect(stream.sent.filter((stanza) => stanza.getChild('finish', NS))).toHaveLength(1);
  });

  it('end with the reading', async () => {
    const stream = new MessageStream(juliet);
    const reader = proposals(stream);
    await reader.return?.();
    stream.deliver(offer('a'));
    expect(await reader.next()).toEqual({ value: undefined, done: true });
  });
});
