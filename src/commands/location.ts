import { defineCommand } from '../lib/command/definition.js';
import { location } from '../lib/user-state/states.js';
import { locationFields } from '../lib/user-state/names.js';
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
  path: 'location',
  summary: 'show or tell where somebody is (XEP-0080)',
  description: `Without further words it prints what the account tells, one name=value on a line. With name=value it is told: ${locationFields.join(', ')}. Latitude and longitude are decimal degrees, the accuracy is in metres.`,
  examples: [
    {
      does: 'tell it',
      line: 'xmppctl location lat=45.44 lon=12.33 accuracy=20 locality=Venice --access presence',
    },
    { does: 'where somebody is', line: 'xmppctl location --of juliet@example.org' },
    { does: 'take it back', line: 'xmppctl location --clear' },
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
  run: (options, context) => runState(location, options, context, renderFields),
});
