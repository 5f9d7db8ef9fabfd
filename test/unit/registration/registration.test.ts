import { describe, expect, it } from 'vitest';
import { StanzaError, UsageError } from '../../../src/lib/errors.js';
import {
  changePassword,
  requestRegistrationForm,
  submitRegistration,
} from '../../../src/lib/registration/registration.js';
import type { IqRequest } from '../../../src/lib/session/session.js';
import type { Element } from '../../../src/lib/xml/element.js';
import { parseXml } from '../../../src/lib/xml/parse.js';

/** A server that gives one answer and keeps what it was asked. */
function server(answer: string | Error): {
  asked: Element[];
  request: (request: IqRequest) => Promise<Element>;
} {
  const asked: Element[] = [];
  return {
    asked,
    request: ({ payload }) => {
      asked.push(payload);
      return answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve(parseXml(`<iq type='result' id='1'>${answer}</iq>`));
    },
  };
}

const refusal = (condition: string): StanzaError =>
  new StanzaError(condition, 'cancel', 'because', undefined, 'example.org');

const legacy = `<query xmlns='jabber:iq:register'><instructions>Choose</instructions>
  <username/><password/><email/><key>abc</key><x xmlns='jabber:x:oob'><url>https://example.org/join</url></x></query>`;

const withForm = `<query xmlns='jabber:iq:register'><instructions>Old</instructions><username/>
  <x xmlns='jabber:x:data' type='form'><instructions>New</instructions>
    <field var='FORM_TYPE' type='hidden'><value>jabber:iq:register</value></field>
    <field var='username' type='text-single'><required/></field>
    <field var='ocr' type='text-single' label='Text in the picture'><required/>
      <media xmlns='urn:xmpp:media-element'><uri type='image/png'>https://example.org/c.png</uri></media></field>
  </x></query>`;

describe('requestRegistrationForm', () => {
  it('reads the fields of old as a form, and where else to register', async () => {
    const { form, isDataForm, instructions, url } = await requestRegistrationForm(server(legacy));
    expect({ isDataForm, instructions, url }).toEqual({
      isDataForm: false,
      instructions: 'Choose',
      url: 'https://example.org/join',
    });
    expect(form.fields.map(({ name, type, isRequired }) => [name, type, isRequired])).toEqual([
      ['username', 'text-single', true],
      ['password', 'text-private', true],
      ['email', 'text-single', true],
      ['key', 'hidden', true],
    ]);
  });

  it('prefers a data form, with the picture to look at', async () => {
    const { form, isDataForm, instructions } = await requestRegistrationForm(server(withForm));
    expect({ isDataForm, instructions }).toEqual({ isDataForm: true, instructions: 'New' });
    expect(form.fields.map(({ name }) => name)).toEqual(['FORM_TYPE', 'username', 'ocr']);
    expect(form.fields[2]?.media?.uris).toEqual([{ type: 'image/png', uri: 'https://example.org/c.png' }]);
  });

  it('says that a server registers nobody', async () => {
    const error: unknown = await requestRegistrationForm(server(refusal('service-unavailable'))).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(StanzaError);
    expect((error as StanzaError).hint).toContain('does not register accounts in-band');
  });
});

describe('submitRegistration', () => {
  it('answers the fields of old, and gives the key back', async () => {
    const form = await requestRegistrationForm(server(legacy));
    const stream = server('');
    await submitRegistration(stream, form, { username: ['alice'], password: ['<&>'], email: ['a@b'] });
    expect(stream.asked[0]?.toString()).toBe(
      '<query xmlns="jabber:iq:register"><username>alice</username><password>&lt;&amp;&gt;</password><email>a@b</email><key>abc</key></query>',
    );
  });

  it('answers a data form with a form', async () => {
    const form = await requestRegistrationForm(server(withForm));
    const stream = server('');
    await submitRegistration(stream, form, { username: ['alice'], ocr: ['x7'] });
    const submitted = stream.asked[0]?.getChild('x', 'jabber:x:data');
    expect(submitted?.attrs['type']).toBe('submit');
    expect(
      submitted
        ?.getChildren('field')
        .map((field) => [field.attrs['var'] as unknown, field.getChildText('value')]),
    ).toEqual([
      ['FORM_TYPE', 'jabber:iq:register'],
      ['username', 'alice'],
      ['ocr', 'x7'],
    ]);
  });

  it('sends nothing while a required field is empty', async () => {
    const form = await requestRegistrationForm(server(withForm));
    const stream = server('');
    await expect(submitRegistration(stream, form, { username: ['alice'] })).rejects.toThrow(UsageError);
    expect(stream.asked).toEqual([]);
  });

  it.each([
    ['conflict', /somebody has this name already/],
    ['not-acceptable', /too weak/],
    ['resource-constraint', /try again later/],
  ])('explains %s', async (condition, hint) => {
    const form = await requestRegistrationForm(server(legacy));
    const answers = { username: ['a'], password: ['b'], email: ['c'] };
    const error: unknown = await submitRegistration(server(refusal(condition)), form, answers).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ condition, hint: expect.stringMatching(hint) as string });
  });
});

describe('changePassword', () => {
  const jid = { local: 'alice', domain: 'example.org' };

  it('names the account and the new password', async () => {
    const stream = server('');
    await changePassword({ ...stream, jid }, 'new');
    expect(stream.asked[0]?.toString()).toBe(
      '<query xmlns="jabber:iq:register"><username>alice</username><password>new</password></query>',
    );
  });

  it.each([
    ['not-allowed', /does not let its users change their password/],
    ['not-authorized', /wants the old password/],
    ['undefined-condition', /^none$/],
  ])('explains %s', async (condition, hint) => {
    const error: unknown = await changePassword({ ...server(refusal(condition)), jid }, 'hunter2').catch(
      (caught: unknown) => caught,
    );
    expect((error as StanzaError).hint ?? 'none').toMatch(hint);
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });
});
