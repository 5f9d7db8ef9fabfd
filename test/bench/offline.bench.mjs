/**
 * An export of ejabberd made into an import for Prosody, beside a straightforward converter in Python with lxml: from
 * start to exit, reading, converting and writing. `--accounts=N` for a quick run.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generateExport } from './generate-export.mjs';
import { bar, measure, median, python, root, show, xmppctl } from './measure.mjs';

const asked = process.argv.find((word) => word.startsWith('--accounts='));
const count = asked === undefined ? 100_000 : Number(asked.slice('--accounts='.length));
const rounds = 3;
const folder = mkdtempSync(path.join(tmpdir(), 'xmppctl-bench-'));
const at = (name) => path.join(folder, name);
const peer = [python, path.join(root, 'test/bench/peers/lxml_convert.py')];
const migrate = (from, to) => [
  ...xmppctl,
  'vcard',
  'migrate',
  '--from',
  from,
  '--to',
  to,
  '--layout',
  'prosody',
  '--force',
];

try {
  generateExport(count, at('export.xml'));
  generateExport(Math.ceil(count / 4), at('quarter.xml'), 4);
  const megabytes = statSync(at('export.xml')).size / 1e6;
  show(`an export of ${count} accounts`, megabytes, 'MB');
  const ours = [];
  const theirs = [];
  const parsed = [];
  // In turns, so that all see the same machine.
  for (let round = 0; round < rounds; round += 1) {
    parsed.push(await measure([...peer, at('export.xml')]));
    ours.push(await measure(migrate(at('export.xml'), at('ours.xml'))));
    theirs.push(await measure([...peer, at('export.xml'), at('theirs.xml')]));
  }
  const seconds = (runs) => median(runs.map(({ wallMs }) => wallMs)) / 1000;
  const peak = (runs) => Math.max(...runs.map(({ peakMiB }) => peakMiB));
  const quarter = await measure(migrate(at('quarter.xml'), at('ours-quarter.xml')));
  const folderOfFiles = await measure(migrate(at('quarter.xml'), at('import')));
  show('lxml, parsing only: the ceiling', megabytes / seconds(parsed), 'MB/s');
  show('lxml, converting and writing', megabytes / seconds(theirs), 'MB/s');
  show('  accounts a second', count / seconds(theirs), '');
  show('ours, of what lxml takes to parse only', (100 * seconds(parsed)) / seconds(ours), '%');
  show('ours, a file for each account', Math.ceil(count / 4) / (folderOfFiles.wallMs / 1000), 'accounts/s');
  show('ours, CPU of both cores', median(ours.map(({ cpuMs }) => cpuMs)) / 1000, 's');
  bar('converted and written', megabytes / seconds(ours), 60, { atLeast: true, unit: ' MB/s' });
  bar('accounts a second', count / seconds(ours), 6000, { atLeast: true });
  bar('times as fast as lxml in Python', seconds(theirs) / seconds(ours), 2, { atLeast: true });
  bar('peak memory', peak(ours), 200, { unit: ' MiB' });
  bar('peak memory, beside that for a quarter of the input', peak(ours) / quarter.peakMiB, 1.25);
} finally {
  rmSync(folder, { recursive: true });
}
