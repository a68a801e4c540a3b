/** `writable`: folders that the web server may write (Deployer's deploy:writable, without following links). */
import type { Settings } from '../../config/options/options.ts';
import { isAskedFor } from '../../config/options/stepOptions.ts';
import { asDurantError, type DurantError } from '../../errors.ts';
import { enterFolder, quote, refuseLinks, whereAmI } from '../../remote/shell.ts';
import { inRelease } from '../run/hooks.ts';
import type { NamedRun, Run } from '../run/run.ts';
import { runScript } from '../run/script.ts';
import type { Step } from '../run/step.ts';
import { trim } from './shared.ts';
import { findWebUser, webUserFound } from './webUser.ts';

export const writable: Step = {
  name: 'writable',
  inRelease: true,
  applies({ settings }) {
    return isAskedFor(settings, 'writable');
  },
  async look({ run }) {
    const { writable_dirs, writable_mode } = run.settings;
    return { achieved: false, reason: `${writable_dirs.join(', ')} to make writable (${writable_mode})` };
  },
  async achieve({ run, server, signal }) {
    try {
      const { stdout } = await runScript(server, writableScript(requestOf(run)), { signal });
      const line = webUserFound(stdout.toString('utf8'));
      if (line !== undefined)
        run.emit({ event: 'output', server: server.address.entry, stream: 'stdout', line });
    } catch (thrown) {
      throw withRemedy(run, asDurantError(thrown));
    }
  },
};

/** What lacks a right is the mode, not project_dir. */
function withRemedy({ settings }: Run, error: DurantError): DurantError {
  const isSudo = /sudo: /.test(error.output);
  if (error.code !== 'permission-denied' && !isSudo) return error;
  const remedy =
    isSudo || settings.writable_use_sudo
      ? 'Let the login user run it by sudo without a password, or choose another writable_mode.'
      : 'Set writable_use_sudo: yes, or choose another writable_mode.';
  return error.with({
    summary: `writable_dirs could not be made writable (${settings.writable_mode}).`,
    remedy,
  });
}

/** What the script needs to know. Paths are below project_dir. */
export interface WritableRequest {
  readonly settings: Pick<
    Settings,
    | 'writable_mode'
    | 'writable_recursive'
    | 'writable_chmod_mode'
    | 'writable_use_sudo'
    | 'http_user'
    | 'http_group'
  >;
  readonly folders: readonly string[];
  /** A folder that the script may make and remove; on the file system of the others. */
  readonly scratch: string;
}

function requestOf(run: NamedRun): WritableRequest {
  const folders = run.settings.writable_dirs.map((path) => folderOf(run, trim(path)));
  return { settings: run.settings, folders, scratch: `.durant/incoming.${run.id}` };
}

/** Run in project_dir. Says on standard output whom it found as the web server's user (`webUserFound`). */
export function writableScript({ settings, folders, scratch }: WritableRequest): string {
  const lines = [refuseLinks()];
  for (const path of folders)
    lines.push(`refuse_links ${quote(path)} && { [ -d ${quote(path)} ] || mkdir -p ${quote(path)}; } || exit 1
[ ! -L ${quote(path)} ] || { echo ${quote(`${path} is a symbolic link, which Durant does not follow here`)} >&2; exit 1; }`);
  if (settings.writable_mode === 'skip') return lines.join('\n');
  const change = changeOf(settings);
  lines.push(
    enterFolder(),
    `as=${settings.writable_use_sudo ? "'sudo -n'" : ''} me=$(id -u) u= g=`,
    ...namesFor(settings),
    `change_folder() { ${change.folder}; }`,
  );
  const isDeep = settings.writable_recursive || settings.writable_mode === 'sticky';
  if (isDeep) lines.push(recursion(scratch, change));
  else lines.push('make() { change_folder; }');
  if (settings.writable_mode === 'acl') lines.push(makeAcl);
  for (const path of folders) {
    const unreachable = `${path} cannot be entered by the login user, or a folder on the way has become a symbolic link`;
    lines.push(
      `(enter ${quote(path)} || { echo ${quote(unreachable)} >&2; exit 1; }; ${settings.writable_mode === 'acl' ? 'make_acl' : 'make'}) || exit 1`,
    );
  }
  if (isDeep) lines.push('rm -rf "$copy"');
  return lines.join('\n');
}

/** A folder below a shared one is made writable where it really is: in `shared/`. */
function folderOf(run: NamedRun, path: string): string {
  const isShared = run.settings.shared_dirs
    .map(trim)
    .some((dir) => path === dir || path.startsWith(`${dir}/`));
  return isShared ? `shared/${path}` : inRelease(run, path);
}

