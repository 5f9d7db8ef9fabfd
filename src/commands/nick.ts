import { defineCommand } from '../lib/command/definition.js';
import { nick } from '../lib/user-state/states.js';
import {
  accessOption,
  clearOption,
  ofOption,
  renderValues,
  runState,
  stateCompletes,
  stateExitCodes,
  stateOptions,
} from './user-state.js';

export const command = defineCommand({
  path: 'nick',
  summary: 'show or tell a nickname (XEP-0172)',
  description:
    'Without a name it prints that of the account. With one it is told to those whom the node of the account lets know.',
  examples: [
    { does: 'tell it', line: "xmppctl nick 'Juliet C.'" },
    { does: 'what somebody is called', line: 'xmppctl nick --of juliet@example.org' },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object: nick.' }],
  exitCodes: stateExitCodes,
  completes: { ...stateCompletes, name: 'none' },
  build: (command) =>
    command
      .argument('[name]', 'the name that is told')
      .addOption(ofOption)
      .addOption(clearOption)
      .addOption(accessOption),
  parse: ([name], flags) => stateOptions(name === undefined ? {} : { nick: name }, flags),
  run: (options, context) => runState(nick, options, context, renderValues('nick')),
});
