/** Which files an export is in, told by their first bytes and their names. */
import { statSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { FileError } from '../../errors.js';
import { reasonOf } from '../../config/private-file.js';

/** A reference is a URI, in which some characters of file names must be escaped. */
export function decodeHref(href: string): string {
  try {
    return decodeURIComponent(href);
  } catch {
    return href;
  }
}

/** What the root of a file is: an account on its own has no host, so it must be included from one. */
export async function rootLevel(file: string): Promise<'server-data' | 'host'> {
  const name = await rootName(file);
  return name === 'host' ? 'host' : 'server-data';
}

/** The name of the first element, as far as the first bytes show it. */
async function rootName(file: string): Promise<string | undefined> {
  const markup = (await readHead(file)).replace(/<!--[^]*?-->|<\?[^]*?\?>/g, '');
  return /<(?:[\w.-]+:)?([A-Za-z][\w.-]*)/.exec(markup)?.[1];
}

/** The first bytes of a file as text. What cannot be looked into without being read is not looked into. */
async function readHead(file: string): Promise<string> {
  try {
    const handle = await open(file);
    try {
      if (!(await handle.stat()).isFile()) return '';
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(8192), 0, 8192, 0);
      const head = buffer.subarray(0, bytesRead);
      const isUtf16 = head[0] === 0xfe || head[0] === 0xff || head[0] === 0 || head[1] === 0;
      return isUtf16 ? head.toString('latin1').replaceAll('\0', '') : head.toString('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new FileError(`cannot read ${file}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The files of a folder that are read one after the other: those of single accounts, or the main file of an export. */
export async function findExportFiles(folder: string): Promise<string[]> {
  let names;
  try {
    names = (await readdir(folder)).filter((name) => name.endsWith('.xml'));
  } catch (error) {
    throw new FileError(`cannot read ${folder}: ${reasonOf(error)}`, { cause: error });
  }
  const accounts = names.filter((name) => name.includes('@'));
  if (accounts.length > 0 && accounts.length === names.length) {
    return sortByHost(accounts).map((name) => path.join(folder, name));
  }
  const mains: string[] = [];
  for (const name of names.sort()) {
    if ((await rootName(path.join(folder, name))) === 'server-data') mains.push(name);
  }
  if (mains.length > 1) {
    throw new FileError(`there are several exports in ${folder}: ${mains.slice(0, 4).join(', ')}`, {
      hint: 'name the one you mean',
    });
  }
  if (mains.length === 0) {
    throw new FileError(`there is no export in ${folder}: no file of it has <server-data/> as its root`);
  }
  return mains.map((name) => path.join(folder, name));
}

function sortByHost(names: readonly string[]): string[] {
  const keyed = names.map((name) => ({ name, key: `${name.slice(name.lastIndexOf('@') + 1)}\0${name}` }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ name }) => name);
}

/** Bytes of the files of an export; those that a main file includes are looked for beside it. */
export async function sizeOfExport(files: readonly string[]): Promise<number> {
  let bytes = 0;
  const [first] = files;
  const all = new Set(files.map((file) => path.resolve(file)));
  if (first !== undefined && files.length === 1) {
    const text = await readHead(first);
    for (const [, href = ''] of text.matchAll(/include\s[^>]*?href\s*=\s*["']([^"']+)["']/g))
      all.add(path.resolve(path.dirname(first), decodeHref(href)));
  }
  for (const file of all) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isFile()) bytes += found.size;
  }
  return bytes;
}
