/** Every variable of the environment that is read: the text of `xmppctl help environment` and of xmppctl(1). */
import { terms, text, type Page } from './document.js';

export const environmentTerms: readonly { term: string; text: string }[] = [
  { term: 'XMPPCTL_ACCOUNT', text: 'The account to use, as `--account`.' },
  {
    term: 'XMPPCTL_JID',
    text: 'The address to log in as, as `--jid`. Not looked at when `--account` or `--jid` is given.',
  },
  { term: 'XMPPCTL_SERVICE', text: 'The server to connect to, as `--service`.' },
  {
    term: 'XMPPCTL_PASSWORD',
    text: 'The password. Other programs of the same user can see it while the command runs; prefer a file, a descriptor or a command.',
  },
  { term: 'XMPPCTL_PASSWORD_FILE', text: 'A file whose first line is the password, as `--password-file`.' },
  {
    term: 'XMPPCTL_PASSWORD_COMMAND',
    text: 'A command that prints the password, as `password_command` in the configuration.',
  },
  { term: 'XMPPCTL_NEW_PASSWORD', text: 'The new password for `account passwd`.' },
  { term: 'XMPPCTL_ROOM_PASSWORD', text: 'The password of a room that is entered.' },
  {
    term: 'XMPPCTL_API_SECRET',
    text: 'The password or token for the commands of ejabberd, for `vcard migrate --api`; prefer a file.',
  },
  {
    term: 'XMPPCTL_API_SECRET_FILE',
    text: 'A file whose first line is that password or token, as `--api-secret-file`.',
  },
  { term: 'XMPPCTL_TURN_PASSWORD', text: 'The password of the TURN server that `--turn` names.' },
  { term: 'XMPPCTL_CA', text: 'A PEM file with certificates to trust as well, as `--ca`.' },
  { term: 'XMPPCTL_TIMEOUT', text: 'Seconds for each step and each reply, as `--timeout`.' },
  { term: 'XMPPCTL_TRACE', text: 'Trace as `--trace` does: `-` for standard error, or a file.' },
  {
    term: 'VISUAL, EDITOR',
    text: 'What a text is edited with, as by `blog post` at a terminal; `vi` unless set.',
  },
  {
    term: 'XMPPCTL_CONFIG_DIR',
    text: 'The folder of config.toml. What the program remembers by itself is then kept in its folder state, so that the one folder stands by itself.',
  },
  {
    term: 'XDG_CONFIG_HOME',
    text: 'Where the folder xmppctl with config.toml is; ~/.config when it is not set.',
  },
  {
    term: 'XDG_STATE_HOME',
    text: 'Where the folder xmppctl with what is remembered is; ~/.local/state when it is not set.',
  },
  {
    term: 'XDG_RUNTIME_DIR',
    text: 'Where running sandboxes are noted; XDG_STATE_HOME when it is not set.',
  },
  {
    term: 'XDG_CACHE_HOME',
    text: 'Where the folder xmppctl with compiled code is, which makes the next start faster; ~/.cache when it is not set. It can be removed at any time.',
  },
  { term: 'NODE_DISABLE_COMPILE_CACHE', text: 'Set to anything, no compiled code is kept or used.' },
  { term: 'NO_COLOR, CLICOLOR_FORCE', text: 'No colour, or colour also where there is no terminal.' },
];

export const environmentPage: Page = {
  name: 'environment',
  section: 1,
  summary: 'the environment variables that xmppctl reads',
  sections: [
    {
      title: 'ENVIRONMENT',
      blocks: [
        text(
          'An option beats a variable, and a variable beats the profile in the configuration. Who logs in is decided as a whole at one level: `--account bob` is never overruled by XMPPCTL_JID. A variable that is empty counts as not set.',
        ),
        terms(environmentTerms),
        text(
          'In `xmppctl sandbox run` and after `xmppctl sandbox env` more variables, XMPPCTL_SANDBOX_…, tell where the server of the sandbox is; see xmppctl-sandbox-run(1).',
        ),
      ],
    },
  ],
};
