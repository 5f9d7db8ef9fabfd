/** Whether a program of others can be run here; a test that needs one that cannot be had is skipped. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

export function hasProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
