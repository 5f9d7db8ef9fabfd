/**
 * Draws docs/trace.png for the README: the page that `trace export` makes of what really happened when a message was
 * sent on a local server, in a headless Chromium.
 *
 *     node scripts/trace-picture.mjs
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { withPage } from '../test/bench/chromium-page.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const xmppctl = [process.execPath, path.join(root, 'bin/xmppctl.js')];
const folder = mkdtempSync(path.join(tmpdir(), 'xmppctl-picture-'));
try {
  const trace = path.join(folder, 'hello.trace');
  const html = path.join(folder, 'hello.html');
  const story = `
    xmppctl --account bob listen --count 1 > /dev/null 2>&1 &
    xmppctl --account alice send bob@sandbox.localhost 'How happy is the blameless vestal’s lot!' --trace="$1"`;
  run('sandbox', 'run', '--server', 'prosody', '--', 'sh', '-c', story, 'sh', trace);
  run('trace', 'export', trace, '-o', html);
  const picture = await withPage(html, async ({ evaluate, screenshot }) => {
    // The message, opened beside the list.
    await evaluate(`(async () => {
      const row = [...document.querySelectorAll('#rows .row')].find(({ textContent }) => /message chat/.test(textContent));
      row.click();
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    })()`);
    return screenshot();
  });
  writeFileSync(path.join(root, 'docs/trace.png'), picture);
} finally {
  rmSync(folder, { recursive: true });
}

function run(...args) {
  execFileSync(xmppctl[0], [xmppctl[1], ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
}