/** Sets `$u` and `$g`, as far as the mode gives rights to them. */
function namesFor(settings: WritableRequest['settings']): string[] {
  const { writable_mode: mode, http_user: user, http_group: group } = settings;
  if (mode === 'chmod') return [];
  const byGroup = mode === 'chgrp' || mode === 'sticky';
  if (byGroup && group !== undefined) return [`g=${quote(group)}`];
  const lines = [user === undefined ? findWebUser() : `u=${quote(user)}`];
  if (byGroup) lines.push('g=$(id -gn "$u" 2>/dev/null || id -gn)');
  return lines;
}

/** What makes writable: the folder that has been entered, with `$as` before each command; and files, which come after the words. */
interface Change {
  readonly folder: string;
  readonly files: readonly string[];
}

function changeOf({ writable_mode: mode, writable_chmod_mode: bits }: WritableRequest['settings']): Change {
  const acl = 'u:$u:rwX,u:$me:rwX';
  switch (mode) {
    case 'chown':
      return { folder: '$as chown -h "$u" .', files: ['chown -h "$u"'] };
    case 'chgrp':
      return {
        folder: '$as chgrp -h "$g" . && $as chmod g+rwX .',
        files: ['chgrp -h "$g"', 'chmod g+rwX'],
      };
    case 'chmod':
      return { folder: `$as chmod ${quote(bits)} .`, files: [`chmod ${quote(bits)}`] };
    case 'sticky':
      return {
        folder: '$as chgrp -h "$g" . && $as chmod g+rwxs .',
        files: ['chgrp -h "$g"', 'chmod g+rw'],
      };
    case 'acl':
      return {
        folder: `$as setfacl -m "${acl},d:u:$u:rwX,d:u:$me:rwX" .`,
        files: [`setfacl -m "${acl}"`],
      };
    case 'skip':
      return { folder: ':', files: [] };
  }
}

/** What has the ACL already is left alone. */
const makeAcl = String.raw`make_acl() {
  if [ "$(uname)" = Darwin ]; then $as chmod +a "$u allow delete,write,append,file_inherit,directory_inherit" .
  elif ! command -v setfacl >/dev/null 2>&1; then echo 'setfacl is not installed there. Install the package acl, or set writable_mode in durant.conf.' >&2; return 1
  elif getfacl . 2>/dev/null | grep -q "^default:user:$u:rw" && getfacl . 2>/dev/null | grep -q "^user:$u:rw"; then :
  else make; fi
}`;

/**
 * Defines `make` for the folder that has been entered and what is in it. The web server can swap at any moment what lies in a folder that
 * it may write, so no path is trusted. Each folder is entered and looked at there. Files are linked to where only the login user can reach
 * them and changed there, all at once at the end: chmod and setfacl follow a symbolic link, a hard link stays what it is. Only what belongs
 * to the login user is changed: what the web server wrote itself needs no more rights (Deployer #433, #1976).
 */
function recursion(scratch: string, { folder, files }: Change): string {
  const walk = String.raw`me=$1 u=$2 g=$3 link=$4 copy=$5 as=; export link
${whereAmI}
change_folder() { ${folder}; }
# Whose folder this is, without a process where the shell can tell.
if [ -O "$copy" ] 2>/dev/null; then mine() { [ -O . ]; }; give() { :; }
else mine() { [ -n "$(find . -prune -user "$me")" ]; }; give() { chown "$me" "$1"; }; fi
walk() {
  files=
  for name in * .[!.]* ..?*; do
    if [ -L "$name" ]; then :
    elif [ -f "$name" ]; then files=yes
    elif [ -d "$name" ]; then
      (cd -P "./$name" 2>/dev/null && where_am_i && [ "$cwd" = "$here/$name" ] && mine || exit 0; here=$cwd; walk) || return 1
    fi
  done
  if [ -n "$files" ]; then
    into=$(mktemp -d "$copy/XXXXXXXXXX") && give "$into" || return 1
    find . ! -name . -prune -type f -user "$me" -exec sh -c '$link "$@" "$0"' "$into" {} + 2>/dev/null
  fi
  change_folder
}
where_am_i; here=$cwd
if mine; then walk; else change_folder; fi &&
  find "$copy" -type f -user "$me" ${files.map((words) => `-exec ${words} {} +`).join(' ')}; status=$?
rm -rf "$copy"/* && exit $status`;
  return `copy=$top/${quote(scratch)} link=:
rm -rf "$copy" && mkdir -m 700 "$copy" && ln -s a "$copy/a" || exit 1
for each in 'ln -P' ln; do if $each "$copy/a" "$copy/b" 2>/dev/null && [ -L "$copy/b" ]; then link=$each; break; fi; done
rm -f "$copy/a" "$copy/b"
make() { $as sh -c ${quote(walk)} sh "$me" "$u" "$g" "$link" "$copy"; }`;
}
