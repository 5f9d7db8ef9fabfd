import { accountConnectOptions } from '../../lib/config/account-connect-options.js';
import { passwordSource } from '../../lib/config/account-password.js';
import { addAccount, checkName } from '../../lib/config/account-store.js';
import { askNewPassword } from '../../lib/config/new-password.js';
import { configPaths } from '../../lib/config/paths.js';
import { profileFromOptions } from '../../lib/config/profile-from-options.js';
import type { Context } from '../../lib/context.js';
import { defineCommand } from '../../lib/command/definition.js';
import { NegativeError, UsageError } from '../../lib/errors.js';
import { parseAnswers, unansweredFields, type Answers } from '../../lib/forms/answers.js';
import type { FormField } from '../../lib/forms/stanzas.js';
import { JID } from '../../lib/jid/jid.js';
import { safeText } from '../../lib/output/safe-text.js';
import {
  requestRegistrationForm,
  submitRegistration,
  type RegistrationForm,
} from '../../lib/registration/registration.js';

export interface RegisterOptions {
  jid: JID;
  /** Answers to fields of the server's form. */
  answers: Answers;
  /** Show the form and register nobody. */
  isFormOnly: boolean;
  /** Add the account here under this name. */
  addAs: string | undefined;
  store: 'keyring' | 'file';
}

export const command = defineCommand({
  path: 'account register',
  summary: 'make a new account on a server that lets people do so',
  description: `Asks the server for its registration form (XEP-0077) over a secure stream, fills in the name and the password, and sends it back. Other fields are filled with --field; on a terminal the required ones that are left are asked for. --form shows the form and does nothing else.

The password comes from --password-file, --password-fd or XMPPCTL_PASSWORD, or from a question on a terminal. With --add the account is added here as well, as account add would.

Some servers send people to a web page instead, or show a picture (CAPTCHA) whose text has to be typed: the address of the page or of the picture is shown, and the text goes into the field that the form has for it.`,
  examples: [
    { does: 'see what a server wants to know', line: 'xmppctl account register alice@example.org --form' },
    {
      does: 'register and add the account',
      line: 'xmppctl account register alice@example.org --add alice --field email=alice@example.com',
    },
  ],
  exitCodes: {
    1: 'the server registers accounts elsewhere; the message says where',
    5: 'the server refuses: the name is taken, or it registers nobody this way',
  },
  completes: { jid: 'none' },
  build: (command) =>
    command
      .argument('<jid>', 'the address to register')
      .option(
        '--field <key=value>',
        'fill in a field of the form (repeatable)',
        (value: string, previous: string[] | undefined) => [...(previous ?? []), value],
      )
      .option('--form', 'show the form of the server and do nothing else')
      .option('--add <name>', 'also add it as an account of this name')
      .option('--keyring', 'with --add: keep the password in the keyring of the system'),
  parse: ([text], flags): RegisterOptions => {
    const jid = JID.parse(text);
    if (jid.local === undefined || jid.resource !== undefined) {
      throw new UsageError(`an account to register is name@server, not ${text}`);
    }
    if (flags.keyring && flags.add === undefined) throw new UsageError('--keyring needs --add');
    if (flags.add !== undefined) checkName(flags.add);
    return {
      jid,
      answers: parseAnswers(flags.field ?? []),
      isFormOnly: flags.form === true,
      addAs: flags.add,
      store: flags.keyring ? 'keyring' : 'file',
    };
  },
  run: runRegister,
});

export async function runRegister(options: RegisterOptions, context: Context): Promise<void> {
  const { jid } = options;
  const { output, signal, prompt, env } = context;
  const global = { ...context.global, jid: jid.toString() };
  const connectOptions = {
    ...(await accountConnectOptions({ global, env, prompt })),
    tracer: await context.tracer(),
    signal,
    warn: (message: string) => output.warn(message),
  };
  const password = options.isFormOnly ? undefined : await choosePassword(options, context);
  const { openUnauthenticated } = await import('../../lib/session/open-unauthenticated.js');
  await using stream = await openUnauthenticated(connectOptions);
  const form = await requestRegistrationForm(stream);
  if (options.isFormOnly) {
    await output.result(describeForm(form), renderForm);
    return;
  }
  if (form.form.fields.length === 0) {
    throw new NegativeError(
      form.url === undefined
        ? `${jid.domain} sends an empty registration form`
        : `${jid.domain} registers accounts at ${form.url}`,
      form.url === undefined ? {} : { details: { url: form.url } },
    );
  }
  for (const url of pictures(form)) output.note(`to be read by a person: ${url}`);
  const known: Answers = {
    ...(hasField(form, 'username') && { username: [jid.local ?? ''] }),
    ...(hasField(form, 'password') && password !== undefined && { password: [password] }),
    ...options.answers,
  };
  await submitRegistration(stream, form, { ...known, ...(await askMissing(form, known, context)) });
  output.note(`${jid.toString()} is registered`);
  const added =
    options.addAs !== undefined && password !== undefined
      ? await addRegistered(options.addAs, password, options, context)
      : undefined;
  await output.result({ jid: jid.toString(), account: added ?? null }, () => '');
}

