/** sh lines that install unit files where they differ from those that are there, and remove them. Pure. */
import { quote } from '../../remote/shell.ts';
import type { UnitFile } from './serviceSet.ts';

/** Where new files wait, below project_dir: what is copied as root comes from a place that sudoers can name. */
export const NEW_FILES = '.durant/services.new';

/**
 * Makes `$t` anew, puts the files in their place, and sets `$changed` to those that differed; systemd reads them. Others' files of these
 * names are left, and end the script. `useManager` has to come before.
 */
export function putUnits(units: readonly UnitFile[], mark: string): string {
  return `t=$PWD/${NEW_FILES}
rm -rf "$t" && mkdir -m 700 "$t" && mkdir "$t/units" || exit 1
changed=
${units.length === 0 ? '' : '[ -d "$home" ] || change mkdir -p "$home" || exit 1'}
put() {
  if cmp -s "$t/units/$1" "$home/$1"; then return 0; fi
  if [ -e "$home/$1" ] || [ -L "$home/$1" ]; then
    if [ -L "$home/$1" ] || ! grep -qxF ${mark} "$home/$1"; then echo "$home/$1 is not of this project" >&2; return 1; fi
  fi
  change cp "$t/units/$1" "$home/.durant.$1" && change chmod 644 "$home/.durant.$1" && change mv -f "$home/.durant.$1" "$home/$1" || return 1
  changed="$changed $1 "; echo "installed $1"
}
${units.map(({ name, text }) => `printf %s ${quote(text)} > "$t/units/"${quote(name)}`).join('\n')}
${units.map(({ name }) => `put ${quote(name)} || exit 1`).join('\n')}
if [ -n "$changed" ]; then ctl daemon-reload || exit 1; fi`;
}

/** Defines `halt UNIT…`, which stops units, those that are not there left out, and notes in `$still` what runs all the same. */
export const DEFINE_HALT = `still=
halt() { for u in "$@"; do ctl stop "$u" 2>/dev/null || ! look is-active --quiet "$u" || still="$still $u "; done; }`;

/** Defines `ours MARK FILE`: whether a file has a project's mark. One that nobody here may read is not ours; where reading fails, the script ends. */
export const DEFINE_OURS =
  'ours() { [ -r "$2" ] || return 1; grep -qxF "$1" "$2" && return 0; [ $? = 1 ] || exit 1; return 1; }';

/** Stops units together, so that no socket starts its service again, and removes their files with this mark. */
export function removeUnits(names: string, mark: string): string {
  return `gone=
for n in ${names}; do [ -f "$home/$n" ] && grep -qxF ${mark} "$home/$n" && gone="$gone $n"; done
if [ -n "$gone" ]; then
  ctl stop $gone 2>/dev/null || for n in $gone; do ctl stop "$n" 2>/dev/null; done
  for n in $gone; do
    # With its file the next run finds it again.
    if look is-active --quiet "$n" 2>/dev/null; then continue; fi
    ctl disable --quiet "$n" 2>/dev/null
    change rm -f "$home/$n" || exit 1
    echo "removed $n"
  done
  ctl daemon-reload
  for n in $gone; do if look is-failed --quiet "$n" 2>/dev/null; then ctl reset-failed "$n" 2>/dev/null; fi; done
fi`;
}
