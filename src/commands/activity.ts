import { defineCommand } from '../lib/command/definition.js';
import { activity } from '../lib/user-state/states.js';
import { activities } from '../lib/user-state/names.js';
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
  path: 'activity',
  summary: 'show or tell what somebody is doing (XEP-0108)',
  description:
    'Without an activity it prints what the account tells: the activity, the specific one, and a text, with tabs between them. With one it is told to those whom the node of the account lets know.',
  examples: [
    { does: 'tell it', line: 'xmppctl activity working coding' },
    { does: 'what somebody is doing', line: 'xmppctl activity --of juliet@example.org' },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object: activity, specific, text.' }],
  exitCodes: stateExitCodes,
  completes: { ...stateCompletes, activity: activities, specific: 'none', '--text': 'none' },
  build: (command) =>
    command
      .argument('[activity]', 'what is told: working, relaxing, traveling and so on')
      .argument('[specific]', 'what exactly: coding, reading, on_a_train and so on')
      .option('--text <text>', 'in own words')
      .addOption(ofOption)
      .addOption(clearOption)
      .addOption(accessOption),
  parse: ([general, specific], { text, ...flags }) =>
    stateOptions(
      {
        ...(general !== undefined && { activity: general }),
        ...(specific !== undefined && { specific }),
        ...(text !== undefined && { text }),
      },
      flags,
    ),
  run: (options, context) =>
    runState(activity, options, context, renderValues('activity', 'specific', 'text')),
});
