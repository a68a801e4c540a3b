/**
 * `env_file`: the environment file of the release, in `.durant/env/<release>` for its owner alone; `env_target` links to it. Written before
 * the switch, so the live site never sees it early, and a rollback finds each release's own.
 */
import { DurantError } from '../../errors.ts';
import { quote, refuseLinks } from '../../remote/shell.ts';
import { lookedUpIn } from '../server/record.ts';
import { readEnvText } from '../secrets/envText.ts';
import { environmentPath, hasEnvironment, secretValues } from '../secrets/environment.ts';
import type { NamedRun, Run, ServerRun } from '../run/run.ts';
import { runScript } from '../run/script.ts';
import type { Step, StepContext } from '../run/step.ts';
import { trim } from './shared.ts';

export const envFile: Step = {
  name: 'env_file',
  inRelease: true,
  applies({ request }) {
    return hasEnvironment(request);
  },
  async assess({ run }) {
    assertOwnPlace(run);
  },
  unconditional: true,
  async look({ run, server, signal }) {
    const changes = await changedNames(run, server, signal);
    const what = changes.length === 0 ? '; no variable changes' : `: ${changes.join(', ')}`;
    return { achieved: false, reason: `${targetOf(run)} to write${what}` };
  },
  async achieve({ run, server, signal }) {
    const { release } = run;
    const path = targetOf(run);
    const [file, link] = [quote(`.durant/env/${release}`), quote(`releases/${release}/${path}`)];
    const up = '../'.repeat(path.split('/').length + 1);
    const folder = quote(`releases/${release}/${path}`.replace(/\/[^/]*$/, ''));
    await runScript(
      server,
      `${refuseLinks()}
( umask 077 && mkdir -p .durant/env && chmod 700 .durant/env && cat > ${file}.new && chmod 600 ${file}.new && mv -f ${file}.new ${file} ) || exit 1
refuse_links ${link} || exit 1
if [ -d ${link} ] && ! [ -L ${link} ]; then echo ${quote(`env_target: ${path} is a folder in the release`)} >&2; exit 1; fi
mkdir -p ${folder} && rm -f ${link} && ln -s ${quote(`${up}.durant/env/${release}`)} ${link}`,
      { signal, input: Buffer.from(run.environment?.text ?? '') },
    );
  },
};

/** A shell script's lines that read a release's environment file, where there is one. The values never leave the server. */
export function sourceEnvironment(project: string, release: string | undefined): string {
  if (release === undefined || release === '') return '';
  const file = quote(`${project}/.durant/env/${release}`);
  return `if [ -r ${file} ]; then set -a; . ${file}; set +a; fi\n`;
}

/** Learns the values that the run's release and the live one have, so that no output shows them: for runs that resolve no `env_file`. */
export async function addReleaseSecrets({ run, server, signal }: StepContext<NamedRun>): Promise<void> {
  for (const release of [run.release, server.facts.live]) {
    const record = server.facts.records.find(({ name }) => name === release);
    if (record === undefined || record.env_names === '') continue;
    run.addSecrets(secretValues(await valuesOf(server, record.name, signal), lookedUpIn(record)));
  }
}

function targetOf(run: Run): string {
  return environmentPath(run.settings);
}

/** @throws {DurantError} `config-invalid` where another option puts something of its own at `env_target`. */
function assertOwnPlace(run: Run): void {
  const path = targetOf(run);
  const { shared_files, shared_dirs } = run.settings;
  const clash =
    shared_files.map(trim).find((each) => each === path) ??
    shared_dirs.map(trim).find((each) => path === each || path.startsWith(`${each}/`));
  if (clash !== undefined)
    throw new DurantError(
      'config-invalid',
      `env_target ${path} and the shared path ${clash} would be the same file for all releases.`,
      { remedy: 'Remove one of them, or set another env_target.' },
    );
}

async function changedNames(run: Run, server: ServerRun, signal: AbortSignal): Promise<readonly string[]> {
  const wanted = run.environment?.values ?? {};
  const live = server.facts.live;
  const record = server.facts.records.find(({ name }) => name === live);
  const before = live === null ? {} : await valuesOf(server, live, signal);
  run.addSecrets(secretValues(before, record === undefined ? Object.keys(before) : lookedUpIn(record)));
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(before)])].sort();
  return names.flatMap((name) => {
    if (!Object.hasOwn(before, name)) return [`${name} added`];
    if (!Object.hasOwn(wanted, name)) return [`${name} removed`];
    return wanted[name] === before[name] ? [] : [`${name} changed`];
  });
}

async function valuesOf(
  server: ServerRun,
  release: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  if (!server.facts.managed) return {};
  const file = quote(`.durant/env/${release}`);
  const result = await runScript(server, `if [ -f ${file} ]; then cat ${file}; fi`, { signal });
  return readEnvText(result.stdout.toString('utf8'));
}
