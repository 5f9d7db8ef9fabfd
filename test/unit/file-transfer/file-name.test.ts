import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { candidateNames, safeFileName } from '../../../src/lib/file-transfer/storing/file-name.js';

describe('safeFileName', () => {
  it.each([
    ['report.pdf', 'report.pdf'],
    ['Übersicht 2026 – final.ods', 'Übersicht 2026 – final.ods'],
    ['../../etc/passwd', 'passwd'],
    ['/etc/passwd', 'passwd'],
    ['C:\\Windows\\system32\\evil.dll', 'evil.dll'],
    ['..\\..\\evil.bat', 'evil.bat'],
    ['folder/', 'folder'],
    ['..', 'file'],
    ['.', 'file'],
    ['../..', 'file'],
    ['', 'file'],
    ['   ', 'file'],
    ['////', 'file'],
    [undefined, 'file'],
    ['.bashrc', '_bashrc'],
    ['...hidden', '_hidden'],
    ['-rf', '_rf'],
    ['--output=x', '_output=x'],
    ['a.txt. . .', 'a.txt'],
    ['  a.txt  ', 'a.txt'],
    ['CON', '_CON'],
    ['nul.txt', '_nul.txt'],
    ['com1.tar.gz', '_com1.tar.gz'],
    ['LPT¹', '_LPT¹'],
    ['aux .txt', '_aux .txt'],
    ['console.txt', 'console.txt'],
    ['a:b?c*d|e"f<g>h.txt', 'a_b_c_d_e_f_g_h.txt'],
    ['a\u0000b.txt', 'a_b.txt'],
    ['line\nbreak\ttab.txt', 'line_break_tab.txt'],
    ['\u001b]0;title\u0007\u001b[2Jx.txt', '_]0;title__[2Jx.txt'],
    ['photo\u202egnp.exe', 'photo_gnp.exe'],
    ['zero\u200bwidth\ufeff.txt', 'zero_width_.txt'],
    ['half\ud800pair.txt', 'half_pair.txt'],
    // One letter with its accent, and the two that make it, look the same.
    ['cafe\u0301.txt', 'caf\u00e9.txt'],
    ['movie.mkv.part', 'movie.mkv.part_'],
    ['x.PART.JSON', 'x.PART.JSON_'],
    ['x.part.lock', 'x.part.lock_'],
    ['👩\u200d💻.png', '👩\u200d💻.png'],
  ])('%j becomes %j', (name, expected) => {
    expect(safeFileName(name)).toBe(expected);
  });

  it('cuts what is too long at the end of a character, and keeps the ending', () => {
    const long = safeFileName(`${'ä'.repeat(150)}.tar.gz`);
    expect(long).toMatch(/^ä+\.tar\.gz$/);
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(200);
    expect(Buffer.byteLength(long)).toBeGreaterThan(195);
    expect(Buffer.byteLength(safeFileName(`a.${'b'.repeat(300)}`))).toBeLessThanOrEqual(200);
    expect(Buffer.byteLength(safeFileName('😀'.repeat(100)))).toBe(200);
  });

  it('gives, whatever comes, one component that stays what it is and can be a file', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'names-'));
    const nasty = fc.constantFrom(
      '.',
      '/',
      '\\',
      '-',
      ' ',
      '\u0000',
      '\u202e',
      'con',
      '.part',
      'a',
      '\u0301',
      '😀',
    );
    const names = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.array(nasty, { maxLength: 40 }).map((parts) => parts.join('')),
    );
    try {
      await fc.assert(
        fc.asyncProperty(names, async (name) => {
          const safe = safeFileName(name);
          expect(safeFileName(safe)).toBe(safe);
          expect(path.basename(safe)).toBe(safe);
          expect(path.win32.basename(safe)).toBe(safe);
          expect(safe).not.toMatch(/^[.-]|[. ]$|\.part$/i);
          expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(205);
          const file = path.join(folder, safe);
          await writeFile(file, '', { flag: 'wx' });
          await rm(file);
        }),
        { numRuns: 300 },
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

it('candidateNames numbers before the ending', () => {
  const firstThree = (name: string) => [...candidateNames(name)].slice(0, 3);
  expect(firstThree('a.txt')).toEqual(['a.txt', 'a (1).txt', 'a (2).txt']);
  expect(firstThree('a.tar.gz')).toEqual(['a.tar.gz', 'a (1).tar.gz', 'a (2).tar.gz']);
  expect(firstThree('README')).toEqual(['README', 'README (1)', 'README (2)']);
});
