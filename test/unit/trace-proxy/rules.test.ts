import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/lib/errors.js';
import type { InterceptedStanza, Verdict } from '../../../src/lib/trace-proxy/intercept.js';
import { applyRules, parseRules } from '../../../src/lib/trace-proxy/rules.js';
import { scripted } from '../../../src/lib/trace-proxy/script.js';
import { parseTraceElement } from '../../../src/lib/trace/trace-element.js';

function stanza(text: string, dir: 'in' | 'out' = 'out'): InterceptedStanza {
  const tree = parseTraceElement(text);
  if (!tree) throw new Error('no element');
  return { dir, text, tree };
}

const decide = async (rules: string, each: InterceptedStanza): Promise<Verdict | undefined> =>
  applyRules(await parseRules(rules))(each);

describe('rules', () => {
  it('leave alone what none of them matches', async () => {
    expect(await decide('- {match: message, action: drop}', stanza('<presence/>'))).toBeUndefined();
    expect(
      await decide('- {match: message, direction: in, action: drop}', stanza('<message/>')),
    ).toBeUndefined();
  });

  it.each([
    ['drop', { action: 'drop', forward: [] }],
    ['delay, ms: 20', { action: 'delay', forward: ['original'], delayMs: 20 }],
    ['duplicate', { action: 'duplicate', forward: ['original', 'original'] }],
    ['replace, with: <presence/>', { action: 'replace', forward: [{ xml: '<presence/>' }] }],
    ['reply, with: <presence/>', { action: 'reply', forward: [], reply: ['<presence/>'] }],
  ])('do what is asked: %s', async (action, verdict) => {
    expect(await decide(`- {match: message, action: ${action}}`, stanza('<message/>'))).toEqual(verdict);
  });

  it('are asked in order, and may be JSON', async () => {
    const rules = JSON.stringify([
      { match: 'message > body', action: 'drop' },
      { match: 'message', action: 'duplicate' },
    ]);
    expect(await decide(rules, stanza('<message><body>a</body></message>'))).toMatchObject({
      action: 'drop',
    });
    expect(await decide(rules, stanza('<message/>'))).toMatchObject({ action: 'duplicate' });
  });

  it('fill attributes of the stanza in, without letting them break out', async () => {
    const rules = `- {match: iq, action: reply, with: "<iq type='error' id='{id}' from='{to}'/>"}`;
    expect(await decide(rules, stanza(`<iq type='get' id="a'b" to='x@y/&lt;'/>`))).toEqual({
      action: 'reply',
      forward: [],
      reply: [`<iq type='error' id='a&#39;b' from='x@y/&lt;'/>`],
    });
  });

  it.each([
    ['a: 1', /must be a list/],
    ['- [', /no YAML/],
    ['- drop', /rule 1: it is not a map/],
    ['- {action: drop}', /rule 1: it needs a selector/],
    ['- {match: message, action: explode}', /rule 1: its action must be one of/],
    [
      '- {match: message, action: drop}\n- {match: message, action: delay}',
      /rule 2: a delay needs its length/,
    ],
    ['- {match: message, action: replace}', /replace needs a stanza/],
    ['- {match: message, action: drop, direction: up}', /its direction is in or out/],
    ['- {match: message, action: drop, when: now}', /there is no key when/],
    ['- {match: "message >", action: drop}', /not a selector/],
  ])('are refused with what is wrong: %s', async (text, message) => {
    await expect(parseRules(text)).rejects.toThrow(UsageError);
    await expect(parseRules(text)).rejects.toThrow(message);
  });
});

describe('a script', () => {
  it('passes what it says nothing about', async () => {
    expect(await scripted(() => undefined)(stanza('<message/>'))).toBeUndefined();
  });

  it('decides, and may take its time', async () => {
    const verdict = await scripted(async ({ direction, element }, api) => {
      await Promise.resolve();
      if (direction === 'out' && element.name === 'message') api.replace('<presence/>');
      api.delay(5);
    })(stanza('<message/>'));
    expect(verdict).toEqual({ action: 'replace', forward: [{ xml: '<presence/>' }], delayMs: 5 });
  });
});