async function choosePassword({ jid }: RegisterOptions, context: Context): Promise<string> {
  const { global, env, prompt } = context;
  const source = passwordSource(
    { kind: 'client', isAnonymous: false, jid, name: undefined, profile: undefined },
    { global, env, prompt },
    configPaths(env),
  );
  if (source.isConfigured) return source.read();
  return askNewPassword(
    `Password for the new account ${jid.toString()}`,
    prompt,
    'give it by --password-file, --password-fd or XMPPCTL_PASSWORD',
  );
}

/** @throws UsageError there is no terminal to ask at */
async function askMissing(
  { form, instructions }: RegistrationForm,
  known: Answers,
  { prompt, output }: Context,
): Promise<Answers> {
  const missing = unansweredFields(form, known);
  if (missing.length === 0) return {};
  if (!prompt.isAvailable) {
    throw new UsageError(`the server also wants ${missing.map((field) => labelled(field)).join(', ')}`, {
      hint: missing.map(({ name }) => `--field ${name ?? ''}=…`).join(' '),
    });
  }
  if (instructions !== undefined) output.note(instructions);
  const answers: Record<string, readonly string[]> = {};
  for (const field of missing) answers[field.name ?? ''] = [await askField(field, prompt)];
  return answers;
}

async function askField(field: FormField, prompt: Context['prompt']): Promise<string> {
  const question = field.label ?? field.name ?? '';
  switch (field.type) {
    case 'text-private':
      return prompt.secret(question);
    case 'boolean':
      return (await prompt.confirm(question)) ? '1' : '0';
    case 'list-single':
    case 'list-multi':
      return prompt.select(
        question,
        field.options.map(({ value, label }) => ({ value, label: label ?? value })),
      );
    default:
      return prompt.text(question);
  }
}

async function addRegistered(
  name: string,
  password: string,
  { jid, store }: RegisterOptions,
  { env, global, output }: Context,
): Promise<string> {
  const profile = { ...profileFromOptions(global), jid: jid.toString() };
  const added = await addAccount(
    {
      name,
      profile,
      secret: profile.password_file === undefined ? { value: password, store } : undefined,
      makeDefault: false,
      replace: false,
    },
    configPaths(env),
  );
  output.note(`added the account ${name}${added.isDefault ? ', which is the default now' : ''}`);
  return name;
}

function hasField({ form }: RegistrationForm, name: string): boolean {
  return form.fields.some((field) => field.name === name);
}

/** Addresses of pictures and sounds that a person has to look at (XEP-0158). */
function pictures({ form, url }: RegistrationForm): string[] {
  const media = form.fields.flatMap((field) => (field.media?.uris ?? []).map(({ uri }) => uri));
  return [...(url === undefined ? [] : [url]), ...media.filter((uri) => /^https?:/.test(uri))];
}

interface ShownForm {
  instructions: string | null;
  url: string | null;
  pictures: string[];
  fields: { name: string; label: string | null; type: string; isRequired: boolean; choices: string[] }[];
}

function describeForm(form: RegistrationForm): ShownForm {
  return {
    instructions: form.instructions ?? null,
    url: form.url ?? null,
    pictures: pictures(form),
    fields: form.form.fields
      .filter(({ name, type }) => name !== undefined && type !== 'hidden' && type !== 'fixed')
      .map((field) => ({
        name: field.name ?? '',
        label: field.label ?? null,
        type: field.type ?? 'text-single',
        isRequired: field.isRequired,
        choices: field.options.map(({ value }) => value),
      })),
  };
}

function renderForm({ instructions, url, fields }: ShownForm): string {
  return safeText(
    [
      ...(instructions === null ? [] : [instructions]),
      ...(url === null ? [] : [url]),
      ...fields.map(
        ({ name, label, isRequired, choices }) =>
          `${name}${isRequired ? ' (required)' : ''}${label === null ? '' : `: ${label}`}${choices.length > 0 ? ` [${choices.join(', ')}]` : ''}`,
      ),
    ].join('\n'),
  );
}

function labelled({ name, label }: FormField): string {
  return label === undefined ? (name ?? '') : `${name ?? ''} (${label})`;
}
