/** The completion script for fish (3 or newer). */
import type { ValueKind } from '../command/definition.js';
import { commandWords, type CompletedCommand, type CompletedOption, type CompletionModel } from './model.js';

export function renderFish(model: CompletionModel): string {
  const nodes = [...commandWords(model)];
  const takingValue = model.rootOptions
    .filter(({ value, isAttached }) => value !== undefined && !isAttached)
    .flatMap(({ names }) => names);
  return `# fish completion for xmppctl. Load it with: xmppctl completion fish | source
# or install it as ~/.config/fish/completions/xmppctl.fish

# Prints the command words that were typed, then the number of arguments behind them.
function __xmppctl_state
    set -l words (commandline -opc)
    set -l node ''
    set -l arguments 0
    set -l option ''
    for word in $words[2..-1]
        if test -n "$option"; and __xmppctl_takes_value "$node" $option
            set option ''
        else if string match -q -- '-?*' $word
            set option $word
        else
            set option ''
            if test $arguments = 0; and contains -- "$word" (__xmppctl_words "$node")
                set node (string trim -- "$node $word")
            else
                set arguments (math $arguments + 1)
            end
        end
    end
    echo "$node"
    echo $arguments
end

# The words that may follow the command words in $argv[1].
function __xmppctl_words
    switch $argv[1]
${nodes.map(([path, words]) => `        case ${quote(path)}\n            printf '%s\\n' ${[...words.keys()].join(' ')}`).join('\n')}
    end
end

# Whether option $argv[2] of the command $argv[1] takes the word behind it.
function __xmppctl_takes_value
    contains -- $argv[2] ${takingValue.join(' ')}; and return 0
    switch "$argv[1] $argv[2]"
${model.commands.map(takesValueCase).join('')}        case '*'
            return 1
    end
end

function __xmppctl_at
    set -l state (__xmppctl_state)
    test "$state[1]" = "$argv[1]"
end

function __xmppctl_argument
    set -l state (__xmppctl_state)
    test "$state[1]" = "$argv[1]"; and test $state[2] -ge $argv[2]; and test $state[2] -le $argv[3]
end

function __xmppctl_accounts
    xmppctl account list 2>/dev/null | cut -f2,3
end

function __xmppctl_jids
    xmppctl account list 2>/dev/null | cut -f3
end

complete -c xmppctl -e
complete -c xmppctl -f
${nodes.flatMap(([path, words]) => [...words].map(([word, summary]) => `complete -c xmppctl -n ${at(path)} -a ${quote(word)} -d ${quote(summary)}`)).join('\n')}
${nodes
  .filter(([path]) => !model.commands.some((command) => command.path === path))
  .flatMap(([path]) => model.rootOptions.map((option) => optionLine(path, option)))
  .join('\n')}
${model.commands.flatMap(commandLines).join('\n')}
`;
}

function commandLines({ path, options, args }: CompletedCommand): string[] {
  return [
    ...options.map((option) => optionLine(path, option)),
    ...args.flatMap(({ value, isVariadic }, index) => {
      const offered = offer(value);
      if (offered === '') return [];
      const condition = quote(`__xmppctl_argument ${quote(path)} ${index} ${isVariadic ? 999 : index}`);
      return [`complete -c xmppctl -n ${condition}${offered}`];
    }),
  ];
}

function optionLine(path: string, { names, description, value, isAttached }: CompletedOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const offered =
    value === undefined || isAttached ? '' : ` ${value === 'file' ? '-r' : '-x'}${offer(value)}`;
  return `complete -c xmppctl -n ${at(path)} ${flags.join(' ')} -d ${quote(description)}${offered}`;
}

function takesValueCase({ path, options }: CompletedCommand): string {
  const names = options
    .filter(({ value, isAttached }) => value !== undefined && !isAttached)
    .flatMap((option) => option.names);
  return names.length === 0
    ? ''
    : `        case ${names.map((name) => quote(`${path} ${name}`)).join(' ')}\n            return 0\n`;
}

function offer(kind: ValueKind): string {
  switch (kind) {
    case 'file':
      return ' -F';
    case 'directory':
      return " -a '(__fish_complete_directories)'";
    case 'account':
      return " -a '(__xmppctl_accounts)'";
    case 'jid':
      return " -a '(__xmppctl_jids)'";
    case 'none':
      return '';
    default:
      return ` -a ${quote(kind.join(' '))}`;
  }
}

/** The condition that the command words typed so far are these. */
function at(path: string): string {
  return quote(`__xmppctl_at ${quote(path)}`);
}

/** fish knows two escapes inside single quotes. */
function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
