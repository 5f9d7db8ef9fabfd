import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** A room may import only from the rooms named for it (and from itself). `session` stands for its types. */
const rooms = {
  xml: ['errors', 'jid'],
  jid: ['errors'],
  trace: ['xml', 'errors', 'output/safe-text', 'output/output'],
  'trace-proxy': [
    'errors',
    'trace',
    'session/options',
    'session/wait',
    'session/transport',
    'config/private-file',
    'sandbox/certificates',
  ],
  'trace-replay': [
    'errors',
    'trace',
    'trace-analysis',
    'trace-proxy',
    'session/open-stream',
    'session/wait',
    'session/transport',
    'xml',
  ],
  console: [
    'errors',
    'trace',
    'trace-proxy/server-leg',
    'session/open-stream',
    'session/options',
    'session/wait',
    'session/transport',
    'xml',
    'jid',
  ],
  'trace-analysis': ['trace', 'xml', 'errors', 'output/safe-text'],
  session: ['xml', 'jid', 'trace', 'errors', 'disco', 'dns/srv-order'],
  output: ['errors', 'context'],
  config: ['errors', 'jid', 'session/options', 'context', 'command/global-options', 'command/nearest'],
  disco: ['xml', 'errors', 'jid', 'session/session', 'forms'],
  forms: ['xml', 'errors', 'jid'],
  rsm: ['xml', 'errors'],
  muc: [
    'xml',
    'errors',
    'jid',
    'session/session',
    'session/expect-stanza',
    'disco',
    'forms',
    'config/private-file',
  ],
  messaging: ['xml', 'errors', 'jid', 'session/session', 'session/wait', 'disco', 'forms', 'rsm', 'muc'],
  jingle: [
    'xml',
    'errors',
    'jid',
    'event-queue',
    'session/session',
    'session/stanza-reply',
    'session/wait',
    'disco',
  ],
  bytestreams: [
    'xml',
    'errors',
    'jid',
    'session/session',
    'session/stanza-reply',
    'session/wait',
    'disco',
    'jingle/transport',
    'jingle/stanzas',
  ],
  hashes: ['xml', 'errors'],
  programs: ['errors'],
  'http-upload': [
    'xml',
    'errors',
    'jid',
    'session/session',
    'session/wait',
    'session/transport/tls-failure',
    'disco',
    'forms',
    'hashes',
    'messaging/stanzas',
    'file-transfer/transfer',
    'file-transfer/storing/file-name',
  ],
  'file-transfer': [
    'xml',
    'errors',
    'jid',
    'event-queue',
    'session/session',
    'session/stanza-reply',
    'session/wait',
    'disco',
    'forms',
    'hashes',
    'jingle',
    'bytestreams',
    'http-upload',
    'messaging',
    'roster',
    'output/safe-text',
    'output/output',
    'output/format',
  ],
  media: ['errors', 'event-queue', 'file-transfer/storing/file-name'],
  roster: ['xml', 'errors', 'jid', 'session/session', 'disco'],
  registration: ['xml', 'errors', 'jid', 'session/session', 'forms'],
  pubsub: ['xml', 'errors', 'jid', 'session/session', 'session/wait', 'disco', 'forms', 'rsm', 'roster'],
  'sxe-board': ['errors', 'sxe', 'output/safe-text'],
  calls: [
    'xml',
    'errors',
    'jid',
    'event-queue',
    'session/session',
    'session/wait',
    'disco',
    'muc',
    'jingle',
    'media/media-link',
  ],
  sxe: ['xml', 'errors', 'jid', 'event-queue', 'session/session', 'disco', 'muc', 'jingle', 'roster'],
  bookmarks: ['xml', 'errors', 'jid', 'session/session', 'disco', 'pubsub'],
  'user-state': ['xml', 'errors', 'jid', 'session/session', 'pubsub'],
  social: ['xml', 'errors', 'jid', 'session/session', 'forms', 'pubsub'],
  privilege: ['xml', 'errors', 'jid', 'session/session', 'session/wait', 'disco', 'http-upload/http-request'],
  vcard: [
    'xml',
    'errors',
    'jid',
    'session/session',
    'session/wait',
    'disco',
    'forms',
    'hashes',
    'rsm',
    'pubsub',
    'privilege',
    'roster',
    'http-upload/http-request',
    'config/private-file',
    'output/safe-text',
    'output/output',
    'output/format',
  ],
  help: ['command', 'errors', 'config', 'trace/record'],
  completion: ['command'],
  sandbox: ['errors', 'jid'],
  dns: ['errors'],
  'tls-scan': ['errors'],
  x509: ['errors'],
  probe: [
    'xml',
    'errors',
    'jid',
    'trace/events',
    'session/session',
    'session/wait',
    'session/transport/host-meta',
    'session/transport/channel-binding',
    'disco',
    'forms',
    'http-upload',
    'dns',
    'tls-scan',
    'x509',
    'output/safe-text',
    'output/output',
  ],
};

/** Files in a folder of a room reach the room itself with one `../` and leave it with two. */
const roomRules = Object.entries(rooms).flatMap(([room, allowed]) => [
  roomRule(room, allowed, `src/lib/${room}/*.ts`, '(\\.\\./)+'),
  roomRule(room, allowed, `src/lib/${room}/*/**/*.ts`, '(\\.\\./){2,}'),
]);

function roomRule(room, allowed, files, leaving) {
  return {
    files: [files],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^${leaving}(?!\\.\\./|(${[room, ...allowed].join('|')})(/|\\.js$))`,
              message: `the room ${room} may import only ${allowed.join(', ')} (see CONTRIBUTING.md)`,
            },
            ...(room === 'session' || room === 'xml' ? [] : xmppOnlyInSession()),
            ...(room === 'output' ? [] : terminalOnlyInOutput()),
            ...(room === 'media' ? [] : mediaOnlyInMedia()),
          ],
        },
      ],
    },
  };
}

function xmppOnlyInSession() {
  return [
    {
      regex: '^(@xmpp/|ltx)',
      message: 'only src/lib/session touches @xmpp/*; elements come from lib/xml/element.js',
    },
  ];
}

function terminalOnlyInOutput() {
  return [
    {
      regex: '^(chalk|ora|inquirer|@inquirer/.*|cli-progress)$',
      message: 'only src/lib/output knows the terminal libraries',
    },
  ];
}

function mediaOnlyInMedia() {
  return [{ regex: '^(werift|opusscript)(/|$)', message: 'only src/lib/media knows the libraries of calls' }];
}

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', 'test/fixtures/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      // `using _x = …` keeps something for the length of a block.
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_', argsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-globals': ['error', { name: 'process', message: 'only src/cli.ts reads process' }],
      'no-restricted-imports': [
        'error',
        { patterns: [...xmppOnlyInSession(), ...terminalOnlyInOutput(), ...mediaOnlyInMedia()] },
      ],
    },
  },
  ...roomRules,
  { files: ['src/cli.ts', 'src/start.ts'], rules: { 'no-restricted-globals': 'off' } },
  {
    files: ['scripts/**/*.mjs', 'test/bench/**/*.{mjs,cjs}', 'bin/*.js', '*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        require: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        setImmediate: 'readonly',
        performance: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
);
