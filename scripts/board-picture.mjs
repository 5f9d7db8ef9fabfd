/**
 * Draws docs/board.png, for the README: two people draw on one whiteboard, through a server that is started for it.
 *
 *     node scripts/board-picture.mjs
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const script = fileURLToPath(import.meta.url);
const root = path.join(path.dirname(script), '..');
const xmppctl = path.join(root, 'bin/xmppctl.js');
const room = `orchard@${process.env.XMPPCTL_SANDBOX_MUC}`;

if (process.argv[2] === '--inside') await draw();
else {
  const { status } = spawnSync(
    process.execPath,
    [xmppctl, 'sandbox', 'run', '--', process.execPath, script, '--inside'],
    {
      stdio: 'inherit',
    },
  );
  process.exitCode = status ?? 1;
}

async function draw() {
  const folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-picture-'));
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  const alice = await openBoard(
    browser,
    'alice',
    path.join(folder, 'plan.svg'),
    '--room',
    room,
    '--name',
    'garden plan',
  );
  const bob = await openBoard(browser, 'bob', '--join', room);
  for (const picture of [drawHouse, drawPond, drawBeds]) await picture(alice.page);
  await drawTrees(bob.page);
  await alice.page.locator('#drawing text', { hasText: 'apples' }).waitFor();
  await alice.page.locator('#tags span').waitFor();
  await alice.page.locator('[data-tool="pen"]').click();
  await alice.page.mouse.move(640, 330);
  await alice.page.screenshot({ path: path.join(root, 'docs/board.png') });
  for (const { child } of [alice, bob]) child.kill('SIGINT');
  await browser.close();
  await rm(folder, { recursive: true });
}

async function openBoard(browser, account, ...args) {
  const child = spawn(process.execPath, [xmppctl, 'sxe', 'board', ...args, '--account', account], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise((resolve) =>
    child.stdout.once('data', (text) => resolve(String(text).trim())),
  );
  const page = await browser.newPage({ viewport: { width: 1000, height: 620 } });
  await page.goto(url);
  await page.locator('#drawing > g').waitFor({ state: 'attached' });
  return { child, page };
}

async function choose(page, tool, colour) {
  await page.click(`[data-tool="${tool}"]`);
  await page.click(`[aria-label="${colour}"]`);
}

async function drag(page, [first, ...others]) {
  await page.mouse.move(...first);
  await page.mouse.down();
  for (const place of others) await page.mouse.move(...place, { steps: 3 });
  await page.mouse.up();
}

async function write(page, colour, [x, y], text) {
  await choose(page, 'text', colour);
  await page.mouse.click(x, y);
  await page.locator('#text-input').fill(text);
  await page.keyboard.press('Enter');
}

async function drawHouse(page) {
  await choose(page, 'rect', 'black');
  await drag(page, [
    [150, 330],
    [290, 450],
  ]);
  await choose(page, 'line', 'red');
  await drag(page, [
    [140, 332],
    [220, 260],
  ]);
  await drag(page, [
    [220, 260],
    [300, 332],
  ]);
  await choose(page, 'rect', 'orange');
  await drag(page, [
    [200, 385],
    [232, 448],
  ]);
  await write(page, 'black', [165, 362], 'house');
}

async function drawPond(page) {
  await choose(page, 'pen', 'blue');
  const shore = Array.from({ length: 49 }, (_, step) => {
    const angle = (step / 48) * 2 * Math.PI;
    const radius = 1 + 0.12 * Math.sin(3 * angle) + 0.06 * Math.cos(5 * angle);
    return [475 + Math.cos(angle) * 95 * radius, 400 + Math.sin(angle) * 52 * radius];
  });
  await drag(page, shore);
  for (const [x, y] of [
    [430, 390],
    [480, 420],
  ])
    await drag(
      page,
      Array.from({ length: 17 }, (_, step) => [x + step * 3, y + Math.sin(step / 1.6) * 4]),
    );
  await write(page, 'blue', [455, 408], 'pond');
}

async function drawBeds(page) {
  for (const [row, name] of ['beans', 'tomatoes', 'pumpkins'].entries()) {
    await choose(page, 'rect', 'green');
    await drag(page, [
      [640, 150 + row * 62],
      [830, 195 + row * 62],
    ]);
    await write(page, 'green', [660, 179 + row * 62], name);
  }
}

async function drawTrees(page) {
  for (const [x, y] of [
    [190, 150],
    [290, 185],
    [390, 140],
  ]) {
    await choose(page, 'line', 'orange');
    await drag(page, [
      [x, y + 28],
      [x, y + 68],
    ]);
    await choose(page, 'ellipse', 'green');
    await drag(page, [
      [x - 32, y - 32],
      [x + 32, y + 30],
    ]);
  }
  await write(page, 'red', [365, 146], 'apples');
}
