import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/** XEP number → version, as the protocol files say in their headers: `XEP-0030: Service Discovery, version 2.5.0`. */
function claimedBySource(): Map<string, string> {
  const claims = new Map<string, string>();
  for (const entry of readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts')) continue;
    const text = readFileSync(path.join(root, 'src', entry), 'utf8');
    for (const [, number = '', version = ''] of text.matchAll(
      /XEP-(\d{4}):[^\n]*? version (\d+(?:\.\d+)+)/g,
    )) {
      const earlier = claims.get(number);
      if (earlier !== undefined && earlier !== version) {
        throw new Error(`${entry} claims version ${version} of XEP-${number}, another file ${earlier}`);
      }
      claims.set(number, version);
    }
  }
  return claims;
}

/** XEP number → version and status, as the DOAP file says. */
function claimedByDoap(): Map<string, { version: string; status: string }> {
  const text = readFileSync(path.join(root, 'xmppctl.doap'), 'utf8');
  const blocks = text.match(/<xmpp:SupportedXep>[\s\S]*?<\/xmpp:SupportedXep>/g) ?? [];
  return new Map(
    blocks.map((block) => [
      /xep-(\d{4})\.html/.exec(block)?.[1] ?? 'none',
      {
        version: /<xmpp:version>([^<]+)</.exec(block)?.[1] ?? '',
        status: /<xmpp:status>([^<]+)</.exec(block)?.[1] ?? '',
      },
    ]),
  );
}

describe('xmppctl.doap', () => {
  it('lists exactly the XEPs that the source claims, with the same versions', () => {
    const doap = new Map([...claimedByDoap()].map(([number, { version }]) => [number, version]));
    expect(doap).toEqual(claimedBySource());
    expect(doap.size).toBeGreaterThan(10);
  });

  it('says how complete each one is', () => {
    for (const [number, { status }] of claimedByDoap()) {
      expect(['complete', 'partial'], `XEP-${number}`).toContain(status);
    }
  });
});
