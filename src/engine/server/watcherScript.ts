/**
 * The dead man's switch: from its switch to its confirmation a run has a detached process on each server, which puts back what was live
 * before when the confirmation does not come. sh text for any POSIX sh; the working directory is project_dir. Pure.
 *
 * `.durant/watch.<run>` is there while the watcher may act. Whoever takes it away decides: the run that removes it has confirmed, the
 * watcher that renames it to `reverting.<run>` puts back, and leaves `reverted.<run>`, which says what it did.
 */
import { quote, startDetached } from '../../remote/shell.ts';
import { replaceLink, type SwitchMethod } from './linkSwitch.ts';
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
${startDetached(watcher(request))}`;
}

/** Ends the watcher of a run, or waits until it has put back what it is putting back. */
export function stopWatcher(run: string): string {
  return `rm -f .durant/watch.${run}; i=0; while [ -e .durant/reverting.${run} ] && [ $i -lt 60 ]; do sleep 1; i=$((i + 1)); done`;
}

/** The confirmation: no watcher puts anything back after it. Fails, and says so, where this run's has. May run twice. */
export function confirmScript(run: string): string {
  return `${stopWatcher(run)}
if [ -e .durant/reverting.${run} ] || [ -e .durant/reverted.${run} ]; then echo ${quote(REVERTED)} >&2; exit 1; fi
rm -f .durant/watch.* .durant/reverted.*`;
}

export function watcher(request: WatchRequest): string {
  const { run, release, currentPath, link, linkBefore, who } = request;
  const [watch, acting] = [`.durant/watch.${run}`, `.durant/reverting.${run}`];
  const record = quote(`.durant/releases/${release}.ini`);
  const isFinished = `grep -qxF ${quote(recordLine('state', 'finished'))} ${record} 2>/dev/null`;
  const what = `${who} dead_man ${release} put back ${linkBefore ?? 'nothing'}: run ${run} was not confirmed within ${request.seconds} s`;
  return `LC_ALL=C; export LC_ALL
exec </dev/null
cd ${quote(request.project)} || exit 0
i=0
while [ $i -lt ${request.seconds} ]; do sleep 1; [ -e ${watch} ] || exit 0; i=$((i + 1)); done
may_act() {
  { ! [ -e .durant/lock ] || ours; } && [ "$(readlink ${quote(currentPath)})" = ${quote(link)} ]${request.isNew ? ` && ! ${isFinished}` : ''}
}
ours() { grep -qxF ${quote(recordLine('run', run))} .durant/lock 2>/dev/null; }
may_act || { rm -f ${watch}; exit 0; }
mv ${watch} ${acting} 2>/dev/null || exit 0
made=
if ! [ -e .durant/lock ]; then
  printf %s ${quote(request.lock)} > .durant/lock.${run} && ln .durant/lock.${run} .durant/lock 2>/dev/null && made=yes
  rm -f .durant/lock.${run}
fi
if ours && may_act && ${putBack(request)}; then
  ${request.isNew ? `sed 's/^state = .*/state = "failed"/' ${record} > .durant/record.${run} && mv -f .durant/record.${run} ${record}` : ':'}
  rm -f .durant/rollback
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  ${request.services.map((script) => `( ${script}\n) </dev/null`).join('\n  ')}
  printf '%s %s\\n' "$now" ${quote(what)} >> .durant/history.log
  printf 'at = "%s"\\n' "$now" >> ${acting}
  mv -f ${acting} .durant/reverted.${run}
else rm -f ${acting}; fi
[ -z "$made" ] || rm -f .durant/lock`;
}

function putBack({ run, currentPath, linkBefore, switchBy }: WatchRequest): string {
  if (linkBefore === undefined) return `rm -f ${quote(currentPath)}`;
  return replaceLink({ path: currentPath, link: linkBefore, run: `back.${run}`, method: switchBy });
}
