/**
 * What `trace proxy` costs: pings and a flood of messages over bare TLS sockets to a bare server, directly and through
 * the proxy while it records, in turns; and many connections at once. `--connections=500`, `--megabytes=64`
 *
 * Client and server are this one process, so that on a machine with two cores the proxy has one of them: what is
 * compared is the proxy's work with that of the two ends, not three processes with two. The bar on throughput is for a
 * server that reads the XML it is sent, as every server does; what a socket takes that nobody reads from is shown beside it.
 */
import { statSync } from 'node:fs';
import { flood, login, ping, startBareProxy } from './bare-proxy.mjs';
import { bar, median, peakOf, show } from './measure.mjs';

const option = (name, fallback) =>
  Number(process.argv.find((word) => word.startsWith(`--${name}=`))?.split('=')[1] ?? fallback);
const connections = option('connections', 500);
const megabytes = option('megabytes', 64);
const pings = 1500;
const rounds = 5;

const proxy = await startBareProxy();
try {
  const ways = { direct: proxy.direct, proxied: proxy.proxied };
  const trips = { direct: [], proxied: [] };
  const rates = { direct: [], proxied: [] };
  const readRates = { direct: [], proxied: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const stream = await login(way);
      trips[name].push(median(await ping(stream, pings)));
      rates[name].push(await flood(stream, megabytes));
      stream.destroy();
      const readStream = await login(way, 'reader');
      readRates[name].push(await flood(readStream, megabytes / 2));
      readStream.destroy();
    }
  }
  const [direct, proxied] = [median(trips.direct), median(trips.proxied)];
  show('round trip of a ping, directly (p50)', direct * 1000, 'µs');
  show('round trip of a ping, through the proxy (p50)', proxied * 1000, 'µs');
  bar('added to a round trip (p50)', proxied - direct, 0.3, { unit: ' ms' });
  show('bytes a second that a server reads, directly', median(readRates.direct), 'MB/s');
  show('the same through the proxy while it records', median(readRates.proxied), 'MB/s');
  const throughput = median(readRates.proxied) / median(readRates.direct);
  bar('throughput through the proxy / directly', throughput, 0.5, { atLeast: true });
  show('bytes a second that nobody reads, directly', median(rates.direct), 'MB/s');
  show('the same through the proxy while it records', median(rates.proxied), 'MB/s');
  show('recorded', statSync(proxy.recording).size / 1e6, 'MB');
  show('peak memory of the proxy', peakOf(proxy.pid), 'MiB');

  const started = performance.now();
  const many = await Promise.all(Array.from({ length: connections }, () => login(ways.proxied)));
  show(`logins of ${connections} connections at once`, performance.now() - started, 'ms');
  const answered = await Promise.all(many.map((stream) => ping(stream, 5)));
  bar('connections at once that are served', answered.length, connections, { atLeast: true });
  show(`peak memory of the proxy with ${connections} connections`, peakOf(proxy.pid), 'MiB');
  for (const stream of many) stream.destroy();
} finally {
  await proxy.close();
}
