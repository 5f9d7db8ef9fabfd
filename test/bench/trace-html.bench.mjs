/** How soon Chromium shows the page of a recording with 100,000 events, and how it scrolls. `--events=100000` */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { withPage } from './chromium-page.mjs';
import { bar, median, show, xmppctl } from './measure.mjs';

const events = Number(process.argv.find((word) => word.startsWith('--events='))?.split('=')[1] ?? 100_000);
const rounds = 3;

const folder = mkdtempSync(path.join(tmpdir(), 'xmppctl-bench-'));
try {
  const trace = path.join(folder, 'a.trace');
  writeFileSync(trace, recording(events));
  const html = path.join(folder, 'a.html');
  const started = performance.now();
  const [program, ...args] = [...xmppctl, 'trace', 'export', trace, '-o', html];
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the page could not be made: ${stderr}`);
  show('trace export --format html', performance.now() - started, 'ms');
  show('size of the page', statSync(html).size / 1e6, 'MB');
  const paints = [];
  const opens = [];
  const frames = [];
  for (let round = 0; round < rounds; round += 1) {
    await withPage(html, async ({ evaluate }) => {
      paints.push(
        await evaluate(`(async () => {
          for (;;) {
            const [paint] = performance.getEntriesByName('first-contentful-paint');
            if (paint) return paint.startTime;
            await new Promise(requestAnimationFrame);
          }
        })()`),
      );
      // The script has run by then, and the rows are there.
      opens.push(await evaluate("performance.getEntriesByType('navigation')[0].domComplete"));
      const shown = await evaluate("document.getElementById('count').textContent");
      if (!shown.startsWith(String(events))) throw new Error(`the page shows ${shown}`);
      frames.push(
        await evaluate(`(async () => {
          const list = document.getElementById('list');
          const started = performance.now();
          for (let step = 1; step <= 60; step += 1) {
            list.scrollTop = (list.scrollHeight * step) / 60;
            await new Promise(requestAnimationFrame);
          }
          return (performance.now() - started) / 60;
        })()`),
      );
    });
  }
  show('a frame while it is scrolled from end to end', median(frames), 'ms');
  bar(`opening a page of ${events} events, with its rows`, median(opens) / 1000, 1.5, { unit: ' s' });
  bar(`first paint of a page of ${events} events`, median(paints) / 1000, 1.5, { unit: ' s' });
} finally {
  rmSync(folder, { recursive: true });
}

function recording(count) {
  const lines = [
    '{"kind":"header","format":"xmppctl-trace","version":1,"started":"2026-01-31T10:00:00.000Z","tool":"bench","redacted":true}',
  ];
  for (let n = 1; n <= count; n += 1) {
    const isRequest = n % 2 === 1;
    const id = `i${Math.ceil(n / 2)}`;
    const text = isRequest
      ? `<iq type='get' id='${id}' to='bob@b.example/x'><ping xmlns='urn:xmpp:ping'/></iq>`
      : `<iq type='result' id='${id}' from='bob@b.example/x' to='alice@a.example/y'/>`;
    lines.push(JSON.stringify({ n, t: n, conn: 1, kind: 'data', dir: isRequest ? 'out' : 'in', text }));
  }
  return `${lines.join('\n')}\n`;
}
