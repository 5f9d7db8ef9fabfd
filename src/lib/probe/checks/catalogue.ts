/** Every check there is, in the order of a report, and how some of them are chosen. */
import { UsageError } from '../../errors.js';
import { checkGroups } from '../model.js';
import { abuseChecks } from './abuse.js';
import { certificateChecks } from './certificates.js';
import type { Check } from './check.js';
import { complianceChecks } from './compliance.js';
import { conformanceChecks } from './conformance.js';
import { dnsChecks } from './dns.js';
import { dnssecChecks } from './dnssec.js';
import { federationChecks } from './federation.js';
import { reachabilityChecks } from './reachability.js';
import { saslChecks } from './sasl.js';
import { serviceChecks } from './services.js';
import { starttlsChecks } from './starttls.js';
import { streamChecks } from './streams.js';
import { stunChecks } from './stun.js';
import { tlsChecks } from './tls.js';
import { webChecks } from './web.js';

export const catalogue: readonly Check[] = [
  ...dnsChecks,
  ...dnssecChecks,
  ...reachabilityChecks,
  ...starttlsChecks,
  ...tlsChecks,
  ...certificateChecks,
  ...streamChecks,
  ...saslChecks,
  ...federationChecks,
  ...conformanceChecks,
  ...webChecks,
  ...stunChecks,
  ...serviceChecks,
  ...complianceChecks,
  ...abuseChecks,
];

export interface Selection {
  /** Groups, ids, or the beginnings of ids (`tls.proto`); all checks when empty. */
  only: readonly string[];
  skip: readonly string[];
}

/** @throws UsageError a word that stands for no check */
export function selectChecks({ only, skip }: Selection): Check[] {
  for (const word of [...only, ...skip]) {
    if (!catalogue.some((check) => isMeant(check, word))) {
      throw new UsageError(`there is no check and no group of checks called ${JSON.stringify(word)}`, {
        hint: `the groups are ${Object.keys(checkGroups).join(', ')}; xmppctl probe --list-checks lists the checks`,
      });
    }
  }
  return catalogue.filter(
    (check) =>
      (only.length === 0 || only.some((word) => isMeant(check, word))) &&
      !skip.some((word) => isMeant(check, word)),
  );
}

function isMeant({ id, group }: Check, word: string): boolean {
  return group === word || id === word || id.startsWith(`${word}.`);
}

export function findCheck(id: string): Check | undefined {
  return catalogue.find((check) => check.id === id);
}
