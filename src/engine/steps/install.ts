/** `install`: the build becomes something that runs: a virtual environment inside the release, or an executable (Fujin's modes). */
import { DurantError } from '../../errors.ts';
import { hasRole } from '../../config/values/serverEntries.ts';
import { quote } from '../../remote/shell.ts';
import { commandEnv } from '../run/hooks.ts';
import type { NamedRun, Run } from '../run/run.ts';
import { outputLines } from '../run/outputLines.ts';
import { exports, flush, lastLines } from '../run/script.ts';
import { appName } from '../app/appName.ts';
import { withVersion } from '../source/version.ts';
import { sourceEnvironment } from './envFile.ts';
import type { Step, StepContext } from '../run/step.ts';
import { pythonInstallScript, pythonTools } from './pythonInstall.ts';

export const install: Step = {
  name: 'install',
  inRelease: true,
  applies({ settings }) {
    return settings.install_mode !== 'none';
  },
  async assess(context) {
    const { settings } = context.run;
    if (settings.install_mode === 'binary' && settings.distfile === undefined)
      throw new DurantError(
        'config-invalid',
        'install_mode: binary needs the file that becomes the executable.',
        { remedy: 'Write distfile = …' },
      );
    if (
      settings.install_mode === 'python' &&
      settings.distfile === undefined &&
      settings.requirements === undefined
    )
      throw new DurantError(
        'config-invalid',
        'install_mode: python needs a wheel or requirements to install.',
        { remedy: 'Write distfile = … or requirements = …' },
      );
    // A name that systemd could not use is no name for a file that units start.
    if (settings.install_mode === 'binary') appName(context.run.request);
    if (settings.install_mode === 'python' && installsOn(context)) await assessPython(context);
  },
  async look({ run, server }) {
    const { settings } = run;
    if (!installsOn({ run, server }))
      return {
        achieved: true,
        reason: `only on servers with a role of install_roles: ${settings.install_roles.join(', ')}`,
      };
    if (settings.install_mode === 'binary')
      return {
        achieved: false,
        reason: `${withVersion(run, settings.distfile ?? '')} to install as ${appName(run.request)}`,
      };
    const what = [settings.requirements, settings.distfile].flatMap((path) =>
      path === undefined ? [] : [withVersion(run, path)],
    );
    return { achieved: false, reason: `${what.join(' and ')} to install in .venv` };
  },
  async achieve(context) {
    const { run } = context;
    await runInRelease(
      context,
      run.settings.install_mode === 'python' ? pythonScript(context) : binaryScript(run),
    );
  },
};

/** Whether a server is one that the build is installed on. */
export function installsOn({ run, server }: Pick<StepContext, 'run' | 'server'>): boolean {
  const { install_roles: roles } = run.settings;
  return roles.length === 0 || roles.some((role) => hasRole(server.address, role));
}

function binaryScript(run: Run): string {
  const from = quote(withVersion(run, run.settings.distfile ?? ''));
  const app = quote(appName(run.request));
  return `if [ -d ${app} ]; then echo ${app} is a folder of the release: set app to another name >&2; exit 1; fi
[ ${from} -ef ${app} ] || cp -f ${from} ${app} || exit 1
chmod 755 ${app}`;
}

function pythonScript({ run, server }: StepContext<NamedRun>): string {
  const { settings } = run;
  const { live, project } = server.facts;
  return pythonInstallScript({
    release: `${project}/releases/${run.release}`,
    previous: live === null ? undefined : `${project}/releases/${live}`,
    wheel: settings.distfile === undefined ? undefined : withVersion(run, settings.distfile),
    requirements: settings.requirements === undefined ? undefined : withVersion(run, settings.requirements),
    pythonVersion: settings.python_version,
  });
}

/** @throws {DurantError} `tool-missing` where the server can make no virtual environment of the wanted version. */
async function assessPython({ run, server, signal }: StepContext): Promise<void> {
  const result = await server.connection.exec({
    script: `${exports(run.settings.env)}\n${pythonTools(run.settings.python_version)}\n[ -n "$uv" ] || [ -n "$py" ]`,
    signal,
  });
  if (result.status === 0) return;
  const entry = server.address.entry;
  const version = run.settings.python_version;
  const said = lastLines(result.stderr.toString('utf8'), 3);
  throw new DurantError(
    'tool-missing',
    `${entry} has neither uv nor a Python${version === undefined ? '' : ` ${version}`} that can make virtual environments.`,
    {
      remedy: 'Install uv there, or python3 with its venv module (Debian: python3-venv).',
      server: entry,
      output: said,
    },
  );
}

/** Runs a script in the release with what every command sees; its output as events. @throws {DurantError} `install-failed`. */
async function runInRelease({ run, server, signal }: StepContext<NamedRun>, script: string): Promise<void> {
  await flush(server, signal);
  const entry = server.address.entry;
  const project = server.facts.project;
  const { release } = run;
  const lines = outputLines(run.mask, (stream, line) =>
    run.emit({ event: 'output', server: entry, stream, line }),
  );
  const timeout = run.settings.command_timeout;
  const result = await server.connection.exec({
    script: `${sourceEnvironment(project, release)}${exports(commandEnv(run, server))}
cd ${quote(`${project}/releases/${release}`)} || exit 1
${script}`,
    signal,
    onOutput: lines.write,
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  });
  lines.end();
  if (result.status === 0) return;
  const said = lastLines(Buffer.concat([result.stdout, result.stderr]).toString('utf8'), 8);
  throw new DurantError(
    'install-failed',
    `The build could not be installed on ${entry} (exit status ${result.status}); the live release is unchanged.`,
    { remedy: 'Fix the cause, then deploy again.', server: entry, output: said },
  );
}
