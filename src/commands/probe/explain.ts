import { defineCommand } from '../../lib/command/definition.js';
import { nearest } from '../../lib/command/nearest.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { catalogue, findCheck } from '../../lib/probe/checks/catalogue.js';
import type { Check } from '../../lib/probe/checks/check.js';
import { checkGroups } from '../../lib/probe/model.js';
import { axisTitles } from '../../lib/probe/report/summary.js';

export interface ExplainOptions {
  check: Check;
}

export const command = defineCommand({
  path: 'probe explain',
  summary: 'say what a check of probe looks at, why, and how a fault is mended',
  needs: 'nothing',
  examples: [
    { does: 'what was meant by a line of a report', line: 'xmppctl probe explain starttls.required' },
  ],
  completes: { check: catalogue.map(({ id }) => id) },
  build: (command) => command.argument('<check>', 'the id of the check'),
  parse: ([id]): ExplainOptions => {
    const check = findCheck(id);
    if (check) return { check };
    const near = nearest(
      id,
      catalogue.map((one) => one.id),
    );
    throw new UsageError(`there is no check called ${JSON.stringify(id)}`, {
      hint: near === undefined ? 'xmppctl probe --list-checks lists them' : `did you mean ${near}?`,
    });
  },
  run: runExplain,
});

export async function runExplain({ check }: ExplainOptions, { output }: Context): Promise<void> {
  const { id, group, severity, title, expected, references, why, fix, caps } = check;
  const { style } = output;
  await output.result({ id, group, severity, title, expected, references, why, fix, caps }, () =>
    [
      style.strong(title),
      style.dim(`${id}, ${checkGroups[group]}, ${severity}`),
      '',
      why,
      '',
      `Expected: ${expected}`,
      ...(fix?.prosody === undefined ? [] : [`Prosody:  ${fix.prosody}`]),
      ...(fix?.ejabberd === undefined ? [] : [`ejabberd: ${fix.ejabberd}`]),
      ...(fix?.elsewhere === undefined ? [] : [`Mended:   ${fix.elsewhere}`]),
      ...Object.entries(caps ?? {}).map(
        ([axis, grade]) =>
          `Grade:    ${axisTitles[axis as keyof typeof axisTitles]} is at best ${grade} when it fails`,
      ),
      `See:      ${references.join(', ')}`,
    ].join('\n'),
  );
}
