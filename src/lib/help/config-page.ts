/** config.toml explained, from the tables that also check it: `xmppctl help config` and xmppctl-config(5). */
import { accountKeys, topKeys, type KeySpec } from '../config/keys.js';
import { typeNames } from '../config/load-config.js';
import { code, terms, text, type Page } from './document.js';

const example = `default_account = "alice"

[accounts.alice]
jid = "alice@example.org"
password_command = "pass show xmpp/alice"

[accounts.bot]
jid = "bot@example.org/cron"
service = "xmpps://xmpp.example.org:5223"
password_file = "passwords/bot"
timeout = 10

[accounts.echo]
component = true
jid = "echo.example.org"
service = "localhost:5347"
password_file = "/etc/xmpp/echo.secret"`;

export const configPage: Page = {
  name: 'xmppctl-config',
  section: 5,
  summary: 'the configuration of xmppctl: accounts and where their passwords are',
  sections: [
    {
      title: 'DESCRIPTION',
      blocks: [
        text(
          `The configuration is one TOML file (version 1.0), config.toml in the folder $XMPPCTL_CONFIG_DIR, else $XDG_CONFIG_HOME/xmppctl, else ~/.config/xmppctl. It need not exist. \`xmppctl account\` writes it, and so can you: what account changes is changed in place, and your comments, your order and your spacing stay.

The file, and every file that holds a secret, is refused when its mode is wider than 0600. A key that is not known and a value of the wrong type are refused too, with the line they are on.`,
        ),
      ],
    },
    { title: 'EXAMPLE', blocks: [code(example)] },
    { title: 'TOP LEVEL', blocks: [keyTerms(topKeys)] },
    {
      title: 'ACCOUNTS',
      blocks: [
        text(
          'Each account is a table of its own, [accounts.*name*]; a name with other characters than letters, digits, hyphens and underscores is quoted: [accounts."bot@example.org"]. A relative path starts at the folder of the configuration, and ~/ is the home folder.',
        ),
        keyTerms(accountKeys),
      ],
    },
    {
      title: 'PASSWORDS',
      blocks: [
        text(
          'A password never stands in config.toml. It comes from the first of these that is there: `--password-file`, `--password-fd`, XMPPCTL_PASSWORD, XMPPCTL_PASSWORD_FILE, XMPPCTL_PASSWORD_COMMAND, then `password_file`, `password_command` or `keyring` of the account (one of the three), then the keyring if it happens to have one, and at last a question on a terminal. Without a terminal there is no question but an error.\n\nIn the keyring the service is xmppctl and the user name is the address without resource. `secret-tool store --label=XMPP service xmppctl username alice@example.org` puts one there by hand.',
        ),
      ],
    },
    {
      title: 'FILES',
      blocks: [
        terms([
          { term: '~/.config/xmppctl/config.toml', text: 'The configuration.' },
          {
            term: '~/.config/xmppctl/passwords/',
            text: 'Passwords that `account add` was given and that are not in the keyring; one file each, mode 0600.',
          },
          {
            term: '~/.local/state/xmppctl/',
            text: 'What is remembered from one use to the next: tokens of accounts with `fast`.',
          },
        ]),
      ],
    },
  ],
};

function keyTerms(keys: Readonly<Record<string, KeySpec>>): ReturnType<typeof terms> {
  return terms(
    Object.entries(keys).map(([key, spec]) => ({
      term: `${key} = ${spec.example}`,
      text: `${spec.means} (${typeNames[spec.type]})`,
    })),
  );
}
