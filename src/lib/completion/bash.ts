/**
 * The completion script for bash (4 or newer). It needs no other package: the words are taken from the line itself,
 * because readline splits them at `=`, `:` and `@`, which stand in addresses and in `--option=value`.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ValueKind } from '../command/definition.js';
import { commandWords, type CompletedCommand, type CompletedOption, type CompletionModel } from './model.js';
import { shellQuote as quote } from './shell-quote.js';

export function renderBash(model: CompletionModel): string {
  const nodes = commandWords(model);
  return `# bash completion for xmppctl. Load it with: source <(xmppctl completion bash)
# or install it as ~/.local/share/bash-completion/completions/xmppctl

# The words that may follow the command words in $1.
_xmppctl_words() {
  case $1 in
${[...nodes].map(([path, words]) => `    ${quote(path)}) echo ${quote([...words.keys()].join(' '))} ;;`).join('\n')}
  esac
}

# The options of the command $1.
_xmppctl_options() {
  case $1 in
${model.commands.map((command) => `    ${quote(command.path)}) echo ${quote(optionNames(command.options))} ;;`).join('\n')}
    *) echo ${quote(optionNames(model.rootOptions))} ;;
  esac
}

# What the value of option $2 of the command $1 is; fails for an option without one.
_xmppctl_value() {
  case "$1 $2" in
${model.commands.map((command) => ownValues(command, model.rootOptions)).join('')}  esac
  case $2 in
${valueCases(model.rootOptions, '')}    *) return 1 ;;
  esac
}

# What argument number $2 of the command $1 is.
_xmppctl_argument() {
  case "$1 $2" in
${model.commands.map(argumentCases).join('')}    *) echo none ;;
  esac
}

_xmppctl() {
  local line=\${COMP_LINE:0:COMP_POINT} cur word path= argument=0 want= kind= more= lead= i isEnd=
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  cur=\${words[-1]}
  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    word=\${words[i]}
    if [[ -n $want ]]; then
      want=
    elif [[ -z $isEnd && $word == -- ]]; then
      isEnd=1
    elif [[ -z $isEnd && $word == -?* ]]; then
      [[ $word != *=* ]] && _xmppctl_value "$path" "$word" >/dev/null && want=$word
    elif [[ $argument == 0 && " $(_xmppctl_words "$path") " == *" $word "* ]]; then
      path=\${path:+$path }$word
    else
      argument=$((argument + 1))
    fi
  done

  COMPREPLY=()
  if [[ -n $want ]]; then
    kind=$(_xmppctl_value "$path" "$want")
  elif [[ -z $isEnd && $cur == --*=* ]]; then
    kind=$(_xmppctl_value "$path" "\${cur%%=*}" || _xmppctl_value "$path" "\${cur%%=*}=") || return
    lead=\${cur%%=*}=
    cur=\${cur#*=}
  elif [[ -z $isEnd && $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_xmppctl_options "$path")" -- "$cur")
    [[ \${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return
  else
    [[ $argument == 0 ]] && more=$(_xmppctl_words "$path")
    kind=$(_xmppctl_argument "$path" "$argument")
  fi

  case $kind in
    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    directory) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    account) mapfile -t COMPREPLY < <(compgen -W "$(xmppctl account list 2>/dev/null | cut -f2)" -- "$cur") ;;
    jid) mapfile -t COMPREPLY < <(compgen -W "$(xmppctl account list 2>/dev/null | cut -f3)" -- "$cur") ;;
    =*) mapfile -t COMPREPLY < <(compgen -W "\${kind:1}" -- "$cur") ;;
  esac
  [[ -n $more ]] && mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$more" -- "$cur")
  # readline replaces only what follows the last character at which it breaks words; an @ belongs to what follows.
  word=$lead$cur
  word=\${word%"\${word##*[$COMP_WORDBREAKS]}"}
  word=\${word%@}
  for i in "\${!COMPREPLY[@]}"; do
    COMPREPLY[i]=$lead\${COMPREPLY[i]}
    COMPREPLY[i]=\${COMPREPLY[i]#"$word"}
  done
}

complete -F _xmppctl xmppctl
`;
}

function optionNames(options: readonly CompletedOption[]): string {
  return options
    .flatMap(({ names, isAttached }) => (isAttached ? [...names, ...names.map((name) => `${name}=`)] : names))
    .join(' ');
}

/** Only what differs from the options that all commands share. */
function ownValues({ path, options }: CompletedCommand, shared: readonly CompletedOption[]): string {
  const own = options.filter(
    ({ names, value }) =>
      !shared.some((other) => other.names.join() === names.join() && isDeepStrictEqual(other.value, value)),
  );
  return valueCases(own, `${path} `);
}

/** An option whose value is optional takes it only with `=`: as a word of its own the value is something else. */
function valueCases(options: readonly CompletedOption[], prefix: string): string {
  return options
    .flatMap(({ names, value, isAttached }) =>
      value === undefined
        ? []
        : [
            `    ${names.map((name) => quote(`${prefix}${name}${isAttached ? '=' : ''}`)).join(' | ')}) echo ${quote(showKind(value))}; return ;;\n`,
          ],
    )
    .join('');
}

function argumentCases({ path, args }: CompletedCommand): string {
  return args
    .map(({ value, isVariadic }, index) => {
      const pattern = isVariadic ? `${quote(`${path} `)}*` : quote(`${path} ${index}`);
      return `    ${pattern}) echo ${quote(showKind(value))} ;;\n`;
    })
    .join('');
}

function showKind(kind: ValueKind): string {
  return typeof kind === 'string' ? kind : `= ${kind.join(' ')}`;
}
