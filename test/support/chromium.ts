/** Pages in a headless Chromium, the one of the system. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  chromium,
  type Browser,
  type BrowserContextOptions,
  type Page as BrowserPage,
} from 'playwright-core';

/** What a page should not do, and what it asked for. */
export interface Watched {
  /** What the page wrote to its console, threw, or was kept from by its policy. */
  complaints: string[];
  /** Requests for anything but its own files. */
  requests: string[];
}

export interface Page extends Readonly<Watched> {
  /** The value of an expression, awaited when it is a promise. */
  evaluate: <T>(expression: string) => Promise<T>;
  /** What it looks like now, as PNG. */
  screenshot: () => Promise<Buffer>;
  close: () => Promise<void>;
}

export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}

/** A page in a window of its own, when it has been loaded. */
export async function openAt(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<BrowserPage & { watched: Watched }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
  const watched: Watched = { complaints: [], requests: [] };
  page.on('console', (message) => watched.complaints.push(message.text()));
  page.on('pageerror', (error) => watched.complaints.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(path.posix.dirname(`${url}x`))) watched.requests.push(request.url());
  });
  await page.goto(url);
  return Object.assign(page, { watched });
}

/** Opens a file and resolves when it has been loaded. */
export async function openPage(file: string): Promise<Page> {
  const browser = await startBrowser();
  const page = await openAt(browser, pathToFileURL(file).href);
  return {
    ...page.watched,
    evaluate: <T>(expression: string) => page.evaluate<T>(expression),
    screenshot: () => page.screenshot(),
    close: () => browser.close(),
  };
}
