import type { Context } from '../lib/context.js';
import type { CompletionModel } from '../lib/completion/model.js';
import { defineCommand } from '../lib/command/definition.js';
import { UsageError } from '../lib/errors.js';

const shells = ['bash', 'zsh', 'fish'] as const;

export interface CompletionOptions {
  shell: (typeof shells)[number];
}

export const command = defineCommand({
  path: 'completion',
  summary: 'print the completion script of a shell',
  description: `The script completes commands, options, the values of options, and the names and addresses of the accounts.

For one shell: source <(xmppctl completion bash), source <(xmppctl completion zsh), or xmppctl completion fish | source. For good, write it to where the shell looks:

  bash  ~/.local/share/bash-completion/completions/xmppctl
  zsh   _xmppctl in a folder of $fpath
  fish  ~/.config/fish/completions/xmppctl.fish`,
  examples: [
    { does: 'complete in this bash', line: 'source <(xmppctl completion bash)' },
    {
      does: 'complete in every fish',
      line: 'xmppctl completion fish > ~/.config/fish/completions/xmppctl.fish',
    },
  ],
  needs: 'nothing',
  completes: { shell: shells },
  build: (command) => command.argument('<shell>', 'bash, zsh or fish'),
  parse: ([typed]): CompletionOptions => {
    const shell = shells.find((candidate) => candidate === typed);
    if (shell === undefined) {
      throw new UsageError(`no completion for ${typed}`, { hint: `one of ${shells.join(', ')}` });
    }
    return { shell };
  },
  run: runCompletion,
});

export async function runCompletion({ shell }: CompletionOptions, { output }: Context): Promise<void> {
  const [{ groups, registry }, { readCompletionModel }] = await Promise.all([
    import('./registry.js'),
    import('../lib/completion/model.js'),
  ]);
  const model = await readCompletionModel(registry, groups);
  const script = await render(shell, model);
  await output.result({ shell, script }, () => script);
}

async function render(shell: CompletionOptions['shell'], model: CompletionModel): Promise<string> {
  switch (shell) {
    case 'bash':
      return (await import('../lib/completion/bash.js')).renderBash(model);
    case 'zsh':
      return (await import('../lib/completion/zsh.js')).renderZsh(model);
    case 'fish':
      return (await import('../lib/completion/fish.js')).renderFish(model);
  }
}
