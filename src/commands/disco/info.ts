import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { queryInfo, type DiscoInfo } from '../../lib/disco/query.js';
import { formTypeOf } from '../../lib/forms/values.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { renderTable } from '../../lib/output/table.js';

export interface DiscoOptions {
  /** The own server when undefined. */
  to: JID | undefined;
  node: string | undefined;
}

export const command = defineCommand({
  path: 'disco info',
  summary: 'show what an entity is and can do',
  description: [
    'Asks an entity for its identities and features (XEP-0030), and for the forms some add to them (XEP-0128). Without an address the own server is asked.',
    'Text output has three columns: identity, feature or form; what it is; and its name or value. They are separated by tabs when stdout is not a terminal.',
  ].join('\n\n'),
  examples: [
    { does: 'see what the own server offers', line: 'xmppctl disco' },
    {
      does: 'ask whether a server keeps an archive of messages',
      line: 'xmppctl disco info example.org --json | jq -e \'.features | index("urn:xmpp:mam:2")\'',
    },
  ],
  completes: { jid: 'jid', '--node': 'none' },
  build: (command) =>
    command
      .argument('[jid]', 'whom to ask; the own server when left out')
      .option('--node <node>', 'ask about a node of the entity'),
  parse: ([jid], { node }): DiscoOptions => ({ to: jid === undefined ? undefined : parseAddress(jid), node }),
  run: runDiscoInfo,
});

interface Shown extends Omit<DiscoInfo, 'forms'> {
  jid: string;
  node?: string;
  forms: { formType: string | undefined; fields: Record<string, readonly string[]> }[];
}

export async function runDiscoInfo({ to, node }: DiscoOptions, context: Context): Promise<void> {
  await using session = await context.connect();
  const info = await queryInfo(session, to, node, { signal: context.signal });
  const shown: Shown = {
    jid: to?.toString() ?? session.jid.domain,
    ...(node !== undefined && { node }),
    identities: info.identities,
    features: [...new Set(info.features)].sort(),
    forms: info.forms.map((form) => ({
      formType: formTypeOf(form),
      fields: Object.fromEntries(
        form.fields.flatMap(({ name, values }) =>
          name === undefined || name === 'FORM_TYPE' ? [] : [[name, values]],
        ),
      ),
    })),
  };
  await context.output.result(shown, ({ identities, features, forms }) =>
    renderTable(
      context.output,
      ['kind', 'what', 'value'],
      [
        ...identities.map(({ category, type, name }) => ['identity', `${category}/${type}`, name ?? '']),
        ...features.map((feature) => ['feature', feature, '']),
        ...forms.flatMap(({ formType, fields }) =>
          Object.entries(fields).map(([name, values]) => [
            'form',
            `${formType ?? ''} ${name}`.trim(),
            values.join(', '),
          ]),
        ),
      ],
    ),
  );
}
