/** The completion script for zsh, on its _arguments and _describe. */
import type { ValueKind } from '../command/definition.js';
import {
  commandWords,
  type CompletedArgument,
  type CompletedCommand,
  type CompletedOption,
  type CompletionModel,
} from './model.js';
import { shellQuote as quote } from './shell-quote.js';

export function renderZsh(model: CompletionModel): string {
  const nodes = [...commandWords(model)];
  const leaves = model.commands.map(({ path }) => quote(path)).join(' | ');
  const takingValue = model.rootOptions
    .filter(({ value, isAttached }) => value !== undefined && !isAttached)
    .flatMap(({ names }) => names);
  return `#compdef xmppctl
# zsh completion for xmppctl. Load it with: source <(xmppctl completion zsh)
# or install it as _xmppctl in a folder of $fpath

_xmppctl_accounts() {
  local -a names
  names=(\${(f)"$(xmppctl account list 2>/dev/null | cut -f2)"})
  compadd -a names
}

_xmppctl_jids() {
  local -a jids
  jids=(\${(f)"$(xmppctl account list 2>/dev/null | cut -f3)"})
  compadd -a jids
}

# The words that may follow the command words in $1, into the array commands.
_xmppctl_words() {
  case $1 in
${nodes.map(([path, words]) => `    (${quote(path)}) commands=(${[...words].map(([word, summary]) => quote(`${word}:${summary}`)).join(' ')}) ;;`).join('\n')}
    (*) commands=() ;;
  esac
}

_xmppctl() {
  local node= word
  local -a commands
  integer i=2
  while (( i < CURRENT )); do
    word=$words[i]
    case $word in
      (${takingValue.join(' | ')}) (( i += 2 )); continue ;;
      (-*) (( i += 1 )); continue ;;
    esac
    _xmppctl_words $node
    [[ -n \${(M)commands:#$word:*} ]] || break
    node=\${node:+$node }$word
    (( i += 1 ))
  done
  _xmppctl_words $node
  (( i == CURRENT )) && [[ $words[CURRENT] != -* ]] && (( $#commands )) && _describe command commands
  case $node in
    (${leaves}) ;;
    (*)
      [[ $words[CURRENT] == -* || $i -gt $CURRENT ]] &&
        _arguments -S : ${model.rootOptions.flatMap(optionSpecs).map(quote).join(' ')}
      return
      ;;
  esac
  (( i > CURRENT )) && i=CURRENT
  words=(xmppctl "\${(@)words[i,-1]}")
  (( CURRENT -= i - 2 ))
  case $node in
${model.commands.map(commandCase).join('')}  esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _xmppctl "$@"
else
  compdef _xmppctl xmppctl
fi
`;
}

function commandCase({ path, options, args }: CompletedCommand): string {
  const specs = [...options.flatMap(optionSpecs), ...args.map(argumentSpec)].map(quote);
  return `    (${quote(path)})\n      _arguments -s -S : ${specs.join(' \\\n        ')}\n      ;;\n`;
}

function optionSpecs({ names, description, value, isAttached }: CompletedOption): string[] {
  const explanation = `[${description.replace(/[[\]\\]/g, '\\$&')}]`;
  if (value === undefined) return names.map((name) => `(${names.join(' ')})${name}${explanation}`);
  const attached = isAttached ? names.map((name) => `${name}${explanation}`) : [];
  return [
    ...attached,
    ...names.map((name) => {
      const isLong = name.startsWith('--');
      const sign = isAttached ? '=-' : isLong ? '=' : '+';
      return `*${name}${sign}${explanation}:${(names.at(-1) ?? name).replace(/^-+/, '')}:${action(value)}`;
    }),
  ];
}

function argumentSpec({ name, value, isVariadic }: CompletedArgument): string {
  return `${isVariadic ? '*' : ':'}:${name.replaceAll(':', '\\:')}:${action(value)}`;
}

function action(kind: ValueKind): string {
  switch (kind) {
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'account':
      return '_xmppctl_accounts';
    case 'jid':
      return '_xmppctl_jids';
    case 'none':
      return ' ';
    default:
      return `(${kind.map((choice) => choice.replace(/[:\\() ]/g, '\\$&')).join(' ')})`;
  }
}
