/**
 * What is wrong with the accounts of an export: what of their cards will be lost, and what keeps them from logging in or
 * stops the import of another server.
 */
import { XmppctlError } from '../../errors.js';
import { childElements } from '../../xml/element.js';
import { lintCard, type Finding } from '../lint.js';
import { AccountAdmission } from './admit-account.js';
import { normalizeAccount } from './account-bytes.js';
import { includesInside } from './expand-account.js';
import { markSmall, openLargeAccount } from './large-account.js';
import { NS_PIE } from './namespaces.js';
import { cardOf } from './pep-nodes.js';
import { readElement } from './read-element.js';
import { repairRoster } from './repair-roster.js';
import { ExportReader, type AccountSink, type ReadLimits } from './read-export.js';
import { ChildKind, type MarkedAccount } from './scan-document.js';
import { scramForm, scramOfPassword } from './scram.js';

export interface ExportLint {
  signal: AbortSignal;
  onFinding: (account: string, finding: Finding) => Promise<void>;
  onProgress: (bytes: number) => void;
}

/** @returns how many accounts there are @throws FileError the input is broken */
export async function lintExport(
  { signal, onFinding, onProgress }: ExportLint,
  read: (reader: ExportReader) => Promise<void>,
  limits?: ReadLimits,
): Promise<number> {
  const admission = new AccountAdmission();
  let accounts = 0;
  const refused: [string, Finding][] = [];
  const tell = async (): Promise<void> => {
    for (const [account, finding] of refused.splice(0)) await onFinding(account, finding);
  };
  const sink: AccountSink = {
    isSated: false,
    accepts: (account) => {
      accounts += 1;
      const reason = admission.prepare(account);
      const address = addressOf(account);
      const twice = reason === undefined ? admission.refuseTwice(address) : undefined;
      if (reason !== undefined)
        refused.push([address, accountFinding('bad-account', reason, 'rename it before the move')]);
      if (twice !== undefined)
        refused.push([address, accountFinding('duplicate-account', twice, 'remove one of them')]);
      return reason === undefined;
    },
    take: (bytes) => Buffer.allocUnsafeSlow(bytes),
    batch: async ({ bytes, accounts: marked }) => {
      await tell();
      for (const account of marked) {
        for (const finding of lintAccount(bytes, account)) await onFinding(addressOf(account), finding);
      }
    },
    large: (account, startTag) => {
      const children: Buffer[] = [];
      return Promise.resolve({
        write: () => Promise.resolve(),
        child: (bytes) => children.push(bytes),
        end: async (failure) => {
          await tell();
          const address = addressOf(account);
          if (failure !== undefined)
            await onFinding(
              address,
              accountFinding('large-account', `${failure}, so that was not looked into`, 'look at its size'),
            );
          const small = markSmall(account, openLargeAccount(account, startTag), children);
          for (const finding of lintAccount(small.bytes, small.account)) await onFinding(address, finding);
        },
      });
    },
    host: () => undefined,
    foreign: () => undefined,
    progress: onProgress,
  };
  await read(new ExportReader(sink, signal, limits));
  await tell();
  return accounts;
}

function addressOf({ name, preparedName = name, host }: MarkedAccount): string {
  return `${preparedName}@${host}`;
}

function lintAccount(given: Buffer, marked: MarkedAccount): Finding[] {
  try {
    const { bytes, account } =
      marked.scope === undefined ? { bytes: given, account: marked } : normalizeAccount(given, marked);
    const childrenOf = (kind: ChildKind) =>
      account.children
        .filter((child) => child.kind === kind)
        .map(({ start, end }) => readElement(bytes, start, end, { '': NS_PIE }, NS_PIE));
    const [items] = childrenOf(ChildKind.items);
    const vcard4 = cardOf(items);
    return [
      ...lintIncludes(account),
      ...lintCredentials(account, childrenOf(ChildKind.scram)),
      ...lintNodes(childrenOf(ChildKind.nodes)[0], items),
      ...childrenOf(ChildKind.roster).flatMap(lintRoster),
      ...childrenOf(ChildKind.vcardTemp).flatMap((card) => lintCard(card)),
      ...(vcard4 ? lintCard(vcard4) : []),
    ];
  } catch (error) {
    if (!(error instanceof XmppctlError)) throw error;
    return [accountFinding('bad-account', error.message, 'it is copied as it is')];
  }
}

type Element = ReturnType<typeof readElement>;

function lintCredentials({ password }: MarkedAccount, credentials: readonly Element[]): Finding[] {
  const forms = credentials.map(scramForm);
  const old = password === undefined ? undefined : scramOfPassword(password);
  const findings: Finding[] = [];
  if (forms.includes(undefined))
    findings.push(
      finding(
        'refused',
        'scram-broken',
        'scram-credentials',
        'nobody can log in with these credentials',
        'give the account a new password',
      ),
    );
  if (forms.includes('double') || (old && scramForm(old) === 'double'))
    findings.push(
      finding(
        'refused',
        'scram-double',
        old ? 'user@password' : 'scram-credentials',
        'the credentials are encoded twice, as ejabberd does: on any other server nobody can log in with them',
        'vcard migrate --layout prosody repairs it',
      ),
    );
  if (password !== undefined && password !== '' && !old && credentials.length > 0)
    findings.push(
      finding(
        'refused',
        'password-and-scram',
        'scram-credentials',
        'ejabberd ends its import at an account that has a password and credentials',
        'vcard migrate --layout ejabberd leaves the credentials out',
      ),
    );
  return findings;
}

function lintIncludes(account: MarkedAccount): Finding[] {
  if (!includesInside(account)) return [];
  const reason = account.includeFailure ?? 'it is so large that what it includes is not followed';
  return [accountFinding('bad-account', reason, 'it is copied as it is')];
}

function lintNodes(nodes: Element | undefined, items: Element | undefined): Finding[] {
  const listed = new Set((items ? childElements(items) : []).map(({ attrs }) => String(attrs['node'])));
  return (nodes ? childElements(nodes) : [])
    .filter((child) => child.getName() === 'configure' && !listed.has(String(child.attrs['node'])))
    .map((child) => ({
      ...finding(
        'refused',
        'node-without-items',
        'pubsub/configure',
        'prosody-migrator ends at a node that has a configuration and no items',
        'vcard migrate --layout prosody adds an empty list; or call it with --keep-going',
      ),
      value: String(child.attrs['node'] ?? ''),
    }));
}

function lintRoster(roster: Element): Finding[] {
  return repairRoster(roster).map(({ element, value }) => ({
    ...finding(
      'refused',
      'roster-item',
      element,
      'ejabberd ends its import at such a contact',
      'vcard migrate --layout ejabberd repairs it, or leaves it out',
    ),
    value,
  }));
}

function accountFinding(code: Finding['code'], message: string, advice: string): Finding {
  return finding('refused', code, 'user', message, advice);
}

function finding(
  severity: Finding['severity'],
  code: Finding['code'],
  element: string,
  message: string,
  advice: string,
): Finding {
  return { severity, code, element, value: '', message, advice };
}
