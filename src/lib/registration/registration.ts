/**
 * XEP-0077: In-Band Registration, version 2.4: asking for an account, changing its password.
 *
 * Not here: cancelling an account (§3.2), and registration with anything but the own server (§3.1.2, gateways).
 */
import { StanzaError } from '../errors.js';
import { fillForm, type Answers } from '../forms/answers.js';
import { DataForm, NS_DATA_FORMS, type FormField } from '../forms/stanzas.js';
import { childElements, xml, type Element } from '../xml/element.js';
import type { IqRequest } from '../session/session.js';

export const NS_REGISTER = 'jabber:iq:register';
const NS_OOB = 'jabber:x:oob';

/** A session, or a stream on which nobody has logged in. */
export interface Asks {
  request(request: IqRequest): Promise<Element>;
}

/** What a server wants to know before it makes an account. */
export interface RegistrationForm {
  /** Fields of the data form where there is one (it takes precedence, §4), else the fields of old as if they were one. */
  form: DataForm;
  /** Whether the answer has to be a data form too. */
  isDataForm: boolean;
  instructions: string | undefined;
  /** Where to register instead, or as well (XEP-0066). */
  url: string | undefined;
}

/** The fields of old (§14.1), with what to call them. */
const legacyLabels: Readonly<Record<string, string>> = {
  username: 'User name',
  nick: 'Nickname',
  password: 'Password',
  name: 'Full name',
  first: 'First name',
  last: 'Last name',
  email: 'Email address',
  address: 'Street',
  city: 'City',
  state: 'State',
  zip: 'Postal code',
  phone: 'Telephone number',
  url: 'Web page',
  date: 'Date',
  misc: 'Anything else',
  text: 'Text',
};

/**
 * Asks for the form.
 * @throws StanzaError the server registers nobody this way
 */
export async function requestRegistrationForm(stream: Asks): Promise<RegistrationForm> {
  try {
    const reply = await stream.request({ type: 'get', payload: xml('query', { xmlns: NS_REGISTER }) });
    return readForm(reply.getChild('query', NS_REGISTER));
  } catch (error) {
    throw explain(error, notOffered);
  }
}

const notOffered: Hints = Object.fromEntries(
  ['feature-not-implemented', 'service-unavailable', 'not-allowed', 'forbidden'].map((condition) => [
    condition,
    'this server does not register accounts in-band; look for a way on its web page',
  ]),
);

function readForm(query: Element | undefined): RegistrationForm {
  const dataForm = query?.getChild('x', NS_DATA_FORMS);
  const instructions = query?.getChildText('instructions') ?? undefined;
  const url = query?.getChild('x', NS_OOB)?.getChildText('url') ?? undefined;
  const form = dataForm
    ? DataForm.decode(dataForm)
    : {
        type: 'form' as const,
        title: undefined,
        instructions: [],
        fields: legacyFields(query),
        reported: undefined,
        items: [],
      };
  return {
    form,
    isDataForm: dataForm !== undefined,
    instructions: [...form.instructions, ...(instructions === undefined ? [] : [instructions])][0],
    url,
  };
}

function legacyFields(query: Element | undefined): FormField[] {
  return (query ? childElements(query) : [])
    .filter((child) => child.getNS() === NS_REGISTER && (child.name in legacyLabels || child.name === 'key'))
    .map((child) => ({
      name: child.name,
      // A key is to be given back as it came; it is no business of the user.
      type: child.name === 'key' ? 'hidden' : child.name === 'password' ? 'text-private' : 'text-single',
      label: legacyLabels[child.name],
      description: undefined,
      isRequired: true,
      values: child.getText() === '' ? [] : [child.getText()],
      options: [],
      media: undefined,
    }));
}

/**
 * Sends the answers.
 * @throws UsageError an answer that the form does not take, or a required one that is missing
 * @throws StanzaError the server refuses, for instance because the name is taken
 */
export async function submitRegistration(
  stream: Asks,
  { form, isDataForm }: RegistrationForm,
  answers: Answers,
): Promise<void> {
  const filled = fillForm(form, answers);
  const payload = isDataForm
    ? xml('query', { xmlns: NS_REGISTER }, DataForm.encode(filled))
    : xml(
        'query',
        { xmlns: NS_REGISTER },
        ...(filled.fields ?? []).map(({ name, values }) => xml(name ?? '', {}, values?.[0])),
      );
  try {
    await stream.request({ type: 'set', payload });
  } catch (error) {
    throw explain(error, {
      conflict: 'somebody has this name already; choose another',
      'not-acceptable': 'a field is missing, or the password is too weak for this server',
      'resource-constraint': 'the server allows only so many registrations from one place; try again later',
      ...notOffered,
    });
  }
}

/**
 * Changes the password of the account that is logged in (§3.3).
 * @throws StanzaError the server refuses
 */
export async function changePassword(
  session: Asks & { readonly jid: { readonly local: string | undefined; readonly domain: string } },
  password: string,
): Promise<void> {
  const { local, domain } = session.jid;
  try {
    await session.request({
      type: 'set',
      to: domain,
      payload: xml(
        'query',
        { xmlns: NS_REGISTER },
        xml('username', {}, local),
        xml('password', {}, password),
      ),
    });
  } catch (error) {
    throw explain(error, {
      'not-acceptable': 'the server finds the password too weak',
      'bad-request': 'the server finds something wrong with the password',
      'not-authorized': 'the server wants the old password or more than that; change it on its web page',
      ...Object.fromEntries(
        Object.keys(notOffered).map((condition) => [
          condition,
          'this server does not let its users change their password in-band',
        ]),
      ),
    });
  }
}

type Hints = Readonly<Record<string, string>>;

/** The same error with a hint for its condition. */
function explain(error: unknown, hints: Hints): unknown {
  if (!(error instanceof StanzaError)) return error;
  const hint = hints[error.condition];
  if (hint === undefined) return error;
  return new StanzaError(error.condition, error.type, error.text, error.application, error.from, {
    hint,
    cause: error,
  });
}
