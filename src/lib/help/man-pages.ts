/** All manual pages: file name → roff. Written into man/ by scripts/man.mjs; a test compares. */
import type { CommandEntry } from '../command/definition.js';
import { commandPage, programPage } from './command-page.js';
import { configPage } from './config-page.js';
import { renderRoff } from './render-roff.js';
import { tracePage } from './trace-page.js';

export async function renderManPages(
  registry: readonly CommandEntry[],
  version: string,
): Promise<ReadonlyMap<string, string>> {
  const definitions = await Promise.all(registry.map((entry) => entry.load()));
  const pages = [programPage(registry), ...definitions.map(commandPage), configPage, tracePage];
  return new Map(
    pages.map((page) => [`${page.name}.${String(page.section)}`, renderRoff(page, version)] as const),
  );
}
