/** What is typed with a slash: shortcuts for stanzas, and settings of the console. */
import { UsageError } from '../errors.js';
import { fillSnippet, findSnippet, type Snippet, type SnippetValues } from './snippets.js';

/** What the commands act on. */
export interface ConsoleActions {
  readonly snippets: readonly Snippet[];
  readonly values: SnippetValues;
  print(text: string): void;
  /** Sends stanzas as if they had been typed. */
  send(text: string): Promise<void>;
  /** Puts text on the line, to be edited. */
  insert(text: string): void;
  /** A setting by its name; undefined asks for it. */
  setting(name: 'raw' | 'answer', value: boolean | undefined): boolean;
  /** Records from here on; undefined ends the recording. Says what was done. */
  trace(file: string | undefined): Promise<string>;
  /** The connection's facts, on one line. */
  describe(): string;
  startTls(): Promise<void>;
  quit(): void;
}

interface SlashCommand {
  /** With what can be typed behind it. */
  usage: string;
  does: string;
  run: (words: readonly string[], actions: ConsoleActions) => void | Promise<void>;
  /** Only where the stream is typed by hand. */
  isRaw?: true;
}

const bySnippet =
  (...names: readonly string[]): SlashCommand['run'] =>
  async (words, actions) => {
    for (const name of names)
      await actions.send(fillSnippet(findSnippet(actions.snippets, name), words, actions.values));
  };

const onOrOff =
  (name: 'raw' | 'answer'): SlashCommand['run'] =>
  ([word], actions) => {
    if (word !== undefined && word !== 'on' && word !== 'off')
      throw new UsageError(`/${name} takes on or off`);
    const isOn = actions.setting(name, word === undefined ? undefined : word === 'on');
    actions.print(`${name} is ${isOn ? 'on' : 'off'}`);
  };

const commands: Readonly<Record<string, SlashCommand>> = {
  help: {
    usage: '/help',
    does: 'this list',
    run: (_words, actions) => actions.print(helpText()),
  },
  snippet: {
    usage: '/snippet [NAME [WORDS…]]',
    does: 'put a stanza on the line, to be edited; without a name: which there are',
    run: ([name, ...words], actions) => {
      if (name === undefined) {
        const width = Math.max(...actions.snippets.map((snippet) => snippet.name.length));
        actions.print(
          actions.snippets.map(({ name: own, does }) => `${own.padEnd(width)}  ${does}`).join('\n'),
        );
        return;
      }
      actions.insert(fillSnippet(findSnippet(actions.snippets, name), words, actions.values));
    },
  },
  ping: { usage: '/ping [JID]', does: 'ping somebody (XEP-0199)', run: bySnippet('ping') },
  disco: {
    usage: '/disco [JID]',
    does: 'ask what an entity is, can do and has (XEP-0030)',
    run: bySnippet('disco-info', 'disco-items'),
  },
  version: { usage: '/version [JID]', does: 'ask for the software (XEP-0092)', run: bySnippet('version') },
  roster: { usage: '/roster', does: 'ask for the contacts', run: bySnippet('roster') },
  presence: {
    usage: '/presence [away|chat|dnd|xa|unavailable [STATUS…]]',
    does: 'be available, or otherwise',
    run: async ([show, ...words], actions) => {
      if (show === undefined) return actions.send('<presence/>');
      if (show === 'unavailable') return actions.send('<presence type="unavailable"/>');
      if (!['away', 'chat', 'dnd', 'xa'].includes(show))
        throw new UsageError(`/presence takes away, chat, dnd, xa or unavailable, not ${show}`);
      const status: Snippet = {
        name: '',
        does: '',
        template: `<presence><show>${show}</show><status>{text}</status></presence>`,
      };
      return actions.send(fillSnippet(status, words, actions.values));
    },
  },
  message: {
    usage: '/message JID TEXT…',
    does: 'send a chat message',
    run: async (words, actions) => {
      if (words.length < 2) throw new UsageError('/message takes an address and a text');
      await bySnippet('message')(words, actions);
    },
  },
  answer: {
    usage: '/answer [on|off]',
    does: 'whether pings, requests and acknowledgements are answered by themselves',
    run: onOrOff('answer'),
  },
  raw: { usage: '/raw [on|off]', does: 'show stanzas on one line, not indented', run: onOrOff('raw') },
  trace: {
    usage: '/trace on|off|FILE',
    does: 'record the stream from here on',
    run: async ([word], actions) => {
      if (word === undefined) throw new UsageError('/trace takes on, off or a file');
      const file = word === 'on' ? `console-${new Date().toISOString().replace(/[:.]/g, '-')}.trace` : word;
      actions.print(await actions.trace(word === 'off' ? undefined : file));
    },
  },
  info: {
    usage: '/info',
    does: 'facts of the connection',
    run: (_words, actions) => actions.print(actions.describe()),
  },
  starttls: {
    usage: '/starttls',
    does: 'the TLS handshake, behind <proceed/>',
    isRaw: true,
    run: (_words, actions) => actions.startTls(),
  },
  quit: { usage: '/quit', does: 'end the stream; so does Ctrl-D', run: (_words, actions) => actions.quit() },
};

/** With the slash. */
export const commandNames: readonly string[] = Object.keys(commands).map((name) => `/${name}`);

/** Those that mean something where nobody has logged in. */
const rawCommands = new Set(['help', 'snippet', 'trace', 'info', 'starttls', 'quit']);

/**
 * Does what a line with a slash says.
 * @param isRaw the stream is typed by hand
 * @throws UsageError
 */
export async function runSlashCommand(line: string, actions: ConsoleActions, isRaw: boolean): Promise<void> {
  const [name = '', ...words] = line.slice(1).trim().split(/\s+/);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new UsageError(`there is no command /${name}; /help lists them`);
  if (isRaw ? !rawCommands.has(name) : command.isRaw)
    throw new UsageError(`/${name} is for a console ${isRaw ? 'that has logged in' : 'with --raw'}`);
  await command.run(words, actions);
}

function helpText(): string {
  const width = Math.max(...Object.values(commands).map(({ usage }) => usage.length));
  return [
    ...Object.values(commands).map(({ usage, does }) => `${usage.padEnd(width)}  ${does}`),
    'Anything else is XML, over as many lines as it takes; with ! before it, it is sent unchecked.',
    'Tab completes, Ctrl-C drops what was typed, Ctrl-D ends.',
  ].join('\n');
}
