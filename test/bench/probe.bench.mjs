/**
 * TLS enumeration beside sslscan and testssl.sh on the same port, with the same suites found; and a whole domain.
 * @sandbox prosody ejabberd
 */
import { bar, compare, measure, show, xmppctl } from './measure.mjs';

const { env } = process;
const of = (name) => env[`XMPPCTL_SANDBOX_${name}`] ?? '';
const place = (port) => `127.0.0.1:${of(port)}`;
const endpoint = (service, port) => ['--endpoint', `${service}=${place(port)}`];
const probe = (...args) => [
  ...xmppctl,
  'probe',
  of('DOMAIN'),
  '--ca',
  of('CA_FILE'),
  '--fail-under',
  'F',
  ...args,
];

const ours = probe(...endpoint('xmpps-client', 'TLS_PORT'), '--only', 'tls.proto,tls.suites', '--json');
const sslscan = ['sslscan', '--no-colour', '--show-ciphers', `--sni-name=${of('DOMAIN')}`, place('TLS_PORT')];

const { suites } = JSON.parse((await measure(ours)).out).endpoints[0].tls;
const found = Object.entries(suites)
  .flatMap(([version, names]) => names.map((name) => `${version} ${name}`))
  .sort();
const theirs = await suitesOfSslscan();
if (JSON.stringify(found) !== JSON.stringify(theirs))
  throw new Error(`other suites were found:\n${found.join('\n')}\nand by sslscan:\n${theirs.join('\n')}`);

const scans = await compare({ ours: [ours], sslscan: [sslscan] }, 10);
show('xmppctl probe --only tls.proto,tls.suites', scans.ours.wallMs, 'ms');
show(`sslscan, the same ${found.length} version-suites`, scans.sslscan.wallMs, 'ms');
bar('xmppctl / sslscan', scans.ours.wallMs / scans.sslscan.wallMs, 1);

// Its exit code counts what it found.
const testsslCommand = ['testssl', '--quiet', '--color', '0', '--warnings', 'off', place('TLS_PORT')];
const testssl = await measure(['bash', '-c', '"$@" || true', 'bash', ...testsslCommand], {
  env: { ...env, TERM: 'dumb' },
});
if (!testssl.out.includes('TLS 1.3')) throw new Error(`testssl.sh did not run: ${testssl.out.slice(0, 300)}`);
show('testssl.sh', testssl.wallMs, 'ms');
bar('testssl.sh / xmppctl', testssl.wallMs / scans.ours.wallMs, 50, { atLeast: true });

const whole = probe(
  ...endpoint('xmpp-client', 'PORT'),
  ...endpoint('xmpps-client', 'TLS_PORT'),
  ...endpoint('xmpp-server', 'S2S_PORT'),
  ...endpoint('xmpps-server', 'S2S_TLS_PORT'),
  ...endpoint('web', 'HTTPS_PORT'),
);
const domain = await compare({ whole: [whole] }, 5);
bar('a whole domain', domain.whole.wallMs / 1000, 3, { unit: ' s' });
bar('peak memory', domain.whole.peakMiB, 120, { unit: ' MiB' });

/** OpenSSL's names, as sslscan prints them, in those of IANA. */
async function suitesOfSslscan() {
  const { out } = await measure(sslscan);
  const { out: table } = await measure(['openssl', 'ciphers', '-stdname', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0']);
  const ianaNames = new Map(
    table
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .map(([iana, , openssl]) => [openssl, iana]),
  );
  return [...out.matchAll(/^(?:Preferred|Accepted)\s+(\S+)\s+\d+ bits\s+(\S+)/gm)]
    .map(([, version, name]) => `${version} ${ianaNames.get(name) ?? name}`)
    .sort();
}
