/**
 * Does a certificate speak for an XMPP domain?
 *
 * RFC 6120 §13.7.1.2 (which names count) · RFC 6125 §6.4 (how they are compared) · RFC 9525 (no common names).
 */
import type { Certificate } from './certificate.js';

export type NameKind = 'dNSName' | 'SRVName' | 'XmppAddr';

export interface NameMatch {
  /** The name that fits; undefined when none does. */
  by: { kind: NameKind; value: string } | undefined;
  /** Only the common name fits, which has not counted since RFC 9525. */
  isByCommonNameOnly: boolean;
}

export interface WantedName {
  /** In A-labels, lower case. */
  domain: string;
  service: 'xmpp-client' | 'xmpp-server';
}

export function matchName(
  { subjectAltName, commonNames }: Certificate,
  { domain, service }: WantedName,
): NameMatch {
  const { dns, srv, xmppAddr } = subjectAltName;
  const found: { kind: NameKind; value: string | undefined }[] = [
    { kind: 'dNSName', value: dns.find((name) => matchesDnsName(name, domain)) },
    { kind: 'SRVName', value: srv.find((name) => matchesSrvName(name, service, domain)) },
    { kind: 'XmppAddr', value: xmppAddr.find((name) => normalize(name) === domain) },
  ];
  for (const { kind, value } of found) {
    if (value !== undefined) return { by: { kind, value }, isByCommonNameOnly: false };
  }
  return { by: undefined, isByCommonNameOnly: commonNames.some((name) => matchesDnsName(name, domain)) };
}

/** RFC 6125 §6.4.3: `*` is the whole left-most label, and stands for exactly one. */
export function matchesDnsName(pattern: string, domain: string): boolean {
  const name = normalize(pattern);
  if (name === '' || name.includes('\0')) return false;
  if (name === domain) return !name.includes('*');
  if (!name.startsWith('*.')) return false;
  const rest = name.slice(2);
  const dot = domain.indexOf('.');
  // A wildcard for a whole top-level domain is nobody's.
  return dot > 0 && rest.includes('.') && !rest.includes('*') && domain.slice(dot + 1) === rest;
}

function matchesSrvName(name: string, service: string, domain: string): boolean {
  const prefix = `_${service}.`;
  return name.toLowerCase().startsWith(prefix) && matchesDnsName(name.slice(prefix.length), domain);
}

function normalize(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
