import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { capsVerification, verifyCaps, type Caps } from '../../lib/disco/caps.js';
import { queryInfo, type DiscoInfo } from '../../lib/disco/query.js';
import { formTypeOf } from '../../lib/forms/values.js';
import { NegativeError } from '../../lib/errors.js';
import { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { renderTable } from '../../lib/output/table.js';
import { findAnnouncedCaps } from '../../lib/roster/announced-caps.js';

export interface DiscoOptions {
  /** The own server when undefined. */
  to: JID | undefined;
  node: string | undefined;
}

export interface DiscoInfoOptions extends DiscoOptions {
  /** Compare the answer with the capabilities that were announced. */
  checksCaps: boolean;
}

export const command = defineCommand({
  path: 'disco info',
  summary: 'show what an entity is and can do',
  description: [
    'Asks an entity for its identities and features (XEP-0030), and for the forms some add to them (XEP-0128). Without an address the own server is asked.',
    'Text output has three columns: identity, feature, form or caps; what it is; and its name or value. They are separated by tabs when stdout is not a terminal.',
    'With --caps the answer is also hashed as XEP-0115 says, and compared with what the entity announces: the own server in the features of the stream, a client in its presence, which only contacts see. Where they differ other clients do not believe the answer, and do without what it offers.',
  ].join('\n\n'),
  examples: [
    { does: 'see what the own server offers', line: 'xmppctl disco' },
    {
      does: 'ask whether a server keeps an archive of messages',
      line: 'xmppctl disco info example.org --json | jq -e \'.features | index("urn:xmpp:mam:2")\'',
    },
    {
      does: 'find out why other clients do not believe what a client announces',
      line: 'xmppctl disco info bob@example.org/laptop --caps',
    },
  ],
  exitCodes: { 1: 'with --caps: what is announced is not what was answered' },
  completes: { jid: 'jid', '--node': 'none' },
  build: (command) =>
    command
      .argument('[jid]', 'whom to ask; the own server when left out')
      .option('--node <node>', 'ask about a node of the entity')
      .option('--caps', 'check the hash of its capabilities (XEP-0115)'),
  parse: ([jid], { node, caps }): DiscoInfoOptions => ({
    to: jid === undefined ? undefined : parseAddress(jid),
    node,
    checksCaps: caps === true,
  }),
  run: runDiscoInfo,
});

interface Shown extends Omit<DiscoInfo, 'forms'> {
  jid: string;
  node?: string;
  forms: { formType: string | undefined; fields: Record<string, readonly string[]> }[];
  caps?: ShownCaps;
}

interface ShownCaps {
  /** The hash function. */
  hash: string;
  /** What the answer comes to; null when it can come to nothing (XEP-0115 §5.4). */
  computed: string | null;
  /** What was announced, and for which node. */
  announced: string | null;
  node: string | null;
  /** Null when nothing was announced, or with a hash function that is not known here. */
  isTrue: boolean | null;
}

export async function runDiscoInfo(
  { to, node, checksCaps }: DiscoInfoOptions,
  context: Context,
): Promise<void> {
  const { signal } = context;
  await using session = await context.connect();
  const entity = to ?? JID.fromServer(session.jid.domain);
  const announced = checksCaps ? await findAnnouncedCaps(session, entity, { signal }) : undefined;
  const info = await queryInfo(session, to, node, { signal });
  const caps = checksCaps ? compareCaps(info, announced) : undefined;
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
    ...(caps && { caps }),
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
        ...(caps ? [['caps', `${caps.hash} ${caps.computed ?? 'none'}`, describeCaps(caps)]] : []),
      ],
    ),
  );
  if (caps?.isTrue === false) {
    throw new NegativeError(
      `${entity.toString()} announces the capabilities ${caps.announced ?? ''}, but its answer comes to ${caps.computed ?? 'none: it holds something twice, or is not allowed'}`,
      { hint: 'other clients do not believe such an answer', details: { caps } },
    );
  }
}

function compareCaps(info: DiscoInfo, announced: Caps | undefined): ShownCaps {
  const hash = announced?.hash ?? 'sha-1';
  return {
    hash,
    computed: capsVerification(info, hash) ?? null,
    announced: announced?.ver ?? null,
    node: announced?.node ?? null,
    isTrue: (announced && verifyCaps(announced, info)) ?? null,
  };
}

function describeCaps({ announced, isTrue }: ShownCaps): string {
  if (announced === null) return 'not announced to this account';
  if (isTrue === null) return `announced in a way that cannot be checked: ${announced}`;
  return isTrue ? 'as announced' : `announced: ${announced}`;
}
