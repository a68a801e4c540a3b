/** sh text that makes a server run a set of services and nothing else of this project. The working directory is project_dir. Pure. */
import { quote } from '../../remote/shell.ts';
import { applySite } from './applySite.ts';
import { useManager } from './manager.ts';
import { defineAs, type Sudo } from './privilege.ts';
import { markOf, type ServiceSet } from './serviceSet.ts';
import { defineRestarts } from './unitStates.ts';

export interface ApplyRequest {
  readonly set: ServiceSet;
  /** Absolute project_dir, which is the working directory. */
  readonly project: string;
  readonly sudo: Sudo;
  /** Folder of site files: those with this project's mark that are not wanted are removed. */
  readonly proxyDir: string;
}

/** Where new files wait, below project_dir: what is copied as root comes from a place that sudoers can name. */
export const NEW_FILES = '.durant/services.new';

/**
 * Installs the files that differ, stops what stands in the way of new units, enables and starts these, restarts every service (its working
 * directory is `current`, which has switched), reloads the proxy where its site changed, and stops and removes what is stale then: a socket
 * that the site led to answers until the site leads to another. A site that the proxy refuses is taken back. Prints a line for each thing
 * done, and those of `restarts`.
 */
export function applyScript(request: ApplyRequest): string {
  const { set, project, sudo } = request;
  const mark = quote(markOf(project));
  const units = set.units.flatMap((file) => file.units);
  const services = units.filter((unit) => unit.endsWith('.service'));
  return `LC_ALL=C; export LC_ALL
${defineAs(sudo)}
${useManager(set.manager)}
t=$PWD/${NEW_FILES}
rm -rf "$t" && mkdir -m 700 "$t" && mkdir "$t/units" || exit 1
changed=
${set.units.length === 0 ? '' : '[ -d "$home" ] || change mkdir -p "$home" || exit 1'}
put() {
  if cmp -s "$t/units/$1" "$home/$1"; then return 0; fi
  if [ -e "$home/$1" ] || [ -L "$home/$1" ]; then
    if [ -L "$home/$1" ] || ! grep -qxF ${mark} "$home/$1"; then echo "$home/$1 is not of this project" >&2; return 1; fi
  fi
  change cp "$t/units/$1" "$home/.durant.$1" && change chmod 644 "$home/.durant.$1" && change mv -f "$home/.durant.$1" "$home/$1" || return 1
  changed="$changed $1 "; echo "installed $1"
}
each() { verb=$1; shift; for u in "$@"; do ctl "$verb" "$u" 2>/dev/null; done; }
${set.units.map(({ name, text }) => `printf %s ${quote(text)} > "$t/units/"${quote(name)}`).join('\n')}
${set.units.map(({ name }) => `put ${quote(name)} || exit 1`).join('\n')}
${findStale(set, mark)}
if [ -n "$changed" ]; then ctl daemon-reload || exit 1; fi
each stop $first
for u in ${units.map(quote).join(' ')}; do
  look is-enabled --quiet "$u" 2>/dev/null || ctl enable --quiet "$u" || exit 1
done
for u in ${units.map(quote).join(' ')}; do
  if look is-failed --quiet "$u"; then ctl reset-failed "$u"; fi
done
${startSockets(set)}
${services.length === 0 ? '' : restartServices(services)}
${defineRestarts(set)}
restarts
in_maintenance() { [ -e .durant/maintenance ]; }
${applySite(request)}
each stop $last
for n in $stale; do
  ctl disable --quiet "$n" 2>/dev/null
  change rm -f "$home/$n" || exit 1
  echo "removed $n"
done
if [ -n "$stale" ]; then ctl daemon-reload || exit 1; fi
for u in $first $last; do
  if look is-failed --quiet "$u" 2>/dev/null; then ctl reset-failed "$u" 2>/dev/null; fi
done
rm -rf "$t"`;
}

/**
 * Sets `$stale` (unit files of this project that are not wanted), and of what they run `$first`, which has to end before the new units start, as
 * it may hold what they want, and `$last`: what a socket of its own keeps apart. A socket goes with its service: alone it would be started
 * again by whoever connects. Instances that are not wanted any more end here.
 */
function findStale(set: ServiceSet, mark: string): string {
  const wanted = set.units.map(({ name }) => name);
  const units = set.units.flatMap((file) => file.units);
  const templates = wanted.filter((name) => name.endsWith('@.service'));
  return `stale= first= last=
loaded() { look list-units --all --plain --no-legend "\${1%.service}*.service" | awk '{ print $1 }'; }
taken() { grep '^ListenStream=' "$1" | while IFS= read -r l; do grep -qxF -- "$l" "$t"/units/*.socket 2>/dev/null && echo yes; done; }
for f in "$home"/*.socket "$home"/*.service "$home"/*.timer; do
  [ -f "$f" ] && grep -qxF ${mark} "$f" || continue
  n=\${f##*/}
  case ${quote(` ${wanted.join(' ')} `)} in *" $n "*) continue;; esac
  stale="$stale $n"
  case $n in
    *@.service) first="$first $(loaded "$n")";;
    *.socket) if [ -n "$(taken "$f")" ]; then first="$first $n \${n%.socket}.service"; else last="$last $n"; fi;;
    *.service) if [ -f "\${f%.service}.socket" ]; then last="$last $n"; else first="$first $n"; fi;;
    *) first="$first $n";;
  esac
done
for n in ${templates.map(quote).join(' ')}; do
  for u in $(loaded "$n"); do
    case ${quote(` ${units.join(' ')} `)} in *" $u "*) ;; *) ctl disable --quiet --now "$u"; echo "stopped $u";; esac
  done
done`;
}

/** A socket that changed is bound anew; one that listens stays, with whoever waits in its queue. */
function startSockets({ units }: ServiceSet): string {
  const lines = units.flatMap((file) => {
    const suffix = /\.(socket|timer)$/.exec(file.name)?.[1];
    if (suffix === undefined) return [];
    const service = file.name.replace(/\.(socket|timer)$/, '.service');
    const name = quote(file.name);
    const renew =
      suffix === 'socket' ? `each stop ${quote(service)} ${name}; ctl start ${name}` : `ctl restart ${name}`;
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
