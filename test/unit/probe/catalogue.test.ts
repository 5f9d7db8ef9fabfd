import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { command } from '../../../src/commands/probe.js';
import { parseAddresses, parseBudget, parseEndpoints } from '../../../src/commands/probe/parse-target.js';
import { catalogue, selectChecks } from '../../../src/lib/probe/checks/catalogue.js';
import { checkGroups } from '../../../src/lib/probe/model.js';
import { gradeFindings } from '../../../src/lib/probe/grades.js';
import { isPublicAddress } from '../../../src/lib/probe/facts/addresses.js';
import { parsePosh } from '../../../src/lib/probe/facts/posh.js';

describe('the catalogue of checks', () => {
  it('has each id once, and says about each what a reader wants to know', () => {
    expect(new Set(catalogue.map(({ id }) => id)).size).toBe(catalogue.length);
    for (const { id, group, title, expected, references, why } of catalogue) {
      expect(id).toMatch(/^[a-z0-9]+(\.[a-z0-9-]+)+$/);
      expect(Object.keys(checkGroups), id).toContain(group);
      expect(references.length, id).toBeGreaterThan(0);
      for (const text of [title, expected, why]) expect(text.length, id).toBeGreaterThan(2);
      expect(why, id).toMatch(/^[A-Z].*\.$/s);
      expect(title, id).not.toMatch(/\.$/);
    }
  });

  it('is listed in the documentation, each check in its group', () => {
    const text = readFileSync(path.join(import.meta.dirname, '../../../docs/probe-checks.md'), 'utf8');
    for (const { id, title } of catalogue)
      expect(text.replaceAll(/ +/g, ' ')).toContain(`| \`${id}\` | ${title} |`);
    const listed = [...text.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, id]) => id);
    expect(listed.sort()).toEqual(catalogue.map(({ id }) => id).sort());
  });

  it('judges nothing when nothing was measured', () => {
    const findings = catalogue.flatMap((check) =>
      check
        .judge({ domain: 'example.org', now: new Date(), endpoints: [] })
        .map((verdict) => ({ check, ...verdict })),
    );
    expect(findings.filter(({ status }) => status !== 'skip')).toEqual([]);
    expect(gradeFindings(findings)).toMatchObject({
      overall: '?',
      security: { grade: '?' },
      federation: { grade: '?' },
      compliance: { grade: '?' },
      abuse: { grade: '?' },
    });
  });

  it('is chosen from by groups, ids and their beginnings', () => {
    expect(selectChecks({ only: ['tls.proto'], skip: ['tls.proto.ssl2'] }).map(({ id }) => id)).toEqual([
      'tls.proto.1.3',
      'tls.proto.1.2',
      'tls.proto.1.1',
      'tls.proto.1.0',
      'tls.proto.ssl3',
    ]);
    expect(selectChecks({ only: ['web'], skip: [] }).every(({ group }) => group === 'web')).toBe(true);
    expect(selectChecks({ only: [], skip: [] })).toEqual(catalogue);
    expect(() => selectChecks({ only: ['tsl'], skip: [] })).toThrow(
      /no check and no group of checks called "tsl"/,
    );
  });
});

describe('what is typed', () => {
  it('is read as endpoints, addresses and a budget', () => {
    expect(
      parseEndpoints([
        'xmpp-client=192.0.2.7:5222',
        'web=[2001:db8::7]:443',
        'turn=turn.example.org:3478',
        'xmpps-server=Host.example:5270',
      ]),
    ).toEqual({
      endpoints: [
        { service: 'xmpp-client', host: '192.0.2.7', port: 5222 },
        { service: 'xmpps-server', host: 'host.example', port: 5270 },
      ],
      webServer: { host: '2001:db8::7', port: 443 },
      stunServers: [{ kind: 'turn', host: 'turn.example.org', port: 3478 }],
    });
    expect(parseAddresses(['A.example=192.0.2.1', 'a.example=[2001:db8::1]'])).toEqual(
      new Map([['a.example', ['192.0.2.1', '2001:db8::1']]]),
    );
    expect(parseBudget(['connections=7', 'rate=2.5', 'time=3'], 4)).toMatchObject({
      connections: 7,
      perSecond: 2.5,
      totalMs: 3000,
      stepMs: 4000,
    });
  });

  it.each([
    ['xmpp=1.2.3.4:1', /no service that can be probed/],
    ['xmpp-client=1.2.3.4', /does not say where/],
    ['xmpp-client=:5222', /does not say where/],
    ['xmpp-client=a:70000', /does not say where/],
    ['xmpp-client', /does not say where/],
  ])('%s is refused', (text, message) => {
    expect(() => parseEndpoints([text])).toThrow(message);
  });

  it('is refused where it makes no sense', () => {
    for (const bad of ['a', 'a=b', '=1.2.3.4'])
      expect(() => parseAddresses([bad])).toThrow(/no name with its address/);
    expect(() => parseBudget(['connections=0'], undefined)).toThrow(/not a number above 0/);
    expect(() => parseBudget(['money=7'], undefined)).toThrow(/knows no "money"/);
  });

  it('completes what can be completed', () => {
    expect(command.completes?.['--format']).toContain('junit');
  });
});

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '192.168.0.1',
    '172.31.255.255',
    '169.254.0.1',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
  ])('%s is nobody else’s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
  it.each(['192.0.2.1', '8.8.8.8', '172.32.0.1', '2001:db8::1', '::ffff:8.8.8.8'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
});

describe('POSH files', () => {
  it('are fingerprints, or a link to them, or nothing', () => {
    expect(parsePosh('{"fingerprints":[{"sha-256":"YWJj"},{"sha-1":"x"},7],"expires":86400}')).toEqual({
      fingerprints: ['YWJj'],
      url: undefined,
      expiresSeconds: 86_400,
    });
    expect(parsePosh('{"url":"https://hosting.example/posh.json"}')).toMatchObject({
      url: 'https://hosting.example/posh.json',
    });
    for (const bad of ['', '[]', '7', '{}', '{"fingerprints":{}}']) expect(parsePosh(bad)).toBeUndefined();
  });
});
