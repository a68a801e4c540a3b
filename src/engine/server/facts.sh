# What a server looks like before a run touches it. Changes nothing that stays. Prints lines `KEY=VALUE`, and blocks from `@NAME` to `@end`.
# Arguments: paths below `shared/` to look for. Needs `try_switch`, which prints `switch=METHOD`, `transfer_probe` and lockIdentity.sh.
: "${project?}" "${current?}" "${has_releases?}"
LC_ALL=C; export LC_ALL
live=''

say() { printf '%s\n' "$1"; }

not_writable() {
  case $({ : >"$1/.durant-try-$$"; } 2>&1) in *[Rr]ead-only*) say obstacle=read-only-file-system;; *) say obstacle=read-only;; esac
  rm -f "$1/.durant-try-$$" 2>/dev/null
}

closed() { case $(ls -ld "$1") in ?????????[xt]*) return 1;; esac; }

say "home=$HOME"; say "user=$(id -un)"; say "clock=$(date +%s)"
for t in readlink mktemp awk sed sort find xargs df grep dd gzip; do command -v "$t" >/dev/null 2>&1 || say "missing=$t"; done
[ -z "$has_releases" ] || try_switch
if command -v setsid >/dev/null 2>&1; then say setsid=yes; fi
if [ -e "/var/lib/systemd/linger/$(id -un)" ] && command -v systemd-run >/dev/null 2>&1; then say scopes=yes; fi
if [ -d /etc/systemd ]; then cat /usr/lib/systemd/logind.conf /etc/systemd/logind.conf /usr/lib/systemd/logind.conf.d/*.conf /run/systemd/logind.conf.d/*.conf /etc/systemd/logind.conf.d/*.conf 2>/dev/null | sed -n 's/^[[:space:]]*Kill/logind=Kill/p'; fi

if [ -d "$project" ]; then
  say exists=yes
  for x; do [ -e "$project/shared/$x" ] || say "noshared=$x"; done
  if cd "$project" 2>/dev/null && [ -r . ]; then
    say "project=$(pwd -P)"
    if ! [ -w . ] || { [ -e .durant ] && ! [ -w .durant ]; } || { [ -n "$has_releases" ] && [ -e releases ] && ! [ -w releases ]; }; then not_writable .; fi
    if closed . || { [ -d releases ] && closed releases; }; then say hidden=yes; fi
    if [ -d .durant ]; then say managed=yes; [ -f .durant/version ] && say "layout=$(cat .durant/version)"
    else for e in * .[!.]* ..?*; do
      case $e in shared) continue;; esac
      if [ -e "$e" ] || [ -L "$e" ]; then say "foreign=$e"; break; fi
    done; fi
    [ ! -f .durant/live ] || say "inplace=$(cat .durant/live)"
    if [ -z "$has_releases" ]; then :
    elif [ -L "$current" ]; then
      l=$(readlink "$current"); say "current=$l"
      # shellcheck disable=SC2034 # For transfer_probe.
      case $l in */*) n=${l##*/}; if [ "$(cd -P "$current" 2>/dev/null && pwd -P)" = "$(cd -P "releases/$n" 2>/dev/null && pwd -P)" ] && [ -d "releases/$n" ]; then live=$n; say "live=$n"; fi;; esac
    elif [ -e "$current" ]; then say currentfolder=yes; fi
    for d in releases/*/; do [ -d "$d" ] || continue; d=${d%/}; say "folder=${d#releases/}"; done
    if [ -e .durant/lock ]; then say "lockid=$(lock_id)"; say @lock; cat .durant/lock 2>/dev/null; say; say @end; fi
    for e in .durant/lock.taken-*; do [ -f "$e" ] && say "taker=${e#.durant/lock.taken-} $(awk '$1 == "run" { gsub("\"", "", $3); print $3; exit } NF == 1 { print; exit }' "$e")"; done
    [ ! -e .durant/maintenance ] || say maintenance=yes
    if [ -f .durant/hold ]; then say @hold; cat .durant/hold; say; say @end; fi
    if [ -f .durant/rollback ]; then say @rollback; cat .durant/rollback; say; say @end; fi
    for e in .durant/reverted.*; do [ -f "$e" ] && { say @reverted; cat "$e"; say; say @end; }; done
    for e in .durant/releases/*.services; do e=${e##*/}; [ "$e" = '*.services' ] || say "services=${e%.services}"; done
    set -- .durant/releases/*.ini
    # One that somebody removes meanwhile ends awk: then all are read again.
    i=0; while [ -f "$1" ] && [ $i -lt 5 ]; do
      awk 'FNR==1 { f=FILENAME; sub(/.*\//, "", f); print "@record " f } { print }' "$@" 2>/dev/null && i=5
      say @end; i=$((i + 1)); [ $i -gt 5 ] || set -- .durant/releases/*.ini
    done
    transfer_probe
  else say obstacle=denied; fi
elif [ -e "$project" ] || [ -L "$project" ]; then say obstacle=not-a-folder
else
  q=$project; while ! [ -d "$q" ]; do q=$(dirname -- "$q"); done
  cd "$q" 2>/dev/null && [ -w . ] || not_writable "$q"
  case $(umask) in *[1357]) say hidden=yes;; esac
  transfer_probe
fi
df -Pk . 2>/dev/null | awk 'NR > 1 && NF >= 6 { print "free=" $(NF-2) }'
df -Pi . 2>/dev/null | awk 'NR > 1 && NF >= 6 { print "inodes=" $(NF-2) }'
:
