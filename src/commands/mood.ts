import { defineCommand } from '../lib/command/definition.js';
import { mood } from '../lib/user-state/states.js';
import { moods } from '../lib/user-state/names.js';
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
  path: 'mood',
  summary: 'show or tell a mood (XEP-0107)',
  description:
    'Without a mood it prints what the account tells: the mood, and a tab and a text where there is one. With one it is told to those whom the node of the account lets know, the contacts unless configured otherwise.',
  examples: [
    { does: 'tell it', line: "xmppctl mood happy --text 'the build is green'" },
    { does: 'how somebody is', line: 'xmppctl mood --of juliet@example.org' },
    { does: 'take it back', line: 'xmppctl mood --clear' },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object: mood, text.' }],
  exitCodes: stateExitCodes,
  completes: { ...stateCompletes, mood: moods, '--text': 'none' },
  build: (command) =>
    command
      .argument('[mood]', 'the mood that is told')
      .option('--text <text>', 'why')
      .addOption(ofOption)
      .addOption(clearOption)
      .addOption(accessOption),
  parse: ([word], { text, ...flags }) =>
    stateOptions({ ...(word !== undefined && { mood: word }), ...(text !== undefined && { text }) }, flags),
  run: (options, context) => runState(mood, options, context, renderValues('mood', 'text')),
});
