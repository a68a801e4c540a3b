/** A stage of a durant.conf as a run takes it: checked, its value resolvers run. Both front ends open stages here. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { localShell, platform } from '../../platform.ts';
import type { ConfDocument } from '../../config/syntax/document.ts';
import { resolvePipeline } from '../../config/values/pipelineGoals.ts';
import { secretFromEnvironment } from '../../config/values/resolvers.ts';
import { resolveForRun } from '../../config/values/runSettings.ts';
import { requireValid } from '../../config/rules/validate.ts';
import type { ValueIo } from '../../config/values/settings.ts';
import { runLocally } from '../source/localCommand.ts';
import type { Host } from '../ports.ts';
import type { StageRequest } from './run.ts';
import { selectServers } from './serverChoice.ts';

export interface StageOpening {
  readonly doc: ConfDocument;
  /** Absolute path of the durant.conf that `doc` was read from. */
  readonly file: string;
  readonly stage: string;
  /** Entries or hosts; empty: all servers of the stage. */
  readonly servers: readonly string[];
  /** Of those, the servers with one of these roles; empty or undefined: all. */
  readonly roles?: readonly string[] | undefined;
  /** Whether the goals of its pipeline are wanted, too; their resolvers may ask for secrets. */
  readonly goals: 'with goals' | 'without goals';
}

/**
 * The caller vouches that the project is trusted: commands of `sh!` values run here, and its goals may be code.
 * @throws {DurantError} `config-invalid`, `unknown-stage`, and what resolvers fail with.
 */
export async function openStage(
  { doc, file, stage, servers, roles = [], goals }: StageOpening,
  host: Host,
  signal: AbortSignal,
): Promise<StageRequest> {
  const warnings = requireValid(doc, stage);
  const io = valueIo(dirname(file), host, signal);
  const { settings, processes, secrets } = await resolveForRun(doc, stage, io);
  return {
    stage,
    settings,
    processes,
    secrets,
    file,
    servers: selectServers(settings.server, { servers, roles }, settings.ssh_port),
    ...(goals === 'with goals' ? { pipeline: await resolvePipeline(doc, settings.pipeline, io) } : {}),
    // The others are there to be read while durant.conf is written: a run would repeat them every time.
    warnings: warnings.filter(({ code }) => code === 'hook-never-runs'),
    trusted: true,
  };
}

function valueIo(cwd: string, { env, prompt }: Host, signal: AbortSignal): ValueIo {
  const place = { cwd, env };
  return {
    env,
    signal,
    runShell: (command, stop) =>
      runLocally({
        ...place,
        program: localShell(platform, place.env, existsSync),
        args: ['-c', command],
        signal: stop,
      }),
    secret: async (name, stop) =>
      secretFromEnvironment(name, env) ??
      (await prompt({ kind: 'secret', server: null, message: `The secret ${name}`, name }, stop)),
    gpg: async (message, stop) => {
      const { status, stdout, stderr } = await runLocally({
        ...place,
        program: 'gpg',
        args: ['--quiet', '--decrypt'],
        input: message,
        signal: stop,
      });
      if (status !== 0)
        throw new Error(stderr.trim() === '' ? `gpg ended with status ${String(status)}` : stderr.trim());
      return stdout;
    },
  };
}
