/** `vcard convert` and `vcard lint` for whole exports of servers (XEP-0227), of any size. */
import { stat } from 'node:fs/promises';
import type { Context } from '../../lib/context.js';
import { NegativeError, UsageError } from '../../lib/errors.js';
import type { CardFormat } from '../../lib/vcard/formats/card-formats.js';
import type { Finding } from '../../lib/vcard/lint.js';
import type { AccountPlan } from '../../lib/vcard/xep0227/convert-account.js';
import type { ExportReader } from '../../lib/vcard/xep0227/read-export.js';

/** An export that was found where a card was expected. */
export interface FoundExport {
  read: (reader: ExportReader) => Promise<void>;
  /** For the bar. */
  name: string;
  bytes: number | undefined;
}

/**
 * @param file `-` for stdin
 * @returns also where to read from instead, if it is something else
 */
export async function findExport(
  file: string,
  context: Context,
): Promise<{ found: FoundExport | undefined; context: Context }> {
  const { isExportFile, isExportStream } = await import('../../lib/vcard/xep0227/detect-export.js');
  if (file !== '-') {
    if (!(await isExportFile(file))) return { found: undefined, context };
    const bytes = (await stat(file)).size;
    return { found: { read: (reader) => reader.readFile(file), name: file, bytes }, context };
  }
  if (context.stdin.isTTY === true) return { found: undefined, context };
  const { isExport, stream } = await isExportStream(context.stdin);
  if (isExport) {
    const read: FoundExport['read'] = (reader) => reader.readStream(stream, 'stdin');
    return { found: { read, name: 'stdin', bytes: undefined }, context };
  }
  const other = Object.create(context, { stdin: { value: stream } }) as Context;
  return { found: undefined, context: other };
}

/** The cards of all accounts: into PEP nodes, or out of them. Everything else stays, the credentials too. */
export async function convertExport(
  found: FoundExport,
  { to, dates }: { to: CardFormat; dates: AccountPlan['dates'] | undefined },
  { output, signal }: Context,
): Promise<void> {
  if (to !== 'vcard4' && to !== 'vcard-temp')
    throw new UsageError(`an export of a server can be converted to vcard4 or vcard-temp, not to ${to}`);
  if (output.isJson)
    throw new UsageError('an export of a server is written as XML, so --json has no meaning', {
      hint: 'vcard migrate --report writes what happened to each account',
    });
  const [{ migrateExport }, { DocumentWriter }] = await Promise.all([
    import('../../lib/vcard/xep0227/migrate-export.js'),
    import('../../lib/vcard/xep0227/write-export.js'),
  ]);
  const writer = new DocumentWriter({
    write: (bytes) => output.bytes(bytes),
    finish: () => output.flush(),
    abort: () => Promise.resolve(),
  });
  let failed = 0;
  await migrateExport(
    {
      plan: {
        cards: to,
        scram: 'keep',
        server: undefined,
        existing: 'skip',
        access: 'keep',
        maxAvatarBytes: Number.MAX_SAFE_INTEGER,
        dates: dates ?? 'extended',
        keepsCards: false,
      },
      writer,
      selection: {},
      inputBytes: found.bytes,
      signal,
      onAccount: ({ account, outcome, reason, warnings }) => {
        if (outcome === 'failed') {
          failed += 1;
          output.warn(`${account}: ${reason ?? 'it could not be converted'}`);
        }
        for (const { code, element, value } of warnings)
          output.warn(`${account}: ${element}: ${code}${value === '' ? '' : ` (${value})`}`);
      },
      onProgress: () => undefined,
      onForeign: (name) => output.warn(`<${name}/> beside hosts and accounts was left out`),
    },
    found.read,
  );
  if (failed > 0)
    throw new NegativeError(`${failed} accounts could not be converted`, { details: { failed } });
}

/** @throws NegativeError something is lost or refused */
export async function lintExport(
  found: FoundExport,
  render: (finding: Finding, account: string) => string,
  { output, signal }: Context,
): Promise<void> {
  const { lintExport: lint } = await import('../../lib/vcard/xep0227/lint-export.js');
  const bar = output.progress(found.name, 'bytes');
  let bad = 0;
  let accounts;
  try {
    accounts = await lint(
      {
        signal,
        onFinding: async (account, finding) => {
          if (finding.severity !== 'changed') bad += 1;
          await output.item({ account, ...finding }, () => render(finding, account));
        },
        onProgress: (bytes) => bar.update(bytes, found.bytes),
      },
      found.read,
    );
  } finally {
    bar.stop();
  }
  if (bad > 0)
    throw new NegativeError(
      `${bad} ${bad === 1 ? 'thing is' : 'things are'} lost or refused in ${accounts} accounts`,
      { details: { count: bad, accounts } },
    );
  output.note(`${accounts} ${accounts === 1 ? 'account' : 'accounts'}: nothing is lost or refused`);
}
