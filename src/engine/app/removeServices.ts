/** Takes the units and the proxy's site of a project away from a server. */
import { asDurantError } from '../../errors.ts';
import { runScript } from '../run/script.ts';
import type { Run, ServerRun } from '../run/run.ts';
import { applyScript } from './apply.ts';
import { installedScript, parseInstalled } from './installedServices.ts';
import { lookScript, parseLook } from './lookAtServices.ts';
import { obtainSudo, type Sudo } from './privilege.ts';
import type { ServiceSet } from './serviceSet.ts';

/** What of it is there, by the mark that it carries: in the one systemd and the other, and the site beside the first. */
export interface FoundServices {
  readonly set: ServiceSet;
  readonly found: readonly string[];
  readonly sudo: Sudo;
}

/** Looks, and asks for a password where one is needed. @throws {DurantError} `permission-denied`. */
export async function findServices(
  run: Run,
  server: ServerRun,
  signal: AbortSignal,
): Promise<readonly FoundServices[]> {
  const all: FoundServices[] = [];
  for (const manager of ['system', 'user'] as const) {
    const set: ServiceSet = { manager, units: [], site: undefined };
    const { proxy_dir } = run.settings;
    const script = installedScript(
      set,
      server.facts.project,
      manager === 'system' ? proxy_dir : '/nonexistent',
    );
    const there = parseInstalled((await server.connection.exec({ script, signal })).stdout.toString('utf8'));
    if (there.length === 0) continue;
    const looked = await server.connection.exec({ script: lookScript(set, server.facts.project), signal });
    const sudo: Sudo =
      manager === 'user'
        ? { kind: 'none' }
        : await obtainSudo({
            connection: server.connection,
            found: parseLook(looked.stdout.toString('utf8')).sudo,
            user: server.facts.user,
            prompt: run.host.prompt,
            addSecrets: run.addSecrets,
            signal,
          });
    all.push({ set, found: there.map(({ path }) => path.replace(/^unit:/, '')), sudo });
  }
  return all;
}

/** @throws {DurantError} `services-failed`. */
export async function removeServices(
  run: Run,
  server: ServerRun,
  services: readonly FoundServices[],
  signal: AbortSignal,
): Promise<void> {
  for (const { set, sudo } of services) {
    const proxyDir = set.manager === 'system' ? run.settings.proxy_dir : '/nonexistent';
    try {
      const script = applyScript({
        set,
        project: server.facts.project,
        sudo,
        proxyDir,
        serving: [],
        left: 'stopped',
        kept: [],
      });
      await runScript(server, script, { signal });
    } catch (thrown) {
      const error = asDurantError(thrown);
      if (error.code === 'connection-lost' || error.code === 'cancelled') throw error;
      throw error.with({
        code: 'services-failed',
        summary: `The services on ${server.address.entry} could not be removed. ${error.summary}`,
      });
    }
  }
}
