import { defineCommand } from '../lib/command/definition.js';
import { tune } from '../lib/user-state/states.js';
import {
  accessOption,
  clearOption,
  ofOption,
  parseFields,
  renderFields,
  runState,
  stateCompletes,
  stateExitCodes,
  stateOptions,
} from './user-state.js';

export const command = defineCommand({
  path: 'tune',
  summary: 'show or tell what music is playing (XEP-0118)',
  description:
    'Without further words it prints what the account tells, one name=value on a line. With name=value it is told: artist, title, source (the album), track, length (in seconds), rating (1 to 10), uri. --clear says that the music has ended.',
  examples: [
    {
      does: 'what the music player plays',
      line: 'xmppctl tune artist="$(playerctl metadata artist)" title="$(playerctl metadata title)"',
    },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object with the values by name.' }],
  exitCodes: stateExitCodes,
  completes: { ...stateCompletes, settings: 'none' },
  build: (command) =>
    command
      .argument('[settings...]', 'what is told: name=value')
      .addOption(ofOption)
      .addOption(clearOption)
      .addOption(accessOption),
  parse: ([words], flags) => stateOptions(parseFields(words), flags),
  run: (options, context) => runState(tune, options, context, renderFields),
});
