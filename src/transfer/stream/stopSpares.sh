# stop_spares KEEP: ends a spare in the making and removes every spare but `.durant/spare.KEEP`. The process is ended only where its command
# line still is that spare's, so an id that was given away is left alone (a zombie has none).
stop_spares() {
  if [ -f "$D/spare.lock" ]; then
    p='' r=''; read -r p r <"$D/spare.lock"
    if making; then
      kill -TERM "-$p" 2>/dev/null || kill -TERM "$p" 2>/dev/null
      i=0; while making && [ $i -lt 60 ]; do i=$((i+1)); sleep 0.05 2>/dev/null || sleep 1; done
      ! making || kill -KILL "-$p" 2>/dev/null || kill -KILL "$p" 2>/dev/null
    fi
    rm -f "$D/spare.lock"
  fi
  for s in "$D"/spare.*; do [ "$s" = "$D/spare.$1" ] || [ ! -e "$s" ] || rm -rf "$s"; done
}

making() {
  case $( { tr '\0' ' ' <"/proc/$p/cmdline" || ps -p "$p" -o args=; } 2>/dev/null) in *"spare.$r/make"*) return 0;; esac
  return 1
}
