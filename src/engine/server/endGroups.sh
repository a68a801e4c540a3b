group_lives() {
  kill -0 "-$1" 2>/dev/null || return 1
  [ -r /proc/$$/stat ] || return 0
  cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^.*) //' | awk -v g="$1" '$3 == g && $1 !~ /^[ZX]/ { found = 1 } END { exit !found }'
}

# end_groups FILE: ends the process groups that a run noted there: asked first, killed after three seconds. A reused process id is left alone;
# a zombie has ended, however long its init takes.
# shellcheck disable=SC2046 # Words are wanted.
end_groups() {
  f=$1 l=''
  if [ -r /proc/$$/stat ]; then set -- $(cat /proc/$$/stat); own=$5; else own=$(ps -o pgid= -p $$ | tr -d ' '); fi
  while read -r g s; do
    case $g in ''|0|1|*[!0-9]*|"$own") continue;; esac
    if [ "$s" != - ] && [ -r "/proc/$g/stat" ]; then set -- $(cat "/proc/$g/stat"); [ "${22}" = "$s" ] || continue; fi
    kill -TERM "-$g" 2>/dev/null && l="$l $g"
  done <"$f"
  i=0
  for g in $l; do
    while group_lives "$g"; do
      i=$((i + 1)); if [ $i -gt 15 ]; then kill -KILL "-$g" 2>/dev/null; break; fi; sleep 0.2 2>/dev/null || sleep 1
    done
  done
}
