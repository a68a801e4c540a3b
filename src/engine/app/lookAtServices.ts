/** A look at what a server has of a set of services, and whether it would take them; it changes nothing. */
import { quote, scratchFolder } from '../../remote/shell.ts';
import { CADDY_FOLDER, useManager } from './manager.ts';
import { markOf, type ServiceSet } from './serviceSet.ts';

export interface ServicesFacts {
  readonly hasSystemctl: boolean;
  /** Whether systemd can be asked about units before they are installed. */
  readonly hasAnalyze: boolean;
  /** For `systemd: user`: whether its systemd answers, and runs without a login. */
  readonly userManager: boolean;
  readonly lingers: boolean;
  readonly sudo: 'none' | 'free' | 'password' | 'missing';
  /** Files that stand where ours would go, and are not ours. */
  readonly foreign: readonly string[];
  /** Files that stand there and could not be looked into. */
  readonly unreadable: readonly string[];
  /** Files of the set that are installed as they are wanted, by name or path. */
  readonly same: ReadonlySet<string>;
  /** Unit files with this project's mark. */
  readonly ours: readonly string[];
  /** What `systemd-analyze verify` and `caddy validate` said where they refused. */
  readonly refusedUnits: string | undefined;
  readonly refusedSite: string | undefined;
  readonly hasCaddy: boolean;
  readonly caddyRuns: boolean;
  /** Whether the main Caddyfile, or one that it imports, imports the site file; undefined where nobody may read it. */
  readonly imported: boolean | undefined;
  /** Whether the login user may write in the folder of site files, or make it. */
  readonly ownSites: boolean;
  readonly hasSites: boolean;
}

/** sh text; prints what `parseLook` reads. Temporary files go to the server's own temporary folder and are removed. */
export function lookScript(set: ServiceSet, project: string): string {
  const mark = quote(markOf(project));
  const { site } = set;
  const names = set.units.map(({ name }) => quote(name)).join(' ');
  return `LC_ALL=C; export LC_ALL
as() { :; }
${useManager(set.manager)}
say() { printf '%s\\n' "$1"; }
${scratchFolder('t')} || exit 1
mkdir "$t/units"
${set.units.map(({ name, text }) => `printf %s ${quote(text)} > "$t/units/"${quote(name)}`).join('\n')}
if command -v systemctl >/dev/null 2>&1; then say systemctl=yes; fi
if [ "$(id -u)" = 0 ]; then say sudo=none
elif ! command -v sudo >/dev/null 2>&1; then say sudo=missing
elif sudo -n true 2>/dev/null || sudo -n -l systemctl >/dev/null 2>&1; then say sudo=free
else say sudo=password; fi
${
  set.manager === 'user'
    ? `look show-environment >/dev/null 2>&1 && say manager=yes
[ -e "/var/lib/systemd/linger/$(id -un)" ] && say linger=yes`
    : ''
}
for n in ${names}; do
  for d in $places; do
    f=$d/$n
    [ -e "$f" ] || [ -L "$f" ] || continue
    if [ "$d" = "$home" ] && [ -f "$f" ] && ! [ -L "$f" ]; then
      grep -qxF ${mark} "$f"
      case $? in 0) cmp -s "$t/units/$n" "$f" && say "same=$n";; 1) say "foreign=$f";; *) say "unreadable=$f";; esac
    else say "foreign=$f"; fi
  done
done
for f in "$home"/*.service "$home"/*.socket "$home"/*.timer; do
  [ -f "$f" ] && grep -qxF ${mark} "$f" && say "ours=\${f##*/}"
done
if [ -n ${quote(names)} ] && command -v systemd-analyze >/dev/null 2>&1; then
  say analyze=yes
  systemd-analyze ${set.manager === 'user' ? '--user ' : ''}verify --man=no "$t"/units/* > "$t/said" 2>&1 || { say @units; sed "s#$t/units/##g" "$t/said"; say @end; }
fi
${site === undefined ? '' : lookAtSite(site, mark)}
:`;
}

function lookAtSite(site: NonNullable<ServiceSet['site']>, mark: string): string {
  const path = quote(site.path);
  const folder = site.path.slice(0, site.path.lastIndexOf('/'));
  return `printf %s ${quote(site.text)} > "$t/site"
if [ -e ${path} ] || [ -L ${path} ]; then
  if [ -f ${path} ]; then
    grep -qxF "# "${mark} ${path}
    case $? in 0) cmp -s "$t/site" ${path} && say same=${path};; 1) say foreign=${path};; *) say unreadable=${path};; esac
  else say foreign=${path}; fi
fi
if command -v caddy >/dev/null 2>&1; then
  say caddy=yes
  HOME=$t XDG_DATA_HOME=$t XDG_CONFIG_HOME=$t caddy validate --adapter caddyfile --config "$t/site" > "$t/said" 2>&1 || { say @site; grep -i error "$t/said" | tail -n 3; say @end; }
fi
systemctl is-active --quiet caddy 2>/dev/null && say caddyruns=yes
if [ -d ${quote(folder)} ]; then say hassites=yes; [ -w ${quote(folder)} ] && say ownsites=yes; elif [ -w ${quote(folder.slice(0, folder.lastIndexOf('/')) || '/')} ]; then say ownsites=yes; fi
imports() {
  while read -r w p rest; do
    [ "$w" = import ] || continue
    p=\${p#\\"}; p=\${p%\\"}
    case $p in /*) ;; *) p=\${1%/*}/$p;; esac
    case ${path} in $p) say imported=yes; return;; esac
    [ "$2" -gt 0 ] || continue
    for g in $p; do [ -f "$g" ] && [ -r "$g" ] && [ "$g" != ${path} ] && (imports "$g" $(($2-1))); done
  done < "$1"
}
if [ -r ${CADDY_FOLDER}/Caddyfile ]; then say readable=yes; imports ${CADDY_FOLDER}/Caddyfile 3; fi`;
}

export function parseLook(stdout: string): ServicesFacts {
  const values = new Map<string, string[]>();
  const blocks = new Map<string, string[]>();
  let block: string[] | undefined;
  for (const line of stdout.split('\n')) {
    if (line === '@end') block = undefined;
    else if (block !== undefined) block.push(line);
    else if (line.startsWith('@')) blocks.set(line.slice(1), (block = []));
    else {
      const at = line.indexOf('=');
      if (at > 0)
        values.set(line.slice(0, at), [...(values.get(line.slice(0, at)) ?? []), line.slice(at + 1)]);
    }
  }
  const is = (key: string): boolean => values.get(key)?.[0] === 'yes';
  const sudo = values.get('sudo')?.[0];
  return {
    hasSystemctl: is('systemctl'),
    hasAnalyze: is('analyze'),
    userManager: is('manager'),
    lingers: is('linger'),
    sudo: sudo === 'none' || sudo === 'free' || sudo === 'password' ? sudo : 'missing',
    foreign: [...new Set(values.get('foreign'))],
    unreadable: values.get('unreadable') ?? [],
    same: new Set(values.get('same')),
    ours: values.get('ours') ?? [],
    refusedUnits: blocks.get('units')?.join('\n').trim(),
    refusedSite: blocks.get('site')?.join('\n').trim(),
    hasCaddy: is('caddy'),
    caddyRuns: is('caddyruns'),
    imported: is('readable') ? is('imported') : undefined,
    ownSites: is('ownsites'),
    hasSites: is('hassites'),
  };
}
