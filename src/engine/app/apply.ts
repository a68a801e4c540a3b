/** sh text that makes a server run a set of services and nothing else of this project. The working directory is project_dir. Pure. */
import { quote } from '../../remote/shell.ts';
import { applySite } from './applySite.ts';
import { awaitDrain, DRAINING } from './drain.ts';
import { awaitAnswers, DEFINE_LISTENING, defineAnswers } from './listening.ts';
import { useManager } from './manager.ts';
import { defineAs, type Sudo } from './privilege.ts';
import { hasInstance, markOf, type ServiceSet, type UnitFile } from './serviceSet.ts';
import { DEFINE_HALT, DEFINE_OURS, putUnits } from './unitFiles.ts';
import { defineRestarts } from './unitStates.ts';

export interface ApplyRequest {
  readonly set: ServiceSet;
  /** Absolute project_dir, which is the working directory. */
  readonly project: string;
  readonly sudo: Sudo;
  /** Folder of site files: those with this project's mark that are not wanted are removed. */
  readonly proxyDir: string;
  /** Unit files, not wanted any more, of the process that the site leads to so far: with instances, what keeps answering until it does not. */
  readonly serving: readonly string[];
  /** What becomes of these and of instances when the site leads elsewhere: they are left to `startDrain`, or stopped at once. */
  readonly left: 'to drain' | 'stopped';
  /** Units of the set that are only started where they do not run, as they serve, or may serve, what they should already. */
  readonly kept: readonly string[];
}

/** How long the process that the site is to lead to may take to listen, where it has not been checked. */
const LISTENS_WITHIN_SECONDS = 30;

/**
 * Installs the files that differ, stops what stands in the way of new units, enables and starts these, restarts every service (its working
 * directory is `current`, which has switched), reloads the proxy where its site changed, and stops and removes what is stale then: a socket
 * that the site led to answers until the site leads to another. Where the set has an instance, which runs and was checked already, the site
 * comes before everything else. A site that the proxy refuses is taken back. Prints a line for each thing done, and those of `restarts`.
 */
export function applyScript(request: ApplyRequest): string {
  const { set, project, sudo, kept } = request;
  const mark = quote(markOf(project));
  const units = set.units.flatMap((file) => file.units);
  const isKept = (unit: string, file: UnitFile): boolean => file.beside === true || kept.includes(unit);
  const only = (which: 'kept' | 'others'): readonly UnitFile[] =>
    set.units.map((file) => ({
      ...file,
      units: file.units.filter((unit) => isKept(unit, file) === (which === 'kept')),
    }));
  const restart = startOthers(only('others'));
  const site = `if [ -n "$serving" ]; then ${awaitAnswers(LISTENS_WITHIN_SECONDS)} || :; fi
${applySite(request)}`;
  return `LC_ALL=C; export LC_ALL
${defineAs(sudo)}
${useManager(set.manager)}
${DEFINE_HALT}
${DEFINE_OURS}
${DEFINE_LISTENING}
${defineAnswers(set.upstream)}
in_maintenance() { [ -e .durant/maintenance ]; }
${request.left === 'stopped' ? `rm -f ${DRAINING}` : awaitDrain(set.units.map(({ name }) => name))}
${putUnits(set.units, mark)}
${findStale(request, mark)}
for u in ${units.map(quote).join(' ')}; do
  if look is-failed --quiet "$u"; then ctl reset-failed "$u"; fi
done
${hasInstance(set) ? '' : 'halt $first'}
for u in ${units.map(quote).join(' ')}; do
  look is-enabled --quiet "$u" 2>/dev/null || ctl enable --quiet "$u" || exit 1
done
${only('kept')
  .flatMap((file) => file.units)
  .map((unit) => `look is-active --quiet ${quote(unit)} || ctl start ${quote(unit)} || exit 1`)
  .join('\n')}
${hasInstance(set) ? `${site}\nhalt $first\n${restart}` : `${restart}\n${site}`}
${defineRestarts(set)}
restarts
${request.left === 'stopped' ? 'last="$last$serving" stale="$stale$serving"' : 'for n in $serving; do ctl disable --quiet "$n" 2>/dev/null; done'}
halt $last
for n in $stale; do
  # With its file the next run finds it again.
  case $still in *" $n "*) continue;; esac
  case $n in *@.service) case $still in *" \${n%.service}"*) continue;; esac;; esac
  ctl disable --quiet "$n" 2>/dev/null || { still="$still $n "; continue; }
  change rm -f "$home/$n" || exit 1
  echo "removed $n"
done
if [ -n "$stale" ]; then ctl daemon-reload || exit 1; fi
for u in $first $last; do
  if look is-failed --quiet "$u" 2>/dev/null; then ctl reset-failed "$u" 2>/dev/null; fi
done
rm -rf "$t"
if [ -n "$still" ]; then echo "these could not be stopped or disabled:$still" >&2; exit 1; fi`;
}

