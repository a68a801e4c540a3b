/** sh text that installs the proxy's site of a set of services, or removes it. Pure. */
import { quote } from '../../remote/shell.ts';
import { CADDY_FOLDER } from './manager.ts';
import { markOf, type ServiceSet } from './serviceSet.ts';

/**
 * Projects of one server share Caddy: one at a time changes its files and reloads it. The lock is the kernel's, on a folder that is there, so
 * that whoever dies gives it back. A page that a stage in maintenance shows stays. Root is needed only where the folder of sites is not the login user's. `$t` is a folder for new files.
 */
export function applySite({
  set,
  project,
  proxyDir,
}: {
  readonly set: Pick<ServiceSet, 'site'>;
  readonly project: string;
  readonly proxyDir: string;
}): string {
  const { site } = set;
  const mark = quote(markOf(project));
  const folder = quote(proxyDir.replace(/\/+$/, ''));
  const path = quote(site?.path ?? '');
  const put =
    site === undefined
      ? ''
      : `printf %s ${quote(site.text)} > "$t/site"
if ! in_maintenance && ! cmp -s "$t/site" ${path}; then
  if [ -e ${path} ] || [ -L ${path} ]; then
    if [ -L ${path} ] || ! grep -qxF "# "${mark} ${path}; then echo ${quote(`${site.path} is not of this project`)} >&2; exit 1; fi
    cp ${path} "$t/before" || exit 1
  fi
  new=${quote(newSitePath(site.path))}
  touch ${UNREAD} 2>/dev/null
  site cp "$t/site" "$new" && site chmod 644 "$new" && site mv -f "$new" ${path} || exit 1
  reload=yes added=yes; echo ${quote(`installed ${site.path}`)}
fi`;
  return `reload= added= lock=${CADDY_FOLDER}
if [ -e ${UNREAD} ]; then reload=yes; fi
${site === undefined ? '' : `[ -d ${folder} ] || mkdir -p ${folder} 2>/dev/null || as mkdir -p ${folder} || exit 1`}
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
  caddy reload --adapter caddyfile --config ${CADDY_FOLDER}/Caddyfile
}
${put}
for f in ${folder}/*.caddy; do
  [ -f "$f" ] && [ "$f" != ${path} ] && ours "# "${mark} "$f" || continue
  touch ${UNREAD} 2>/dev/null; site rm -f "$f" && reload=yes && echo "removed $f"
done
if [ -n "$reload" ] && ! proxy > "$t/said" 2>&1; then
  if [ -f "$t/before" ]; then site cp "$t/before" ${path}; elif [ -n "$added" ]; then site rm -f ${path}; fi
  proxy >/dev/null 2>&1; rm -f ${UNREAD}
  echo 'Caddy refused the site file, and has the one that it had:' >&2; tail -n 5 "$t/said" >&2
  exit 1
fi
rm -f ${UNREAD}
exec 9<&-`;
}

/** There while a site has changed and Caddy may not have read it: a run that dies between the two leaves it to the next. */
const UNREAD = '.durant/site.unread';

/** Where a new site file waits for its place: a name that no other project has, and that Caddy does not import. */
export function newSitePath(path: string): string {
  return path.replace(/([^/]+)\.caddy$/, '.durant.$1');
}
