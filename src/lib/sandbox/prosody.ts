import { readdir, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SandboxError } from '../errors.js';
import type { InstalledServer } from './find-server.js';
import type { SandboxPlan, ServerCommand } from './options.js';
import { renderProsodyConfig } from './prosody-config.js';
import { prosodyPlugin } from './prosody-plugin.js';

/** Writes Prosody's files into the sandbox and says how to start it. */
export async function prepareProsody(
  plan: SandboxPlan,
  installed: InstalledServer,
  searchPath: string,
): Promise<ServerCommand> {
  const pluginDir = path.join(plan.dir, 'plugins');
  await mkdir(pluginDir);
  await writeFile(path.join(pluginDir, 'mod_xmppctl_sandbox.lua'), prosodyPlugin);
  const config = path.join(plan.dir, 'prosody.cfg.lua');
  const communityModules = await findCommunityModules(installed.program);
  if (plan.options.clientCertificates && !communityModules.has('mod_auth_ccert')) {
    throw new SandboxError('Prosody has no mod_auth_ccert, which SASL EXTERNAL needs', {
      hint: 'install the package prosody-modules, or use ejabberd',
    });
  }
  await writeFile(config, renderProsodyConfig(plan, pluginDir, communityModules.has('mod_privilege')));
  return {
    program: installed.program,
    args: ['-F', '--config', config],
    env: { PATH: searchPath, HOME: plan.dir, LANG: 'C.UTF-8' },
  };
}

/** The modules of the package prosody-modules are installed beside Prosody's own. */
async function findCommunityModules(program: string): Promise<Set<string>> {
  const prefix = path.join(path.dirname(program), '..');
  const directories = ['lib/prosody/modules', 'lib64/prosody/modules', 'share/prosody/modules'];
  const found = await Promise.all(
    directories.map((directory) => readdir(path.join(prefix, directory)).catch(() => [])),
  );
  return new Set(found.flat());
}
