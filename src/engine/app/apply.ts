/** sh text that makes a server run a set of services and nothing else of this project; and the one that asks whether they run. Pure. */
import { quote } from '../../remote/shell.ts';
import { CADDY_FOLDER, useManager } from './manager.ts';
import { defineAs, type Sudo } from './privilege.ts';
import { markOf, type ServiceSet } from './serviceSet.ts';

export interface ApplyRequest {
  readonly set: ServiceSet;
  /** Absolute project_dir, which is the working directory. */
  readonly project: string;
  readonly run: string;
  readonly sudo: Sudo;
  /** Folder of site files: those with this project's mark that are not wanted are removed. */
  readonly proxyDir: string;
}

/**
 * Installs the files that differ, stops and removes what is stale, enables and starts the rest, restarts every service (its working
 * directory is `current`, which has switched), reloads the proxy where its site changed. A site that the proxy refuses is taken back.
 * Prints a line for each thing done.
 */
export function applyScript(request: ApplyRequest): string {
  const { set, project, sudo, run } = request;
  const mark = quote(markOf(project));
  const wanted = set.units.map(({ name }) => name);
  const units = set.units.flatMap((file) => file.units);
  const ending = (suffix: string): string =>
    units
      .filter((unit) => unit.endsWith(suffix))
      .map(quote)
      .join(' ');
  const templates = wanted.filter((name) => name.endsWith('@.service'));
  return `LC_ALL=C; export LC_ALL
${defineAs(sudo)}
${useManager(set.manager)}
t=.durant/services.${run}
rm -rf "$t" && mkdir -m 700 "$t" && mkdir "$t/units" || exit 1
changed= stale= loaded=
${set.units.length === 0 ? '' : '[ -d "$home" ] || change mkdir -p "$home" || exit 1'}
put() {
  if cmp -s "$t/units/$1" "$home/$1"; then return 0; fi
  if [ -e "$home/$1" ] || [ -L "$home/$1" ]; then
    if [ -L "$home/$1" ] || ! grep -qxF ${mark} "$home/$1"; then echo "$home/$1 is not of this project" >&2; return 1; fi
  fi
  change cp "$t/units/$1" "$home/.durant.$1" && change chmod 644 "$home/.durant.$1" && change mv -f "$home/.durant.$1" "$home/$1" || return 1
  changed="$changed $1 "; echo "installed $1"
}
${set.units.map(({ name, text }) => `printf %s ${quote(text)} > "$t/units/"${quote(name)} && put ${quote(name)} || exit 1`).join('\n')}
${staleUnits(wanted, units, templates, mark)}
if [ -n "$changed$stale" ]; then ctl daemon-reload || exit 1; fi
for u in ${units.map(quote).join(' ')}; do
  look is-enabled --quiet "$u" 2>/dev/null || ctl enable --quiet "$u" || exit 1
done
${units.length === 0 ? '' : `ctl reset-failed ${units.map(quote).join(' ')} 2>/dev/null`}
${startSockets(set)}
${ending('.service') === '' ? '' : `ctl restart ${ending('.service')} || { look status --no-pager -n 5 ${ending('.service')} >&2; exit 1; }`}
${ending('.service') === '' ? '' : `echo ${quote(`restarted ${units.filter((unit) => unit.endsWith('.service')).join(', ')}`)}`}
${siteScript(request, mark)}
rm -rf "$t"`;
}

/** Whole transactions: a socket that is stopped alone would be started again by whoever connects. */
function staleUnits(
  wanted: readonly string[],
  units: readonly string[],
  templates: readonly string[],
  mark: string,
): string {
  return `for f in "$home"/*.service "$home"/*.socket "$home"/*.timer; do
  [ -f "$f" ] && grep -qxF ${mark} "$f" || continue
  n=\${f##*/}
  case ${quote(` ${wanted.join(' ')} `)} in *" $n "*) continue;; esac
  stale="$stale $n"
  case $n in *@.service) loaded="$loaded $(look list-units --all --plain --no-legend "\${n%.service}*.service" | awk '{ print $1 }')";; *) loaded="$loaded $n";; esac
done
for n in ${templates.map(quote).join(' ')}; do
  for u in $(look list-units --all --plain --no-legend "\${n%.service}*.service" | awk '{ print $1 }'); do
    case ${quote(` ${units.join(' ')} `)} in *" $u "*) ;; *) ctl disable --quiet --now "$u"; echo "stopped $u";; esac
  done
done
if [ -n "$loaded" ]; then ctl stop $loaded 2>/dev/null; fi
for n in $stale; do
  ctl disable --quiet "$n" 2>/dev/null
  change rm -f "$home/$n" || exit 1
  echo "removed $n"
done
if [ -n "$loaded" ]; then ctl reset-failed $loaded 2>/dev/null; fi`;
}

