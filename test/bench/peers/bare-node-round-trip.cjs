/** A message there and one back, between two sessions of bare sockets: `bare-node-round-trip.cjs N` prints N times in ms. */
const { login, domain } = require('./bare-session.cjs');

async function measure(count) {
  const [alice, bob] = [await login('alice'), await login('bob')];
  for (const session of [alice, bob]) session.write('<presence/>');
  await bob.until('<presence');
  const times = [];
  for (let number = 0; number < count; number += 1) {
    const started = performance.now();
    alice.write(`<message to='bob@${domain}' type='chat'><body>there${number}.</body></message>`);
    await bob.until(`there${number}.`);
    bob.write(`<message to='alice@${domain}' type='chat'><body>back${number}.</body></message>`);
    await alice.until(`back${number}.`);
    times.push(performance.now() - started);
  }
  return times;
}

void measure(Number(process.argv[2])).then((times) => {
  process.stdout.write(JSON.stringify(times));
  process.exit(0);
});
