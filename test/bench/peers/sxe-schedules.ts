/** Random sessions of 2 to 5, as the unit tests make a few of: whether all have the same in the end. Prints one JSON object. */
import { randomFrom, Simulation } from '../../unit/sxe/simulation.js';

const [, , count = '20000', firstSeed = '1'] = process.argv;
const started = performance.now();
const failed: { seed: number; problems: string[] }[] = [];
for (let run = 0; run < Number(count); run++) {
  const seed = Number(firstSeed) + run;
  const random = randomFrom(seed);
  const simulation = new Simulation(seed, {
    participants: 2 + Math.floor(random() * 4),
    steps: 10 + Math.floor(random() * 90),
  });
  simulation.run();
  const problems = simulation.problems();
  if (problems.length > 0) failed.push({ seed, problems });
}
process.stdout.write(
  JSON.stringify({ count: Number(count), failed, seconds: (performance.now() - started) / 1000 }),
);
