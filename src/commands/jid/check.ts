import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import { readTexts, toTextsOptions, type TextsOptions } from '../../lib/input/texts.js';
import { showText } from '../../lib/jid/code-point.js';
import { CollisionFinder, type Collision } from '../../lib/jid/collisions.js';
import { inspectAddress, type AddressReport } from '../../lib/jid/inspect.js';

export interface JidCheckOptions extends TextsOptions {
  collisions: boolean;
  /** Print only addresses with something to say about them. */
  problems: boolean;
}

export const command = defineCommand({
  path: 'jid check',
  summary: 'say whether addresses are valid, and what is wrong with them',
  description: [
    'Checks addresses by RFC 7622: the localpart by the PRECIS profile UsernameCaseMapped, the domain by IDNA2008, the resource by OpaqueString. A valid address is shown in its prepared form, the only one to compare and to store.',
    'Warns of addresses that are valid and can deceive all the same: scripts mixed in one name, letters that look like ASCII, characters that cannot be seen, and names that older servers understand as another one. It knows the look-alikes of ASCII letters, not those within other scripts.',
    'With --stdin it is a filter: one address on each line, results in the same order, empty lines passed over. Memory does not grow with the list, unless --collisions has to remember it.',
  ].join('\n\n'),
  examples: [
    { does: 'see why an address is refused', line: "xmppctl jid check 'juliet smith@example.com'" },
    {
      does: 'find accounts that become one, or look like another, before moving to another server',
      line: 'prosodyctl shell user list example.org | xmppctl jid check --stdin --collisions --problems',
    },
    {
      does: 'list what is invalid, for a script',
      line: "xmppctl jid check --stdin --json <accounts.txt | jq -r 'select(.valid | not).input'",
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line: input, line, valid, warnings (part, kind, message, looksLike) and errors (part, rule, message, codePoint, index, description). The index is that of the character in its part of the address, counted from 0. A valid address also has normalized, parts, ascii (the domain with A-labels) and, where XEP-0106 escapes are in it, display; an invalid one suggestion, where there is one. With --collisions, collision (kind, line, input) names the earlier address.',
    },
  ],
  exitCodes: { 0: 'all are valid', 1: 'some are not, or are the same as another with --collisions' },
  completes: { jid: 'jid' },
  needs: 'nothing',
  build: (command) =>
    command
      .argument('[jid...]', 'the addresses to check')
      .option('--stdin', 'read addresses from stdin, one on each line')
      .option('--collisions', 'also report addresses that mean, or look like, an earlier one of the list')
      .option('--problems', 'print only addresses that have an error, a warning or a collision'),
  parse: ([jids], flags): JidCheckOptions => ({
    ...toTextsOptions(jids, flags, 'addresses'),
    collisions: flags.collisions === true,
    problems: flags.problems === true,
  }),
  run: runJidCheck,
});

interface CheckedAddress extends AddressReport {
  line: number;
  collision?: { kind: Collision['kind']; line: number; input: string };
}

/** @throws NegativeError after the last one, when some are not valid or collide */
export async function runJidCheck(options: JidCheckOptions, context: Context): Promise<void> {
  const finder = options.collisions ? new CollisionFinder() : undefined;
  let total = 0;
  let invalid = 0;
  let same = 0;
  for await (const { text, line } of readTexts(options, context)) {
    if (text === '' && options.stdin) continue;
    const report = inspectAddress(text);
    const found =
      report.normalized === undefined ? undefined : finder?.add(report.normalized, { line, input: text });
    const checked: CheckedAddress = {
      ...report,
      line,
      ...(found && { collision: { kind: found.kind, ...found.with } }),
    };
    total += 1;
    if (!report.valid) invalid += 1;
    if (found?.kind === 'same') same += 1;
    if (options.problems && report.valid && report.warnings.length === 0 && !found) continue;
    await context.output.item(checked, (value) => renderChecked(value, context));
  }
  const findings = [
    ...(invalid > 0
      ? [`${invalid} of ${total} ${total === 1 ? 'address is' : 'addresses are'} not valid`]
      : []),
    ...(same > 0 ? [`${same} of ${total} addresses mean the same as an earlier one`] : []),
  ];
  if (findings.length > 0)
    throw new NegativeError(findings.join('; '), { details: { total, invalid, same } });
}

function renderChecked(checked: CheckedAddress, { output: { style } }: Context): string {
  const { input, valid, normalized = '', display, suggestion, warnings, errors, collision } = checked;
  const lines = valid
    ? [
        `${style.good('valid')}    ${showText(input)}${normalized === input ? '' : ` → ${showText(normalized)}`}`,
      ]
    : [`${style.bad('invalid')}  ${showText(input)}`];
  const shownErrors = errors.slice(0, 5);
  for (const error of shownErrors) lines.push(`         ${showText(error.description)}`);
  if (errors.length > shownErrors.length)
    lines.push(`         and ${errors.length - shownErrors.length} more`);
  if (suggestion !== undefined) lines.push(`         perhaps ${showText(suggestion)} is meant`);
  if (display !== undefined) lines.push(`         read as ${showText(display)} (XEP-0106)`);
  for (const { message } of warnings)
    lines.push(`         ${style.warning('warning:')} ${showText(message)}`);
  if (collision)
    lines.push(
      `         ${style.warning('warning:')} ${collision.kind === 'same' ? 'the same as' : 'looks like'} ${showText(collision.input)} (line ${collision.line})`,
    );
  return lines.join('\n');
}
