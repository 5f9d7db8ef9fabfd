/**
 * Finds the servers that the tests, the demo and the benchmarks run, and installs them with apt where they are
 * missing. Where that is not possible, one line says what to install.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SetUpError } from './set-up-error.mjs';
import { thisSystem } from './this-system.mjs';

/** What shows that a package is there, also when it came from somewhere else than apt. */
const evidence = {
  prosody: (system) => system.hasProgram('prosody'),
  'prosody-modules': (system) =>
    ['/usr/lib', '/usr/lib64', '/usr/share', '/usr/local/lib', '/opt/homebrew/lib'].some((prefix) =>
      system.hasPath(path.join(prefix, 'prosody/modules/mod_privilege')),
    ),
  ejabberd: (system) => system.hasProgram('ejabberdctl'),
  // Tokens for its HTTP interface. Only Debian has this in a package of its own.
  'erlang-p1-oauth2': (system) =>
    !system.hasPath('/var/lib/dpkg/status') || system.hasPath('/var/lib/dpkg/info/erlang-p1-oauth2.list'),
  zsh: (system) => system.hasProgram('zsh'),
  fish: (system) => system.hasProgram('fish'),
  'groff-base': (system) => system.hasProgram('groff'),
  dbus: (system) => system.hasProgram('dbus-run-session'),
  'gnome-keyring': (system) => system.hasProgram('gnome-keyring-daemon'),
  'libxml2-utils': (system) => system.hasProgram('xmllint'),
  'python3-slixmpp': (system) => system.hasPythonModule('slixmpp'),
  'python3-lxml': (system) => system.hasPythonModule('lxml'),
  iproute2: (system) => system.hasProgram('ip'),
  nftables: (system) => system.hasProgram('nft'),
  ncat: (system) => system.hasProgram('ncat'),
  bind9: (system) => system.hasProgram('named'),
  'bind9-utils': (system) => system.hasProgram('dnssec-signzone'),
  unbound: (system) => system.hasProgram('unbound'),
  coturn: (system) => system.hasProgram('turnserver'),
  'python3-gi': (system) => system.hasPythonModule('gi'),
  'gir1.2-gst-plugins-bad-1.0': (system) => hasLibrary(system, 'girepository-1.0/GstWebRTC-1.0.typelib'),
  'gstreamer1.0-nice': (system) => hasLibrary(system, 'gstreamer-1.0/libgstnice.so'),
  'gstreamer1.0-plugins-base': (system) => hasLibrary(system, 'gstreamer-1.0/libgstopus.so'),
  'gstreamer1.0-plugins-good': (system) => hasLibrary(system, 'gstreamer-1.0/libgstvpx.so'),
  'gstreamer1.0-plugins-bad': (system) => hasLibrary(system, 'gstreamer-1.0/libgstwebrtc.so'),
  chromium: (system) => system.hasProgram('chromium'),
  sslscan: (system) => system.hasProgram('sslscan'),
  'testssl.sh': (system) => system.hasProgram('testssl'),
  'go-sendxmpp': (system) => system.hasProgram('go-sendxmpp'),
  profanity: (system) => system.hasProgram('profanity'),
  tshark: (system) => system.hasProgram('tshark'),
  'libervia-backend': (system) => system.hasProgram('libervia-backend'),
  'libervia-cli': (system) => system.hasProgram('libervia-cli'),
};

function hasLibrary(system, file) {
  const folders = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];
  return [...folders, '/opt/homebrew/lib'].some((folder) => system.hasPath(path.join(folder, file)));
}

/**
 * @param {object} options
 * @param {string} options.root
 * @param {'none' | 'demo' | 'tests' | 'bench'} options.packages
 * @param {boolean} options.allowInstall
 * @param {(line: string) => void} options.say
 * @param {typeof thisSystem} [options.system] another one in tests
 */
export async function ensureSystemPackages({ root, packages, allowInstall, say, system = thisSystem }) {
  const { debian, debianWhereKnown, elsewhere } = JSON.parse(
    readFileSync(path.join(root, 'src/lib/sandbox/system-packages.json'), 'utf8'),
  );
  const needed = debian[packages] ?? [];
  // One server is enough for a demonstration.
  if (packages === 'demo' && (evidence.prosody(system) || evidence.ejabberd(system))) return;
  const findMissing = () => needed.filter((name) => !evidence[name](system));
  const missing = findMissing();
  // Nobody is asked about these.
  const mayAdd = allowInstall && !system.isInteractive;
  const wanted = mayAdd ? (debianWhereKnown[packages] ?? []).filter((name) => !evidence[name](system)) : [];
  if (missing.length === 0) {
    await addWhereKnown({ root, wanted, say, system });
    return;
  }
  const howElse = describeCommands(missing, elsewhere);
  const need = `${missing.join(', ')} must be installed`;
  if (!allowInstall) throw new SetUpError(`${need} (${howElse})`);
  if (!system.hasProgram('apt-get')) throw new SetUpError(`${need}, and there is no apt here (${howElse})`);
  const { isRoot } = system;
  if (!isRoot && !system.hasProgram('sudo'))
    throw new SetUpError(`${need}, by root or with sudo (${howElse})`);
  if (
    system.isInteractive &&
    !(await system.confirm(`Install ${missing.join(', ')} with apt${isRoot ? '' : ' (sudo)'}?`))
  ) {
    throw new SetUpError(`${need} (${howElse})`);
  }
  say(`installing ${missing.join(', ')} with apt; their services stay off`);
  const code = await system.runAsRoot([installer(root), ...missing, ...whereKnown(wanted)]);
  if (code !== 0) throw new SetUpError(`installing with apt failed (${howElse})`);
  const still = findMissing();
  if (still.length > 0) throw new SetUpError(`apt installed no ${still.join(', ')} (${howElse})`);
}

/**
 * Programs that not every release has, on a system that has everything else: tests that need them are skipped where
 * they are not, so nothing fails.
 */
async function addWhereKnown({ root, wanted, say, system }) {
  const known = wanted.filter((name) => system.knowsPackage(name));
  if (known.length === 0 || !system.isRoot) return;
  say(`installing ${known.join(', ')} with apt; without, some tests are skipped`);
  await system.runAsRoot([installer(root), ...whereKnown(known)]);
}

const installer = (root) => path.join(root, 'scripts/set-up/apt-install.mjs');

const whereKnown = (names) => names.map((name) => `${name}?`);

/** What is missing, as the command of each kind of system; a name of null is packaged nowhere there. */
function describeCommands(missing, elsewhere) {
  return [
    `Debian or Ubuntu: apt install ${missing.join(' ')}`,
    ...Object.entries(elsewhere).flatMap(([name, { command, names }]) => {
      const known = missing
        .map((debian) => (names[debian] === undefined ? debian : names[debian]))
        .filter((there) => there !== null);
      return known.length > 0 ? [`${name}: ${command} ${known.join(' ')}`] : [];
    }),
  ].join('; ');
}
