import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { addAccount, passwordPlace } from '../../lib/config/account-store.js';
import { parseSendxmppConfig } from '../../lib/config/import-sendxmpp.js';
import { configPaths } from '../../lib/config/paths.js';
import { codeOf, readPrivateFile } from '../../lib/config/private-file.js';
import type { Context } from '../../lib/context.js';
import { defineCommand } from '../../lib/command/definition.js';
import { FileError, UsageError } from '../../lib/errors.js';

const programs = ['go-sendxmpp', 'sendxmpp'] as const;
type Program = (typeof programs)[number];

export interface ImportOptions {
  program: Program;
  file: string | undefined;
  name: string | undefined;
  store: 'keyring' | 'file';
  makeDefault: boolean;
  replace: boolean;
}

export const command = defineCommand({
  path: 'account import',
  summary: 'add the account that another program is set up with',
  description: `Reads ~/.config/go-sendxmpp/config or ~/.sendxmpprc, in both of the formats these programs know. A password that stands in the file is stored in the keyring with --keyring, else in a file of mode 0600; an eval_password becomes the password_command. The file that is read stays as it is.`,
  examples: [
    { does: 'what go-sendxmpp uses', line: 'xmppctl account import go-sendxmpp' },
    {
      does: 'another file, under a name',
      line: 'xmppctl account import sendxmpp ./monitoring.rc --name monitoring',
    },
  ],
  needs: 'account',
  completes: { program: programs, file: 'file' },
  build: (command) =>
    command
      .argument('<program>', 'go-sendxmpp or sendxmpp')
      .argument('[file]', 'its configuration file, when it is not in the usual place')
      .option('--name <name>', 'the name of the account (default: its address)')
      .option('--keyring', 'keep the password in the keyring of the system')
      .option('--default', 'make it the account that is used when none is named')
      .option('--replace', 'replace an account of this name'),
  parse: ([program, file], flags): ImportOptions => {
    const known = programs.find((candidate) => candidate === program);
    if (known === undefined) {
      throw new UsageError(`cannot import from ${program}`, { hint: `one of ${programs.join(', ')}` });
    }
    return {
      program: known,
      file,
      name: flags.name,
      store: flags.keyring ? 'keyring' : 'file',
      makeDefault: flags.default === true,
      replace: flags.replace === true,
    };
  },
  run: runImport,
});

export async function runImport(options: ImportOptions, { env, output }: Context): Promise<void> {
  const paths = configPaths(env);
  const file = options.file ?? (await findFile(options.program, paths.home, env['XDG_CONFIG_HOME']));
  const { profile, secret, ignored } = parseSendxmppConfig(await readPrivateFile(file, 'the file'), file);
  const name = options.name ?? profile.jid;
  const added = await addAccount(
    {
      name,
      profile,
      secret: secret === undefined ? undefined : { value: secret, store: options.store },
      makeDefault: options.makeDefault,
      replace: options.replace,
    },
    paths,
  );
  await output.result(
    {
      name,
      jid: profile.jid,
      isDefault: added.isDefault,
      password: passwordPlace(added.profile),
      from: file,
      ignored,
    },
    () => '',
  );
  output.note(`added the account ${name} from ${file}${added.isDefault ? ', which is the default now' : ''}`);
  if (ignored.length > 0) output.note(`not taken over: ${ignored.join(', ')}`);
  output.note(`check it with: xmppctl account test ${name}`);
}

/** Each program's usual places, the preferred one first. @throws FileError none of them is there */
async function findFile(program: Program, home: string, configHome: string | undefined): Promise<string> {
  const config =
    configHome !== undefined && path.isAbsolute(configHome) ? configHome : path.join(home, '.config');
  const candidates =
    program === 'sendxmpp'
      ? [path.join(home, '.sendxmpprc')]
      : [path.join(config, 'go-sendxmpp/config'), path.join(config, 'go-sendxmpp/sendxmpprc')];
  for (const candidate of candidates) {
    try {
      await readFile(candidate);
      return candidate;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') return candidate;
    }
  }
  throw new FileError(`${program} is not set up here: there is no ${candidates.join(' or ')}`, {
    hint: 'name the file after the program',
  });
}
