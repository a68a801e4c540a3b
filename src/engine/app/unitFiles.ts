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

/** Defines `each VERB UNIT…`, which goes on where a unit is not there. */
export const DEFINE_EACH = 'each() { verb=$1; shift; for u in "$@"; do ctl "$verb" "$u" 2>/dev/null; done; }';

/** Stops units together, so that no socket starts its service again, and removes their files with this mark. */
export function removeUnits(names: string, mark: string): string {
  return `gone=
for n in ${names}; do [ -f "$home/$n" ] && grep -qxF ${mark} "$home/$n" && gone="$gone $n"; done
if [ -n "$gone" ]; then
  ctl stop $gone 2>/dev/null || for n in $gone; do ctl stop "$n" 2>/dev/null; done
  for n in $gone; do
    ctl disable --quiet "$n" 2>/dev/null
    change rm -f "$home/$n" || exit 1
    echo "removed $n"
  done
  ctl daemon-reload
  for n in $gone; do if look is-failed --quiet "$n" 2>/dev/null; then ctl reset-failed "$n" 2>/dev/null; fi; done
fi`;
}
