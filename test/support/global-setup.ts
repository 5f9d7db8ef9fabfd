/**
 * Runs once before a ring that needs real servers: a missing server fails the ring at once, with what to install,
 * instead of failing every test in its own way.
 */
import { findServer, usualPath } from '../../src/lib/sandbox/find-server.js';
import { serverNames } from './server-names.js';

export async function setup(): Promise<void> {
  const searchPath = usualPath(process.env['PATH']);
  for (const name of serverNames) await findServer(name, searchPath);
}
