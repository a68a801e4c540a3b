/** What the steps and commands of a stage run by sudo, asked of it before anything is changed; the services' own: servicesAssessment.ts. */
import { DurantError } from '../../errors.ts';
import { askSudoScript } from '../app/applyCommands.ts';
import { stepSudoCommands } from '../app/stepSudo.ts';
import { runsOn } from '../run/hooks.ts';
import type { StepContext } from '../run/step.ts';

/**
 * @param which `certain`: what every deploy runs; `all`: also what it may come to.
 * @returns in words that all is allowed; undefined where nothing needs sudo.
 * @throws {DurantError} `permission-denied` with the commands that sudo does not let the login user run.
 */
export async function assessSudo(
  { run, server, signal }: StepContext,
  which: 'certain' | 'all',
): Promise<string | undefined> {
  const commands = stepSudoCommands(run.settings, (placed) => runsOn(placed, server, run.servers))
    .filter(({ certain }) => certain || which === 'all')
    .map(({ words }) => words);
  if (commands.length === 0) return undefined;
  const { stdout } = await server.connection.exec({
    script: askSudoScript({ kind: 'free' }, commands),
    signal,
  });
  const missing = stdout.toString('utf8').trim();
  if (missing !== '') throw sudoMissing(run.request.stage, server, missing);
  return 'sudo lets the login user run what the steps and commands need';
}

export function sudoMissing(
  stage: string,
  { address, facts }: StepContext['server'],
  missing: string,
): DurantError {
  const { entry } = address;
  return new DurantError(
    'permission-denied',
    `sudo on ${entry} does not let ${facts.user} run these commands without a password; nothing was changed.`,
    {
      remedy: 'Allow them in sudoers, with the lines that this prints',
      command: `durant setup ${stage}`,
      server: entry,
      output: missing,
    },
  );
}
