import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { SandboxError } from '../errors.js';
import { renderEjabberdConfig } from './ejabberd-config.js';
import type { InstalledServer } from './find-server.js';
import type { SandboxPlan, ServerCommand } from './options.js';

/** Writes ejabberd's files into the sandbox and says how to start it. */
export async function prepareEjabberd(
  plan: SandboxPlan,
  installed: InstalledServer,
  searchPath: string,
): Promise<ServerCommand> {
  const config = path.join(plan.dir, 'ejabberd.yml');
  const inetrc = path.join(plan.dir, 'inetrc');
  await mkdir(path.join(plan.dataDir, 'mnesia'), { recursive: true });
  await writeFile(config, renderEjabberdConfig(plan, apiSocket(plan.dir)));
  // No DNS: nothing leaves this machine.
  await writeFile(inetrc, '{lookup, [file]}.\n{edns, 0}.\n');
  return {
    program: installed.program,
    // Without a node name there is no Erlang distribution: no epmd, no port of its own, no cookie.
    args: [
      '-noinput',
      ...['+K', 'true', '+S', '2', '+P', '250000'],
      ...['-mnesia', 'dir', JSON.stringify(path.join(plan.dataDir, 'mnesia'))],
      ...['-ejabberd', 'quiet', 'false'],
      ...['-s', 'ejabberd'],
    ],
    env: {
      PATH: searchPath,
      HOME: plan.dir,
      LANG: 'C.UTF-8',
      ...(installed.erlLibs !== undefined && { ERL_LIBS: installed.erlLibs }),
      ERL_INETRC: inetrc,
      ERL_CRASH_DUMP_BYTES: '0',
      EJABBERD_CONFIG_PATH: config,
      EJABBERD_LOG_PATH: path.join(plan.dir, 'ejabberd.log'),
    },
  };
}

/** Sun's limit of some 100 characters for the path of a socket leaves room: the directory is a short one in /tmp. */
function apiSocket(dir: string): string {
  return path.join(dir, 'api');
}

/** Registers the accounts through ejabberd's command interface, which answers as soon as the server is up. */
export async function registerEjabberdAccounts(plan: SandboxPlan): Promise<void> {
  for (const [user, { password }] of Object.entries(plan.accounts)) {
    for (const host of [
      plan.domain,
      ...(plan.options.clientCertificates ? [plan.addresses.certificates] : []),
    ]) {
      const { status, text } = await callApi(plan.dir, 'register', { user, host, password });
      // 409: the account is there since before a restart.
      if (status !== 200 && status !== 409) {
        throw new SandboxError(`ejabberd would not register ${user}@${host}: ${status} ${text}`);
      }
    }
  }
}

function callApi(dir: string, name: string, args: object): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath: apiSocket(dir),
        path: `/api/${name}`,
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, text });
        });
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(JSON.stringify(args));
  });
}
