/**
 * The dead man's switch: from its switch to its confirmation a run has a detached process on each server, which puts back what was live
 * before when the confirmation does not come. sh text for any POSIX sh; the working directory is project_dir. Pure.
 *
 * `.durant/watch.<run>` is there while the watcher may act. Whoever takes it away decides: the run that removes it has confirmed, the
 * watcher that renames it to `reverting.<run>` puts back, and leaves `reverted.<run>`, which says what it did.
 */
import { parameters, quote, startDetached } from '../../remote/shell.ts';
import { shellFile } from '../../remote/shellFile.ts';
import { replaceLinkFunction, type SwitchMethod } from './linkSwitch.ts';
import { recordLine } from './record.ts';

export interface WatchRequest {
  readonly run: string;
  /** Absolute project_dir. */
  readonly project: string;
  /** The release that the run makes live. */
  readonly release: string;
  /** What the watcher waits for the confirmation. */
  readonly seconds: number;
  /** `current_path`, the link that the run gives it, and the one to put back; undefined: there was none. */
  readonly currentPath: string;
  readonly link: string;
  readonly linkBefore: string | undefined;
  /** Replaces a link by a link in one step. */
  readonly switchBy: SwitchMethod;
  /** Whether the release is new: it is no longer touched once it is finished, and failed when it is left. */
  readonly isNew: boolean;
  /** Lock of this run, for the case that there is none any more. */
  readonly lock: string;
  /** Start of the line in history.log, after the date. */
  readonly who: string;
  /** Scripts that put back the services of what was live before. */
  readonly services: readonly string[];
  readonly inScope: boolean;
}

/** What the run says where it finds that its watcher has put back what was live before. */
export const REVERTED = 'durant: reverted by the dead man switch';

/** Starts the watcher, detached from the connection, and returns at once. */
export function startWatcher(request: WatchRequest): string {
  const { run, release, linkBefore } = request;
  const about = [
    recordLine('release', release),
    recordLine('back_to', linkBefore?.slice(linkBefore.lastIndexOf('/') + 1) ?? ''),
  ];
  return `printf '%s\\n' ${about.map(quote).join(' ')} > .durant/watch.${run} || exit 1
${startDetached(watcher(request), request.inScope)}`;
}

/** Defines `stop_watcher RUN`. */
export const stopWatcherFunction = shellFile(import.meta.url, './stopWatcher.sh');
const confirm = shellFile(import.meta.url, './confirm.sh');
const watch = shellFile(import.meta.url, './watcher.sh');

/** Ends the watcher of a run, or waits until it has put back what it is putting back. */
export function stopWatcher(run: string): string {
  return `${stopWatcherFunction}stop_watcher ${quote(run)}`;
}

/** The confirmation: no watcher puts anything back after it. Fails, and says so, where this run's has. May run twice. */
export function confirmScript(run: string): string {
  return stopWatcherFunction + parameters({ run, reverted: REVERTED }) + confirm;
}

export function watcher(request: WatchRequest): string {
  const { run, release, linkBefore, seconds, services } = request;
  const what = `${request.who} dead_man ${release} put back ${linkBefore ?? 'nothing'}: run ${run} was not confirmed within ${seconds} s`;
  const about = parameters({
    project: request.project,
    run,
    release,
    is_new: request.isNew ? 'yes' : '',
    seconds,
    current: request.currentPath,
    link: request.link,
    before: linkBefore ?? '',
    method: request.switchBy,
    lock: request.lock,
    what,
  });
  const restore = services.map((script) => `( ${script}\n) </dev/null\n`).join('');
  return `${about}restore() {\n:\n${restore}}\n${replaceLinkFunction}${watch}`;
}