/**
 * Sets `$serving` (unit files, not wanted any more, that answer visitors until the site leads elsewhere, instances before all) and `$stale`
 * (the others of this project that are not wanted). Of what the stale ones run, `$first` has to end before the new units start, as it may
 * hold what they want, and `$last` is what a socket of its own keeps apart. A socket goes with its service: alone it would be started again
 * by whoever connects. Replicas that are not wanted any more end here.
 */
function findStale({ set, serving }: ApplyRequest, mark: string): string {
  const wanted = set.units.map(({ name }) => name);
  const units = set.units.flatMap((file) => file.units);
  const templates = wanted.filter((name) => name.endsWith('@.service'));
  return `stale= first= last= serving=
loaded() { look list-units --all --plain --no-legend "\${1%.service}*.service" > "$t/loaded" && awk '{ print $1 }' "$t/loaded"; }
taken() { grep '^ListenStream=' "$1" | while IFS= read -r l; do grep -qxF -- "$l" "$t"/units/*.socket 2>/dev/null && echo yes; done; }
for f in "$home"/*.socket "$home"/*.service "$home"/*.timer; do
  [ -f "$f" ] && ours ${mark} "$f" || continue
  n=\${f##*/}
  case ${quote(` ${wanted.join(' ')} `)} in *" $n "*) continue;; esac
  s=\${f%.*}.socket
  if [ ! -f "$s" ] || [ -z "$(taken "$s")" ]; then
    case $n in *@?*.*) serving="$serving $n"; continue;; esac
    case ${quote(` ${serving.join(' ')} `)} in *" $n "*) serving="$serving $n"; continue;; esac
  fi
  stale="$stale $n"
  case $n in
    *@.service) first="$first $(loaded "$n")" || exit 1;;
    *.socket) if [ -n "$(taken "$f")" ]; then first="$first $n \${n%.socket}.service"; else last="$last $n"; fi;;
    *.service) if [ -f "\${f%.service}.socket" ]; then last="$last $n"; else first="$first $n"; fi;;
    *) first="$first $n";;
  esac
done
for n in ${templates.map(quote).join(' ')}; do
  all=$(loaded "$n") || exit 1
  for u in $all; do
    case ${quote(` ${units.join(' ')} `)} in *" $u "*) ;; *) ctl disable --quiet "$u"; halt "$u"; echo "stopped $u";; esac
  done
done`;
}

/** Starts sockets and timers, and restarts services. */
function startOthers(files: readonly UnitFile[]): string {
  const services = files.flatMap((file) => file.units).filter((unit) => unit.endsWith('.service'));
  return `${startSockets(files)}
${services.length === 0 ? '' : restartServices(services)}`;
}

/** A socket that changed is bound anew; one that listens stays, with whoever waits in its queue. */
function startSockets(files: readonly UnitFile[]): string {
  const lines = files.flatMap((file) => {
    const suffix = /\.(socket|timer)$/.exec(file.name)?.[1];
    if (suffix === undefined || file.units.length === 0) return [];
    const service = file.name.replace(/\.(socket|timer)$/, '.service');
    const name = quote(file.name);
    const renew =
      suffix === 'socket' ? `halt ${quote(service)} ${name}; ctl start ${name}` : `ctl restart ${name}`;
    return [`case $changed in *" "${name}" "*) ${renew};; *) ctl start ${name};; esac || exit 1`];
  });
  return lines.join('\n');
}

/** All at once, each by a command of its own. */
function restartServices(services: readonly string[]): string {
  return `for u in ${services.map(quote).join(' ')}; do
  { ctl restart "$u" || echo "$u" >> "$t/failed"; } &
done
wait
if [ -f "$t/failed" ]; then exit 1; fi
echo ${quote(`restarted ${services.join(', ')}`)}`;
}
