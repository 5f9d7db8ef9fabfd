/** The commands about calls: from what is typed to what is done. */
import { describe, expect, it } from 'vitest';
import { command as answerCommand } from '../../../src/commands/call/answer.js';
import { command as callCommand } from '../../../src/commands/call.js';
import { namedServers, type CallOptions } from '../../../src/commands/call-flags.js';
import { fits } from '../../../src/commands/answer-calls.js';
import { command as answerRoomCommand } from '../../../src/commands/muc-call/answer.js';
import { command as inviteCommand } from '../../../src/commands/muc-call/invite.js';
import { command as joinCommand } from '../../../src/commands/muc-call/join.js';
import { command as leaveCommand } from '../../../src/commands/muc-call/leave.js';
import { JID } from '../../../src/lib/jid/jid.js';
import type { AnyCommandDefinition } from '../../../src/lib/command/definition.js';
import { parseCommand } from '../../../src/lib/command/parse.js';
import type { Context } from '../../../src/lib/context.js';

async function parse(definition: unknown, line: string): Promise<unknown> {
  const command = definition as AnyCommandDefinition;
  const parsed = parseCommand(command, line.split(' '), 80);
  if (parsed.kind === 'help') throw new Error('help');
  const context: Partial<Context> = { global: parsed.global };
  return await command.parse(parsed.args, parsed.flags, context as Context);
}

describe('what is typed for a call', () => {
  it('has good defaults', async () => {
    expect(await parse(callCommand, 'juliet@example.org')).toMatchObject({
      source: { kind: 'silence' },
      sink: { recordDirectory: undefined, isPcmOut: false },
      durationMs: undefined,
      servers: [],
      asksServer: true,
      ringMs: 60_000,
    });
  });

  it.each([
    ['--tone 440', { source: { kind: 'tone', hertz: 440 } }],
    ['--play a.wav --loop', { source: { kind: 'file', path: 'a.wav', loops: true } }],
    ['--stdin --pcm-out -', { source: { kind: 'stdin' }, sink: { isPcmOut: true } }],
    ['--video a.ivf --duration 2.5', { video: { path: 'a.ivf', loops: false }, durationMs: 2500 }],
    [
      '--stun [2001:db8::1]:99',
      { servers: [{ kind: 'stun', host: '2001:db8::1', port: 99 }], asksServer: false },
    ],
    ['--no-servers --interface lo', { asksServer: false, interfaces: ['lo'] }],
    [
      '--turn me@turn.example.org?transport=tcp',
      { servers: [{ kind: 'turn', host: 'turn.example.org', port: 3478, transport: 'tcp', username: 'me' }] },
    ],
  ])('takes %s', async (flags, expected) => {
    expect(await parse(callCommand, `juliet@example.org ${flags}`)).toMatchObject(expected);
  });

  it.each([
    ['--tone 440 --silence', /only one of/],
    ['--tone 99999', /up to 20000 Hz/],
    ['--tone loud', /above 0/],
    ['--loop', /for --play and --video/],
    ['--pcm-out file', /standard output only/],
    ['--pcm-out - --json', /both want standard output/],
    ['--null --record x', /excludes/],
    ['--duration 0', /above 0/],
    ['--stun user@host', /takes a host/],
    ['--turn host:99999', /takes a host/],
    ['--turn me:secret@turn.example.org', /password is not given on the command line/],
  ])('refuses %s', async (flags, message) => {
    await expect(parse(callCommand, `juliet@example.org ${flags}`)).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringMatching(message) as string,
    });
  });

  it('needs to know whose calls are taken, which room is meant, and how many are expected', async () => {
    await expect(parse(answerCommand, '--tone 440')).rejects.toThrow('whose calls');
    await expect(parse(joinCommand, 'chat.example.org')).rejects.toThrow('is no room');
    await expect(parse(joinCommand, 'room@chat.example.org --expect 0')).rejects.toThrow('--expect takes');
    await expect(parse(inviteCommand, 'room@chat.example.org a@example.org a@example.org/x')).rejects.toThrow(
      'twice',
    );
    expect(
      await parse(joinCommand, 'room@chat.example.org --expect 2 --within 5 --until-alone'),
    ).toMatchObject({
      expect: { count: 2, withinMs: 5000 },
      endsAlone: true,
      create: false,
    });
  });

  it('needs a rule for invitations, and takes rules for who invites and to where', async () => {
    await expect(parse(answerRoomCommand, '--tone 440')).rejects.toThrow('which invitations');
    await expect(parse(answerRoomCommand, '--from a@example.org --in chat.example.org')).rejects.toThrow(
      'is no room',
    );
    const rules = '--from example.org --to chat.example.org --in team@chat.example.org --prepare 2 --decline';
    expect(await parse(answerRoomCommand, rules)).toMatchObject({
      from: [JID.parse('example.org')],
      to: [JID.parse('chat.example.org')],
      waitIn: [JID.parse('team@chat.example.org')],
      isDeclining: true,
      prepareMs: 2000,
    });
  });

  it('leaves for all programs of the account, or for those that are named', async () => {
    expect(await parse(leaveCommand, 'room@chat.example.org')).toMatchObject({ nicks: [] });
    expect(await parse(leaveCommand, 'room@chat.example.org --only a --only b')).toMatchObject({
      nicks: ['a', 'b'],
    });
    await expect(parse(leaveCommand, 'room@chat.example.org/nick')).rejects.toThrow('is no room');
  });

  it.each([
    ['example.org', 'juliet@example.org/x', true],
    ['example.org', 'juliet@evil.example/x', false],
    ['juliet@example.org', 'juliet@example.org/x', true],
    ['juliet@example.org', 'nurse@example.org', false],
    ['team@chat.example.org/romeo', 'team@chat.example.org/romeo', true],
    ['team@chat.example.org/romeo', 'team@chat.example.org/mallory', false],
  ])('of the rule %s: whether %s fits', (rule, address, expected) => {
    expect(fits(JID.parse(rule), JID.parse(address))).toBe(expected);
  });

  it('has the password of a TURN server from the environment, and only where there is a user', async () => {
    const options = (await parse(
      callCommand,
      'a@example.org --turn me@t.example --stun s.example',
    )) as CallOptions;
    await expect(namedServers(options, {})).rejects.toThrow('needs a password');
    const [stun, turn] = await namedServers(options, { XMPPCTL_TURN_PASSWORD: 'secret' });
    expect([stun?.password, turn?.password]).toEqual([undefined, 'secret']);
    const open = (await parse(callCommand, 'a@example.org --turn t.example')) as CallOptions;
    expect(await namedServers(open, {})).toHaveLength(1);
  });
});
