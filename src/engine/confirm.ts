/** The question before a protected stage changes. */
import { DurantError } from '../errors.ts';
import type { Run } from './run.ts';

/**
 * Asks for the stage's name where the stage is `protected` and nobody has confirmed yet.
 * @throws {DurantError} `confirmation-needed` where nobody answered, `cancelled` where the answer was not the name.
 */
export async function confirmProtected(run: Run, confirmed: boolean): Promise<void> {
  if (!run.settings.protected || confirmed) return;
  const { stage } = run.request;
  const what =
    run.action === 'deploy'
      ? `${run.commit?.id.slice(0, 7) ?? ''} "${run.commit?.subject ?? ''}" will go live`
      : `${run.release ?? ''} will be live again`;
  const answer = await run.host.prompt(
    {
      kind: 'confirm',
      server: null,
      message: `${stage} is protected. ${what} on ${run.servers.length} server(s). Type the stage's name to go on.`,
      expect: stage,
    },
    run.signal,
  );
  if (answer === stage) return;
  if (answer === undefined)
    throw new DurantError(
      'confirmation-needed',
      `The stage ${stage} is protected and nobody confirmed. Add --yes to go on without being asked.`,
    );
  throw new DurantError('cancelled', `That is not ${stage}: nothing was changed.`);
}
