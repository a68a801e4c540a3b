/** What each kind of run is called: by its notification, its question and the status bar. Pure. */
import type { ErrorCode } from '../errors.ts';
import type { Translate } from '../format.ts';
import type { Action } from './ending.ts';
import type { Confirmation } from './prompts.ts';

interface Named {
  readonly action: Action;
  readonly dryRun: boolean;
}

/** Of its notification. @param name of the stage. */
export function titleOf({ action, dryRun }: Named, name: string, t: Translate): string {
  if (dryRun) return t('Dry run of {0}', name);
  switch (action) {
    case 'prune':
      return t('Pruning {0}', name);
    case 'rollback':
      return t('Rolling back {0}', name);
    case 'restore':
      return t('Making a newer release of {0} live again', name);
    case 'deploy':
      return t('Deploying {0}', name);
    case 'promote':
      return t('Promoting to {0}', name);
    case 'maintenance-on':
      return t('Turning the maintenance page of {0} on', name);
    case 'maintenance-off':
      return t('Turning the maintenance page of {0} off', name);
    case 'down':
      return t('Taking {0} down', name);
  }
}

/** What is asked before it changes anything. */
export function confirmationOf({ action }: Named, name: string, t: Translate): Confirmation {
  switch (action) {
    case 'prune':
      return { button: t('Remove Old Releases'), commits: t('These releases are removed:') };
    case 'rollback':
      return {
        question: t('Roll back {0}?', name),
        button: t('Roll Back'),
        commits: t('These commits are undone:'),
      };
    case 'restore':
      return {
        question: t('Make the newer release of {0} live again?', name),
        button: t('Make Live Again'),
        commits: t('These commits go live again:'),
      };
    case 'promote':
      return {
        question: t('Promote to {0}?', name),
        button: t('Promote'),
        commits: t('These commits go live:'),
      };
    case 'down':
      return {
        question: t('Take {0} down?', name),
        button: t('Take Down'),
        commits: '',
        typed: t('Type {0} to go on. This cannot be undone.', name),
      };
    case 'deploy':
    case 'maintenance-on':
    case 'maintenance-off':
      return {
        question: t('Deploy to {0}?', name),
        button: t('Deploy'),
        commits: t('These commits go live:'),
      };
  }
}

/** What the status bar says once it has ended: only what went wrong is a failure. `icon` is a codicon. */
export function statusOf(
  { action, dryRun }: Named,
  name: string,
  code: ErrorCode | undefined,
  t: Translate,
): { readonly icon: string; readonly text: string } {
  switch (code) {
    case undefined:
      break;
    case 'cancelled':
      return { icon: 'circle-slash', text: t('{0}: cancelled', name) };
    case 'confirmation-needed':
      return { icon: 'circle-slash', text: t('{0}: not confirmed', name) };
    case 'locked':
      return { icon: 'lock', text: t('{0}: locked', name) };
    case 'held':
      return { icon: 'debug-pause', text: t('{0}: held', name) };
    default:
      return { icon: 'error', text: t('{0}: failed', name) };
  }
  if (dryRun) return { icon: 'pass', text: t('{0}: dry run done', name) };
  switch (action) {
    case 'prune':
      return { icon: 'pass', text: t('{0}: pruned', name) };
    case 'rollback':
      return { icon: 'pass', text: t('{0}: rolled back', name) };
    case 'maintenance-on':
      return { icon: 'tools', text: t('{0}: maintenance', name) };
    case 'maintenance-off':
      return { icon: 'pass', text: t('{0}: maintenance is over', name) };
    case 'down':
      return { icon: 'pass', text: t('{0}: taken down', name) };
    case 'deploy':
    case 'promote':
    case 'restore':
      return { icon: 'pass', text: t('{0}: live', name) };
  }
}
