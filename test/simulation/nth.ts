/**
 * The N-th failure: every external command that a run starts on a server fails at its N-th call, for each N until the run passes untouched.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Operation } from './client.ts';
import { Violation, watch, type Watch } from './invariants.ts';
import { flawOf, leftoversOf } from './look.ts';
import { commitId, filesOf } from './repository.ts';
import type { SimulatedServer } from './server.ts';
import type { Surroundings } from './surroundings.ts';
import { makeStage } from './stage.ts';
import { ALL, writeWrappers } from './wrappers.ts';

/** What is tried: how the servers came to where they are, and the operation that meets the failure. */
export interface Trial {
  readonly name: string;
  readonly servers: number;
  readonly conf: readonly string[];
  readonly before: readonly Operation[];
  readonly operation: Operation;
  /** The version that is live once the operation has succeeded. */
  readonly version: number;
}

const deploy = (version: number): Operation => ({
  kind: 'deploy',
  version,
  again: false,
  waitMs: 0,
  only: [],
});

export const TRIALS: readonly Trial[] = [
  { name: 'first deploy', servers: 1, conf: [], before: [], operation: deploy(1), version: 1 },
  {
    name: 'deploy',
    servers: 2,
    conf: ['keep_releases = 2', 'shared_dirs = storage'],
    before: [deploy(1), deploy(2)],
    operation: deploy(3),
    version: 3,
  },
  {
    name: 'rollback',
    servers: 2,
    conf: ['health_check = test -d .'],
    before: [deploy(1), deploy(2)],
    operation: { kind: 'rollback', release: undefined, waitMs: 0, only: [] },
    version: 1,
  },
  {
    name: 'prune',
    servers: 1,
    conf: [],
    before: [deploy(1), deploy(2), deploy(3)],
    operation: { kind: 'prune', keep: 1 },
    version: 3,
  },
  {
    name: 'inplace',
    servers: 1,
    conf: ['strategy = inplace', 'delete = yes'],
    before: [deploy(1), deploy(2)],
    operation: deploy(3),
    version: 3,
  },
];

export interface TrialWorld {
  /** Runs the operation with its N-th command on the first server failing; then checks, and runs it again. */
  attempt(n: number): Promise<Attempt>;
  remove(): void;
}

export interface Attempt {
  /** The command that failed, with its arguments; undefined where the run made fewer than N calls. */
  readonly failed: string | undefined;
  /** What was broken; undefined for nothing. */
  readonly violation: string | undefined;
  /** How the run ended that met the failure. */
  readonly ended: string;
}

/** @param folder a new one. */
export async function prepareTrial(
  trial: Trial,
  { folder, trees, shells }: Surroundings,
): Promise<TrialWorld> {
  const state = join(folder, 'state');
  const stage = makeStage({ folder: state, trees, shells, servers: trial.servers, conf: trial.conf });
  const bin = join(folder, 'bin');
  const calls = join(folder, 'calls');
  writeWrappers(ALL, { bin, calls }, FAIL_AT(calls));
  const inplace = trial.conf.includes('strategy = inplace');
  const watched = (): { watch?: Watch } => (inplace ? {} : { watch: watch(stage.servers) });

  for (const operation of trial.before) {
    const { ended } = await stage.run(operation);
    if (ended !== 'ok') throw new Error(`The trial ${trial.name} could not be set up: ${ended}`);
  }
  const kept = join(folder, 'kept');
  cpSync(state, kept, COPY);

  const isThere = (): void => {
    for (const { site, entry } of stage.servers) {
      const flaw = inplace ? inplaceFlaw(site, trial.version) : releaseFlaw(site, trial.version);
      if (flaw !== undefined) throw new Violation(`${entry}: in the end ${flaw}`);
    }
  };
  return {
    async attempt(n) {
      for (const path of [state, calls]) rmSync(path, { recursive: true, force: true });
      cpSync(kept, state, COPY);
      mkdirSync(calls);
      writeFileSync(join(calls, 'at'), `${n}\n`);
      let ended = '';
      let violation: string | undefined;
      try {
        const first = await stage.run(trial.operation, { path: bin, ...watched() });
        ended = first.ended;
        if (ended !== 'ok' || trial.operation.kind !== 'rollback') {
          const again = await stage.run(trial.operation, watched());
          if (again.ended !== 'ok') throw new Violation(`run again, it fails: ${again.ended}`);
        }
        isThere();
        // What one run could not remove goes with the next that does anything.
        if (leftOf(stage.servers, inplace).length > 0) {
          const { ended: last } = await stage.run(deploy(6), watched());
          const left = leftOf(stage.servers, inplace);
          if (last !== 'ok' || left.length > 0)
            throw new Violation(`left behind: ${left.join(', ')}; ${last}`);
        }
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        violation = error.message;
      }
      const failed = join(calls, `call.${n}`);
      return {
        failed: existsSync(failed) ? readFileSync(failed, 'utf8').trim() : undefined,
        violation,
        ended,
      };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const COPY = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true } as const;

/** What a command says and answers that could not do its work; 1 would mean "differs" or "not found" of some. */
const FAIL_AT = (calls: string): string => `read -r at < ${calls}/at
if [ "$n" = "$at" ]; then echo "$name: Input/output error" >&2; case $name in grep|cmp) exit 2;; *) exit 1;; esac; fi
exec $real "$@"`;

function releaseFlaw(site: string, version: number): string | undefined {
  const { current } = watch([{ entry: 'web', home: join(site, '..'), site }]).look('web');
  if (current === null) return 'nothing is live';
  const revision = readFileSync(join(site, current, 'REVISION'), 'utf8').trim();
  return revision === commitId(version)
    ? flawOf(site, current)
    : `${current} is live, and not version ${version}`;
}

/** With strategy inplace only the end is looked at: the files of the version, and none of another. */
function inplaceFlaw(site: string, version: number): string | undefined {
  for (const [path, text] of Object.entries(filesOf(version)))
    if (!existsSync(join(site, path)) || readFileSync(join(site, path), 'utf8') !== text)
      return `${path} is not that of version ${version}`;
  const other = readdirSync(site).find((name) => /^only-in-/.test(name) && !(name in filesOf(version)));
  return other === undefined ? undefined : `${other} of another version is there`;
}

function leftOf(servers: readonly SimulatedServer[], inplace: boolean): readonly string[] {
  return servers.flatMap(({ entry, site }) =>
    (inplace ? inplaceLeftovers(site) : leftoversOf(site)).map((what) => `${entry}: ${what}`),
  );
}

function inplaceLeftovers(site: string): readonly string[] {
  return readdirSync(join(site, '.durant')).filter((name) => /^(incoming|lock|record|processes)/.test(name));
}
