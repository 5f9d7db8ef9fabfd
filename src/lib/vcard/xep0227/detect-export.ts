/** Tells an export of a server from other XML, by its first bytes. */
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { NS_PIE, NS_PIE_OLD } from './namespaces.js';

/** The root element of an export comes early: before it there may be a declaration and comments. */
const HEAD_BYTES = 8192;

export async function isExportFile(file: string): Promise<boolean> {
  // Whoever reads the file says what is wrong with it.
  const handle = await open(file).catch(() => undefined);
  if (!handle) return false;
  try {
    // A pipe can be read once only.
    if (!(await handle.stat()).isFile()) return false;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return looksLikeExport(buffer.subarray(0, bytesRead)) === true;
  } catch {
    return false;
  } finally {
    await handle.close();
  }
}

/** @returns also the stream with everything in it that was looked at, which may be another one */
export async function isExportStream(given: Readable): Promise<{ isExport: boolean; stream: Readable }> {
  let head: Buffer = Buffer.alloc(0);
  let hasEnded = false;
  while (looksLikeExport(head) === undefined && head.length < HEAD_BYTES && !hasEnded) {
    const chunk = given.read() as Buffer | string | null;
    if (chunk !== null) head = Buffer.concat([head, Buffer.from(chunk as string)]);
    else hasEnded = given.readableEnded || given.destroyed || !(await becomesReadable(given));
  }
  const isExport = looksLikeExport(head) === true;
  // To a stream that has ended nothing can be given back.
  if (hasEnded) return { isExport, stream: Readable.from(head.length > 0 ? [head] : []) };
  given.unshift(head);
  return { isExport, stream: given };
}

/** False: it has ended, or cannot be read. */
function becomesReadable(stream: Readable): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (answer: boolean) => (): void => {
      for (const name of ['readable', 'end', 'close', 'error'] as const) stream.off(name, listeners[name]);
      resolve(answer);
    };
    const listeners = { readable: done(true), end: done(false), close: done(false), error: done(false) };
    for (const name of ['readable', 'end', 'close', 'error'] as const) stream.on(name, listeners[name]);
  });
}

/** Undefined: the root element has not come yet. */
function looksLikeExport(head: Buffer): boolean | undefined {
  const isUtf16 = head[0] === 0xfe || head[0] === 0xff || head[1] === 0;
  const text = (isUtf16 ? head.toString('latin1').replaceAll('\0', '') : head.toString('latin1')).replace(
    /<!--[^]*?-->|<\?[^]*?\?>/g,
    '',
  );
  if (/<!--|<\?/.test(text)) return undefined;
  const start = text.replace(/^(?:\u00ef\u00bb\u00bf|\u00fe\u00ff|\u00ff\u00fe)/, '').trimStart();
  if (start !== '' && !start.startsWith('<')) return false;
  const root = /<(?:[\w.-]+:)?([A-Za-z][\w.-]*)([^>]*)(>?)/.exec(start);
  if (!root) return undefined;
  const [, name, attributes = '', end] = root;
  const isOurs = attributes.includes(NS_PIE) || attributes.includes(NS_PIE_OLD);
  if ((name === 'server-data' || name === 'host') && isOurs) return true;
  return end === '' ? undefined : false;
}
