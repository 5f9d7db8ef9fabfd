/** Real servers for tests: the same body on Prosody and on ejabberd. A server that is not installed is a failure. */
import { afterAll, beforeAll, describe } from 'vitest';
import type { SandboxOptions, ServerName } from '../../src/lib/sandbox/options.js';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { startSandbox } from '../../src/lib/sandbox/start-sandbox.js';
import { serverNames } from './server-names.js';

/** The server of a describe block: valid inside its tests and hooks. */
export interface ServerUnderTest {
  readonly name: ServerName;
  readonly sandbox: Sandbox;
}

/**
 * Runs `body` once for each server, with one sandbox for all of its tests. Tests that change what others see
 * (accounts, rooms, nodes) use names of their own.
 */
export function describeOnEachServer(
  title: string,
  body: (server: ServerUnderTest) => void,
  options: SandboxOptions | ((name: ServerName) => SandboxOptions) = {},
): void {
  for (const name of serverNames) {
    describe(`${title} on ${name}`, () => {
      let sandbox: Sandbox | undefined;
      beforeAll(async () => {
        sandbox = await startSandbox({
          server: name,
          searchPath: process.env['PATH'],
          ...(typeof options === 'function' ? options(name) : options),
        });
      });
      afterAll(async () => {
        await sandbox?.stop();
      });
      body({
        name,
        get sandbox() {
          if (!sandbox) throw new Error('the sandbox runs only during tests and hooks');
          return sandbox;
        },
      });
    });
  }
}