/** A socket that changed is bound anew; one that listens stays, with whoever waits in its queue. */
function startSockets({ units }: ServiceSet): string {
  const lines = units.flatMap((file) => {
    const suffix = /\.(socket|timer)$/.exec(file.name)?.[1];
    if (suffix === undefined) return [];
    const service = file.name.replace(/\.(socket|timer)$/, '.service');
    const name = quote(file.name);
    const renew =
      suffix === 'socket'
        ? `ctl stop ${quote(service)} ${name} 2>/dev/null; ctl start ${name}`
        : `ctl restart ${name}`;
    return [`case $changed in *" "${name}" "*) ${renew};; *) ctl start ${name};; esac || exit 1`];
  });
  return lines.join('\n');
}

/**
 * Projects of one server share Caddy: one at a time changes its files and reloads it. The lock is the kernel's, on a folder that is there, so
 * that whoever dies gives it back.
 */
function siteScript({ set, proxyDir, run }: ApplyRequest, mark: string): string {
  const { site } = set;
  const folder = quote(proxyDir.replace(/\/+$/, ''));
  const path = quote(site?.path ?? '');
  const put =
    site === undefined
      ? ''
      : `printf %s ${quote(site.text)} > "$t/site"
if ! cmp -s "$t/site" ${path}; then
  if [ -e ${path} ] || [ -L ${path} ]; then
    if [ -L ${path} ] || ! grep -qxF "# "${mark} ${path}; then echo ${quote(`${site.path} is not of this project`)} >&2; exit 1; fi
    cp ${path} "$t/before" || exit 1
  fi
  new=${folder}/${quote(`.durant.${run}`)}
  site cp "$t/site" "$new" && site chmod 644 "$new" && site mv -f "$new" ${path} || exit 1
  reload=yes; echo ${quote(`installed ${site.path}`)}
fi`;
  return `reload= lock=${CADDY_FOLDER}
${site === undefined ? '' : `[ -d ${folder} ] || as mkdir -p ${folder} || exit 1`}
[ -d "$lock" ] || lock=${folder}
if [ -r "$lock" ] && command -v flock >/dev/null 2>&1; then
  exec 9<"$lock"; tries=0
  until flock -n 9; do
    tries=$((tries+1))
    [ "$tries" -le 300 ] || { echo 'Another project has been changing the sites of this server for 60 s. Wait until it has ended, then try again.' >&2; exit 1; }
    sleep 0.2
  done
fi
site() { if [ -w ${folder} ]; then "$@"; else as "$@"; fi; }
proxy() {
  if systemctl is-active --quiet caddy 2>/dev/null && as systemctl reload caddy; then return 0; fi
  as caddy reload --adapter caddyfile --config ${CADDY_FOLDER}/Caddyfile
}
${put}
for f in ${folder}/*.caddy; do
  [ -f "$f" ] && [ "$f" != ${path} ] && grep -qxF "# "${mark} "$f" || continue
  site rm -f "$f" && reload=yes && echo "removed $f"
done
if [ -n "$reload" ] && ! proxy > "$t/said" 2>&1; then
  if [ -f "$t/before" ]; then site cp "$t/before" ${path}; elif [ -n ${path} ]; then site rm -f ${path}; fi
  proxy >/dev/null 2>&1
  echo 'Caddy refused the site file, and has the one that it had:' >&2; tail -n 5 "$t/said" >&2
  exit 1
fi
exec 9<&-`;
}

/** Prints for each unit, twice with a pause between, its state and how often it was restarted; see `parseStates`. */
export function statesScript(set: ServiceSet, sudo: Sudo): string {
  const units = set.units.flatMap((file) => file.units);
  return `LC_ALL=C; export LC_ALL
${defineAs(sudo)}
${useManager(set.manager)}
states() {
  for u in ${units.map(quote).join(' ')}; do
    printf '%s ' "$u"; look show -p ActiveState -p Result -p NRestarts -p MainPID "$u" | sort | tr '\\n' ' '; echo
  done
}
states; sleep 1; echo; states`;
}

/** What keeps a set from being up: a sentence for each unit that is not, or that keeps being restarted. */
export function parseStates(
  stdout: string,
  set: ServiceSet,
): readonly { readonly unit: string; readonly why: string }[] {
  const [first = '', second = ''] = stdout.split('\n\n');
  const before = new Map(first.split('\n').map(readState));
  const after = new Map(second.split('\n').map(readState));
  return set.units.flatMap((file) =>
    file.units.flatMap((unit) => {
      const now = after.get(unit);
      const state = now?.get('ActiveState') ?? 'unknown';
      const ended = state === 'inactive' && file.mayEnd && now?.get('Result') === 'success';
      if (ended) return [];
      if (state !== 'active')
        return [
          {
            unit,
            why: `is ${state}${now?.get('Result') === 'success' ? '' : ` (${now?.get('Result') ?? '?'})`}`,
          },
        ];
      const restarts = (of: ReadonlyMap<string, string> | undefined): string =>
        `${of?.get('NRestarts') ?? ''} ${of?.get('MainPID') ?? ''}`;
      return restarts(now) === restarts(before.get(unit)) ? [] : [{ unit, why: 'keeps being restarted' }];
    }),
  );
}

function readState(line: string): [string, ReadonlyMap<string, string>] {
  const [unit = '', ...fields] = line.trim().split(' ');
  return [
    unit,
    new Map(fields.map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)])),
  ];
}
