/** The question before a protected stage changes. */
import { DurantError } from '../../errors.ts';
import { goesForward } from '../operations/direction.ts';
import { newestLive } from '../server/releases.ts';
import { oncePerRun } from './parallel.ts';
import { isNamed, type Run } from './run.ts';

/** More commits than this are not read through. */
const shownCommits = 20;

/**
 * Asks for the stage's name where the stage is `protected` and nobody has confirmed yet; once per run.
 * @throws {DurantError} `confirmation-needed` where nobody answered, `cancelled` where the answer was not the name.
 */
export async function confirmProtected(run: Run, confirmed: boolean): Promise<void> {
  if (!run.settings.protected || confirmed) return;
  await oncePerRun(run, 'confirm', () => askForName(run));
}

async function askForName(run: Run): Promise<void> {
  const { stage } = run.request;
  const count = run.servers.length === 1 ? '1 server' : `${run.servers.length} servers`;
  const parts = { why: `${stage} is protected.`, what: `${whatHappens(run)} on ${count}.` };
  const answer = await run.host.prompt(
    {
      kind: 'confirm',
      server: null,
      message: `${parts.why} ${parts.what} Type the stage's name to go on.`,
      parts,
      expect: stage,
      commits: await concernedCommits(run),
    },
    run.signal,
  );
  assertTyped(stage, answer, `The stage ${stage} is protected, and the run was not confirmed.`);
}

/** @throws {DurantError} `confirmation-needed`, with this sentence, where nobody answered; `cancelled` where the answer is not the stage's name. */
export function assertTyped(stage: string, answer: string | undefined, unanswered: string): void {
  if (answer === stage) return;
  if (answer === undefined)
    throw new DurantError('confirmation-needed', unanswered, {
      remedy: 'Add --yes to go on without being asked.',
    });
  throw new DurantError('cancelled', `The name typed is not ${stage}: nothing was changed.`);
}

function whatHappens(run: Run): string {
  const { action, commit } = run;
  if (action === 'rollback' && isNamed(run))
    return `${run.release} will be ${goesForward(run) ? 'made live again: it is newer than what is live' : 'live again'}`;
  return commit === undefined
    ? 'Old releases will be removed'
    : `${commit.id.slice(0, 7)} "${commit.subject}" will go live`;
}

/** The commits between what is live and what will be, newest first; none where the local clone does not know them. */
async function concernedCommits(run: Run): Promise<readonly string[]> {
  const live = newestLive(run.servers.map((server) => server.facts))?.commit;
  if (run.clone === undefined || run.commit === undefined || live === undefined || live === '') return [];
  const [from, to] =
    run.action === 'rollback' && !goesForward(run) ? [run.commit.id, live] : [live, run.commit.id];
  const commits = (await run.clone.log(from, to, shownCommits)) ?? [];
  return commits.map(({ id, subject, author }) => `${id.slice(0, 7)} ${subject} (${author})`);
}
