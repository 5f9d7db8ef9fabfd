/** Start-up: `--version` and `--help` beside a Node that does nothing. */
import { bar, compare, show, xmppctl } from './measure.mjs';

const medians = await compare(
  {
    'node -e 0': [[process.execPath, '-e', '0']],
    'xmppctl --version': [[...xmppctl, '--version']],
    'xmppctl --help': [[...xmppctl, '--help']],
    'xmppctl send --help': [[...xmppctl, 'send', '--help']],
  },
  20,
);
for (const [name, { wallMs }] of Object.entries(medians)) show(name, wallMs, 'ms');
const bare = medians['node -e 0'].wallMs;
bar('xmppctl --version / node -e 0', medians['xmppctl --version'].wallMs / bare, 1.4);
bar('xmppctl --help / node -e 0', medians['xmppctl --help'].wallMs / bare, 1.4);
