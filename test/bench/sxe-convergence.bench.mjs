/** 20,000 random sessions of shared editing, or `--schedules=N`, from `--seed=N` on. */
import { bar, show } from './measure.mjs';
import { runBundled } from './bundled.mjs';

const option = (name, otherwise) =>
  process.argv.find((word) => word.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise;
const { count, failed, seconds } = await runBundled(
  'sxe-schedules',
  option('schedules', '20000'),
  option('seed', '1'),
);
for (const { seed, problems } of failed.slice(0, 20)) console.log(`  seed ${seed}: ${problems.join('; ')}`);
show('schedules', count / seconds, '/s');
bar(`of ${count} schedules those that diverge or lose a word`, failed.length, 0);
