/**
 * The end of the instance that visitors have left: the server stops it when what it was asked has been answered, after the run. sh text; the
 * working directory is project_dir. Pure.
 *
 * `.durant/draining` is there while an instance drains. Whoever takes it away decides: the server's process renames it to
 * `draining.ending` and stops the instance, a rollback removes it and goes back to the instance.
 */
import { quote, startDetached } from '../../remote/shell.ts';
import { useManager } from './manager.ts';
import { defineAs, type Sudo } from './privilege.ts';
import { markOf, type ServiceSet } from './serviceSet.ts';
import { removeUnits } from './unitFiles.ts';

export const DRAINING = '.durant/draining';

/** What tells one boot of a server from the next; nothing where the kernel does not say. */
const BOOT = 'cat /proc/sys/kernel/random/boot_id 2>/dev/null';

/** Seconds that stopping may take: after that nobody waits for it. */
const STOP_SECONDS = 20;

export interface DrainRequest {
  readonly run: string;
  readonly project: string;
  readonly manager: ServiceSet['manager'];
  readonly sudo: Sudo;
  /** Unit files that stay; every other of this project goes. */
  readonly wanted: readonly string[];
  readonly seconds: number;
  readonly inScope: boolean;
}

/** Leaves what is not wanted any more to a detached process. */
export function startDrain(request: DrainRequest): string {
  const { run, project, manager, wanted, seconds } = request;
  return `( LC_ALL=C; export LC_ALL
as() { :; }
${useManager(manager)}
old=
for f in "$home"/*.socket "$home"/*.service; do
  [ -f "$f" ] && grep -qxF ${quote(markOf(project))} "$f" || continue
  case ${quote(` ${wanted.join(' ')} `)} in *" \${f##*/} "*) ;; *) old="$old \${f##*/}";; esac
done
[ -n "$old" ] || exit 0
{ printf 'run=%s\\nuntil=%s\\nboot=%s\\n' ${quote(run)} $(($(date +%s)+${seconds})) "$(${BOOT})"; printf 'unit=%s\\n' $old; } > ${DRAINING}.new && mv -f ${DRAINING}.new ${DRAINING} || exit 1
${startDetached(drainer(request), request.inScope)}
)`;
}

/** What the detached process runs. */
export function drainer({ run, project, manager, sudo, seconds }: DrainRequest): string {
  return `LC_ALL=C; export LC_ALL
exec </dev/null
cd ${quote(project)} || exit 0
ours() { grep -qxF ${quote(`run=${run}`)} "$1" 2>/dev/null; }
i=0
while [ $i -lt ${seconds} ]; do sleep 1; ours ${DRAINING} || exit 0; i=$((i + 1)); done
ours ${DRAINING} && mv ${DRAINING} ${DRAINING}.ending 2>/dev/null || exit 0
${defineAs(sudo)}
${useManager(manager)}
${removeUnits(`$(sed -n 's/^unit=//p' ${DRAINING}.ending)`, quote(markOf(project)))}
rm -f ${DRAINING}.ending`;
}

/** Takes an instance that drains back where it is wanted again, and waits for the end of any other, which it says. */
export function awaitDrain(units: readonly string[]): string {
  const wanted = units.map((unit) => `-e ${quote(`unit=${unit}`)}`).join(' ');
  return `${wanted === '' ? '' : `if grep -qxF ${wanted} ${DRAINING} 2>/dev/null && mv ${DRAINING} ${DRAINING}.kept 2>/dev/null; then rm -f ${DRAINING}.kept; fi`}
waits= boot=$(${BOOT})
told() { cat ${DRAINING} ${DRAINING}.ending 2>/dev/null | sed -n "s/^$1=//p" | head -n 1; }
while [ -e ${DRAINING} ] || [ -e ${DRAINING}.ending ]; do
  until=$(told until) booted=$(told boot)
  left=$((\${until:-0}+${STOP_SECONDS}-$(date +%s)))
  # A server that was booted meanwhile has nobody who ends it.
  if [ $left -lt 0 ] || [ "\${booted:-$boot}" != "$boot" ]; then rm -f ${DRAINING} ${DRAINING}.ending
  elif [ -z "$waits" ]; then waits=yes; echo "waits at most $left s for the end of the process before the live one (drain)"; fi
  sleep 0.2
done`;
}
