/** What a person is told before an agent may deploy or roll back. Pure; a translation is given where there is one. */
import { DurantError } from '../errors.ts';
import { countFiles, countServers, shortCommit, type Translate } from '../format.ts';
import { printable } from '../printable.ts';
import type { ReviewedPlan } from './reviewed.ts';

export interface ConfirmationText {
  /** `Deploy be3f0b0 to production?` */
  readonly question: string;
  /** What the button does. */
  readonly button: string;
  /** Line by line: what changes, where, and the plan's digest. */
  readonly lines: readonly string[];
}

/** The error where the person who was asked said no, or nothing. */
export function notConfirmed(): DurantError {
  return new DurantError('cancelled', 'Nobody said yes: nothing was changed.');
}

/** More warnings and commits than this are counted. */
const SHOWN_NOTES = 10;

export function confirmationText(plan: ReviewedPlan, t: Translate): ConfirmationText {
  const { action, stage, commit, release, servers, files, notes, digest } = plan;
  const shown = notes.slice(0, SHOWN_NOTES).map((note) => `• ${printable(note)}`);
  return {
    question:
      action === 'deploy'
        ? t('Deploy {0} to {1}?', shortCommit(commit ?? release), stage)
        : t('Roll back {0} to {1}?', stage, release),
    button: action === 'deploy' ? t('Deploy') : t('Roll Back'),
    lines: [
      t('An agent asks for this. It was reviewed in a dry run.'),
      t('{0} added, {1} changed, {2} deleted', countFiles(files.added, t), files.changed, files.deleted),
      `${countServers(servers.length, t)}: ${servers.map(({ server, live }) => `${printable(server)} (${live ?? t('nothing live')})`).join(', ')}`,
      ...shown,
      ...(notes.length > SHOWN_NOTES ? [t('… and {0} more', notes.length - SHOWN_NOTES)] : []),
      t('Plan {0}', digest),
    ],
  };
}
