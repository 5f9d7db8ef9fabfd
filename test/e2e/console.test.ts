/** `console` as it is used: in a pipe and at a real terminal, logged in and by hand. */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { environmentOf } from '../support/as-account.js';
import { runXmppctl, startXmppctl } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';
import { startTerminal } from '../support/terminal-session.js';

const TIMEOUT_MS = 60_000;
const escape = String.fromCharCode(0x1b);

describeOnEachServer('console', (server) => {
  const home = useTemporaryHome();
  const address = (name: string): string => `${name}@${server.sandbox.domain}`;
  const env = (name = 'alice'): Record<string, string> => ({
    ...home.env,
    ...environmentOf(server.sandbox, name),
  });
  const historyFile = (): string => path.join(home.paths.stateDir, 'console-history');
  const streamHeader = (): string =>
    `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='${server.sandbox.domain}' version='1.0'>`;

  it(
    'takes stanzas from a pipe, however they are spread over lines, and prints a line for each that comes',
    async () => {
      const input = [
        `<iq type="get" id="v1" to="${server.sandbox.domain}"><query`,
        ` xmlns="jabber:iq:version"/></iq><iq type='get' id='p1' to='${server.sandbox.domain}'>`,
        "<ping xmlns='urn:xmpp:ping'/>",
        '</iq>',
        '',
      ].join('\n');
      const { code, stdout, stderr } = await runXmppctl(['console'], { env: env(), input });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const lines = stdout.trimEnd().split('\n');
      expect(lines).toHaveLength(2);
      expect(lines[0]).toMatch(/^<iq .*jabber:iq:version.*<\/iq>$/);
      expect(lines[1]).toMatch(/^<iq .*id="p1"/);
    },
    TIMEOUT_MS,
  );

  it(
    'answers before the input has ended, and tells an error by its exit code',
    async () => {
      const running = startXmppctl(['console', '--json'], { env: env() });
      running.child.stdin.write(
        `<iq type="get" id="one" to="${server.sandbox.domain}"><ping xmlns="urn:xmpp:ping"/></iq>`,
      );
      const [line] = await running.waitFor('stdout', /^\{.*"id":"one".*\}$/m);
      expect(JSON.parse(line)).toMatchObject({
        name: 'iq',
        type: 'result',
        id: 'one',
        rttMs: expect.any(Number) as number,
      });
      running.child.stdin.end('<iq type="get" id="two"><nothing xmlns="urn:nothing"/></iq>');
      const { code, stdout, stderr } = await running.finished;
      expect(code).toBe(5);
      expect(stdout).toMatch(/"type":"error","id":"two"/);
      expect(JSON.parse(stderr)).toMatchObject({ error: { name: 'StanzaError', exitCode: 5 } });
    },
    TIMEOUT_MS,
  );

  it(
    'waits for so many stanzas, and answers a ping of somebody else by itself',
    async () => {
      const watching = startXmppctl(['console', '--count', '2'], { env: env('bob') });
      watching.child.stdin.write('<presence/>');
      const [, jid = ''] = await watching.waitFor('stdout', /<presence [^>]*from="([^"]*)"/);
      const pinged = await runXmppctl(['ping', jid], { env: env() });
      expect(pinged).toMatchObject({ code: 0, stderr: '' });
      const { code, stdout } = await watching.finished;
      expect(code).toBe(0);
      expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    },
    TIMEOUT_MS,
  );

  it.each([
    ['<presence/>\n<iq type="get"><a></iq>', /^xmppctl: line 2: the stanza that begins here is never closed/],
    ['<presence/>\n<presence></a>', /^xmppctl: line 2: not well-formed XML/],
    ['hello', /^xmppctl: line 1: text outside of a stanza: hello/],
    ['<iq type="get" id="1"/>', /^xmppctl: line 1: an iq of type get or set has exactly one child/],
    ['<message to="a@@b"/>', /^xmppctl: line 1: /],
    ['<hello/>', /^xmppctl: line 1: <hello\/> in jabber:client is no stanza/],
  ])(
    'refuses %j',
    async (input, message) => {
      const { code, stderr } = await runXmppctl(['console'], { env: env(), input });
      expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 2, lines: 1 });
      expect(stderr).toMatch(message);
    },
    TIMEOUT_MS,
  );

  it(
    'is typed by hand from the first byte, over STARTTLS, direct TLS and a WebSocket',
    async () => {
      const { sandbox } = server;
      const input = `${streamHeader()}</stream:stream>`;
      const started = await runXmppctl(['console', '--raw', '--starttls'], { env: env(), input });
      expect(started).toMatchObject({ code: 0, stderr: '' });
      expect(started.stdout).toMatch(
        /<stream:stream [\s\S]*<mechanism>PLAIN<\/mechanism>[\s\S]*<\/stream:stream>$/,
      );
      const direct = await runXmppctl(
        ['console', '--raw', '--direct-tls', '--service', `${sandbox.host}:${sandbox.ports.c2sTls}`],
        { env: env(), input },
      );
      expect(direct).toMatchObject({ code: 0, stderr: '' });
      expect(direct.stdout).toContain('<mechanism>PLAIN</mechanism>');
      const framed = await runXmppctl(
        ['console', '--raw', '--json', '--wait', '1', '--service', sandbox.services.websocket],
        {
          env: env(),
          input: `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='${sandbox.domain}' version='1.0'/>`,
        },
      );
      expect(framed).toMatchObject({ code: 0, stderr: '' });
      const [first = ''] = framed.stdout.split('\n');
      expect(JSON.parse(first)).toMatchObject({ text: expect.stringMatching(/^<open /) as string });
      const plain = await runXmppctl(['console', '--raw', '--plain'], { env: env(), input });
      expect(plain.stdout).toContain('urn:ietf:params:xml:ns:xmpp-tls');
    },
    TIMEOUT_MS,
  );

  it(
    'is a conversation at a terminal: shortcuts, several lines, completion, history without secrets',
    async () => {
      await home.write(
        '.config/xmppctl/snippets/mine.xml',
        '<iq type="get" id="{id}" to="{to}">\n<ping xmlns="urn:xmpp:ping"/></iq>\n',
      );
      const terminal = startTerminal(['console'], { ...env(), NO_COLOR: '1' });
      await terminal.appears(/alice@\S+\/\S+, xmpp:\/\/.*\/help, \/quit/);
      await terminal.appears(/alice@\S+> /);
      terminal.type('/ping\r');
      await terminal.appears(
        /→ \d\d:\d\d:\d\d\.\d{3}\r\n<iq [^>]*type="get"[\s\S]*← \d\d:\d\d:\d\d\.\d{3} {2}round trip \d+\.\d ms\r\n<iq /,
      );
      // Over two lines, with the completion of a namespace.
      terminal.type(`<iq type="get" to="${server.sandbox.domain}">\r`);
      await terminal.appears(/\.\.\.\. /);
      terminal.type('<query xmlns="jabber:iq:vers\t');
      await terminal.appears(/jabber:iq:version/);
      terminal.type('"/></iq>\r');
      await terminal.appears(/round trip[\s\S]*jabber:iq:version/);
      terminal.type('<iq type="get"/>\r');
      await terminal.appears(/an iq of type get or set has exactly one child/);
      terminal.type('/snippet mine\r');
      await terminal.appears(
        /<iq type="get" id="[-\da-f]+" to="[^"]*"> <ping xmlns="urn:xmpp:ping"\/><\/iq>/,
      );
      terminal.type('\r');
      await terminal.appears(/round trip/);
      // What is typed and thrown away again.
      terminal.type('<message');
      await terminal.appears(/<message/);
      terminal.type('\u0003');
      await terminal.appears(/dropped/);
      terminal.type(
        '!<iq type="set" id="x"><query xmlns="jabber:iq:register"><password>geheim</password></query>\r',
      );
      terminal.type('/unknown\r');
      await terminal.appears(/there is no command \/unknown/);
      terminal.type(`/trace ${path.join(home.dir, 'typed.trace')}\r`);
      await terminal.appears(/recording into .*typed\.trace/);
      terminal.type('\u0004');
      expect(await terminal.ended).toBe(0);
      const history = await readFile(historyFile(), 'utf8');
      expect(history).toMatch(/^\/ping$/m);
      expect(history).toMatch(/^<iq type="get" to="\S+"> <query xmlns="jabber:iq:version"\/><\/iq>$/m);
      expect(history).not.toContain('geheim');
      expect((await stat(historyFile())).mode & 0o777).toBe(0o600);
    },
    TIMEOUT_MS,
  );

  it(
    'shows what others send without letting it near the terminal',
    async () => {
      const terminal = startTerminal(['console'], { ...env('bob'), NO_COLOR: '1' });
      await terminal.appears(/bob@\S+> /);
      terminal.type('/presence\r');
      await terminal.appears(/← [\s\S]*<presence /);
      const hostile = '\u009b31m\u202e \u009d0;title\u0007'.replace('\u0007', '');
      const input = `<message to="${address('bob')}" type="chat"><body>${hostile}</body></message>`;
      expect(await runXmppctl(['console'], { env: env(), input })).toMatchObject({ code: 0 });
      await terminal.appears(/<body>\\u\{9b\}31m\\u\{202e\} \\u\{9d\}0;title<\/body>/);
      expect(terminal.shown()).not.toMatch(/[\u009b\u009d\u202e]/);
      terminal.type('\u0003');
      await terminal.appears(/Ctrl-C once more ends/);
      terminal.type('\u0003');
      expect(await terminal.ended).toBe(130);
      expect(terminal.shown()).not.toContain(`${escape}]0;`);
    },
    TIMEOUT_MS,
  );

  it(
    'gives the terminal back when it is ended from outside',
    async () => {
      const terminal = startTerminal(['console'], { ...env(), NO_COLOR: '1' });
      await terminal.appears(/alice@\S+> /);
      terminal.type('/roster\r');
      await terminal.appears(/round trip/);
      terminal.kill('SIGTERM');
      expect(await terminal.ended).toBe(130);
    },
    TIMEOUT_MS,
  );

  it(
    'says why the server has ended the stream, in a pipe and at a terminal',
    async () => {
      const bad = '<message></presence>';
      const { code, stderr } = await runXmppctl(['console', '--no-validate', '--wait', '5'], {
        env: env(),
        input: bad,
      });
      expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 5, lines: 1 });
      expect(stderr).toMatch(/^xmppctl: the server closed the stream: /);
      const terminal = startTerminal(['console'], { ...env(), NO_COLOR: '1' });
      await terminal.appears(/alice@\S+> /);
      terminal.type(`!${bad}\r`);
      await terminal.appears(/xmppctl: the server closed the stream: /);
      expect(await terminal.ended).toBe(5);
    },
    TIMEOUT_MS,
  );

  it(
    'starts TLS by hand at a terminal',
    async () => {
      const terminal = startTerminal(['console', '--raw', '--plain'], { ...env(), NO_COLOR: '1' });
      await terminal.appears(/without TLS, nothing said yet on the stream/);
      terminal.type('/snippet stream\r');
      await terminal.appears(/version='1\.0'>/);
      terminal.type('\r');
      await terminal.appears(/← [\s\S]*xmpp-tls/);
      terminal.type("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\r");
      await terminal.appears(/← [^\n]*<proceed/);
      terminal.type('/starttls\r');
      await terminal.appears(/TLSv1\.3; the stream begins anew/);
      terminal.type(`${streamHeader()}\r`);
      await terminal.appears(/← [\s\S]*<mechanism>PLAIN/);
      terminal.type("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNlAHg=</auth>\r");
      await terminal.appears(/← [\s\S]*<failure/);
      terminal.type('/quit\r');
      expect(await terminal.ended).toBe(0);
      expect(await readFile(historyFile(), 'utf8')).not.toContain('AGFsaWNlAHg');
    },
    TIMEOUT_MS,
  );
});
