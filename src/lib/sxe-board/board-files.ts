/** The files of the page, as the build has put them beside the program. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BoardFiles } from './board-server.js';

export async function readBoardFiles(folder: string): Promise<BoardFiles> {
  const read = (name: string): Promise<string> => readFile(path.join(folder, name), 'utf8');
  const [html, css, script, icon] = await Promise.all(
    ['index.html', 'page.css', 'page.js', 'icon.svg'].map(read),
  );
  return { html: html ?? '', css: css ?? '', script: script ?? '', icon: icon ?? '' };
}
