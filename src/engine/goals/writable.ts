/** `writable`: folders that the web server may write (Deployer's deploy:writable, without following links). */
import { DurantError, asDurantError } from '../../errors.ts';
import { quote, refuseLinks } from '../../remote/shell.ts';
import { inRelease } from '../hooks.ts';
import type { Run } from '../run.ts';
import { runScript } from '../script.ts';
import type { Step } from './goal.ts';
import { trim } from './shared.ts';

export const writable: Step = {
  name: 'writable',
  inRelease: true,
  applies({ settings }) {
    return settings.writable_dirs.length > 0;
  },
  async achieved() {
    return false;
  },
  async reason({ run }) {
    const { writable_dirs, writable_mode } = run.settings;
    return `${writable_dirs.join(', ')} to make writable (${writable_mode})`;
  },
  async achieve({ run, server, signal }) {
    try {
      await runScript(run, server, writableScript(run), { signal });
    } catch (thrown) {
      throw withRemedy(run, asDurantError(thrown));
    }
  },
};

/** What lacks a right is the mode, not project_dir. */
function withRemedy({ settings }: Run, error: DurantError): DurantError {
  const isSudo = /sudo: /.test(error.message);
  if (error.code !== 'permission-denied' && !isSudo) return error;
  const remedy =
    isSudo || settings.writable_use_sudo
      ? 'Let the login user run it by sudo without a password, or choose another writable_mode.'
      : 'Set writable_use_sudo: yes, or choose another writable_mode.';
  const said = error.message.split('\n').slice(1).join('\n');
  return new DurantError(
    error.code,
    `writable_dirs could not be made writable (${settings.writable_mode}). ${remedy}${said === '' ? '' : `\n${said}`}`,
    { server: error.server, cause: error },
  );
}

function writableScript(run: Run): string {
  const { settings } = run;
  const paths = settings.writable_dirs.map((path) => placeOf(run, trim(path)));
  const lines = [refuseLinks()];
  for (const path of paths)
    lines.push(`refuse_links ${quote(path)} && { [ -d ${quote(path)} ] || mkdir -p ${quote(path)}; } || exit 1
[ ! -L ${quote(path)} ] || { echo ${quote(`${path} is a symbolic link, which Durant does not follow here`)} >&2; exit 1; }`);
  if (settings.writable_mode === 'skip') return lines.join('\n');
  lines.push(settings.writable_use_sudo ? 'as() { sudo -n "$@"; }' : 'as() { "$@"; }');
  const byGroup = settings.writable_mode === 'chgrp' || settings.writable_mode === 'sticky';
  if (!byGroup || settings.http_group === undefined)
    lines.push(detectUser(settings.http_user, settings.writable_mode));
  lines.push(
    settings.http_group === undefined
      ? `g=$(id -gn "$u" 2>/dev/null || id -gn)`
      : `g=${quote(settings.http_group)}`,
  );
  for (const path of paths) lines.push(makeWritable(run, quote(path)));
  return lines.join('\n');
}

/** A folder below a shared one is made writable where it really is: in `shared/`. */
function placeOf(run: Run, path: string): string {
  const isShared = run.settings.shared_dirs
    .map(trim)
    .some((dir) => path === dir || path.startsWith(`${dir}/`));
  return isShared ? `shared/${path}` : inRelease(run, path);
}

/** Sets `$u`: the configured user, else the owner of the running web server, as Deployer looks for it. */
function detectUser(user: string | undefined, mode: string): string {
  if (user !== undefined) return `u=${quote(user)}`;
  if (mode === 'chmod') return 'u=$(id -un)';
  return `u=$(ps -eo user=,comm= 2>/dev/null || ps -o user,comm)
u=$(printf '%s\\n' "$u" | awk '$1 != "root" && $2 ~ /apache|httpd|nginx|php-fpm|caddy|lighttpd/ { print $1; exit }')
[ -n "$u" ] || u=$(awk -F: '$1 == "www-data" || $1 == "_www" || $1 == "nginx" || $1 == "apache" { print $1; exit }' /etc/passwd 2>/dev/null)
[ -n "$u" ] || { echo 'The web server user could not be found out; set http_user in durant.conf.' >&2; exit 1; }`;
}

/**
 * The folder itself must come out right; what lies in it and is somebody else's can only be changed with sudo, and is what the web server
 * wrote there itself: it needs no more rights (Deployer #433, #1976).
 */
function makeWritable(run: Run, path: string): string {
  const { writable_mode: mode, writable_recursive: deep, writable_chmod_mode: bits } = run.settings;
  const within = (kind: string, change: string): string =>
    ` && as find ${path}${kind}${run.settings.writable_use_sudo ? '' : ' -user "$(id -u)"'} -exec ${change} {} +`;
  switch (mode) {
    case 'chown':
      return `as chown ${deep ? '-R -P ' : ''}-h "$u" ${path} || exit 1`;
    case 'chgrp': {
      const inside = deep ? within('', 'chgrp -h "$g"') + within(' ! -type l', 'chmod g+rwX') : '';
      return `as chgrp -h "$g" ${path} && as chmod g+rwX ${path}${inside} || exit 1`;
    }
    case 'chmod':
      return `as chmod ${quote(bits)} ${path}${deep ? within(' ! -type l', `chmod ${quote(bits)}`) : ''} || exit 1`;
    case 'sticky':
      return `as chgrp -h "$g" ${path} && as chmod g+rwxs ${path}${within('', 'chgrp -h "$g"')}${within(' -type d', 'chmod g+rwxs')}${within(' -type f', 'chmod g+rw')} || exit 1`;
    case 'acl':
      return aclScript(path, within, deep ? '' : ' -prune');
    case 'skip':
      return '';
  }
}

/** What has the ACL already is left alone. */
function aclScript(path: string, within: (kind: string, change: string) => string, depth: string): string {
  const missing = `echo 'setfacl is not installed there. Install the package acl, or set writable_mode in durant.conf.' >&2; exit 1`;
  const set = `-m "u:$u:rwX" -m "u:$(id -un):rwX"`;
  return `if [ "$(uname)" = Darwin ]; then as chmod +a "$u allow delete,write,append,file_inherit,directory_inherit" ${path} || exit 1
elif ! command -v setfacl >/dev/null 2>&1; then ${missing}
elif getfacl -p ${path} 2>/dev/null | grep -q "^default:user:$u:rw" && getfacl -p ${path} 2>/dev/null | grep -q "^user:$u:rw"; then :
else
  as setfacl ${set} ${path} && as setfacl -d ${set} ${path}${within(`${depth} ! -type l`, `setfacl -P ${set}`)}${within(`${depth} -type d`, `setfacl -P -d ${set}`)} || exit 1
fi`;
}
