# How a few paths of a folder are looked at, where scanning all of it would cost too much. Needs paths.sh and scan.sh.
: "${times?}" "${f?}"

# look LIST: what stands at its paths, as lines `TYPE MODE SIZE TIME PATH`; nothing for a path where nothing does. TIME is of the last change
# of the content, or of anything ($times is `mtime` or `ctime`), in seconds; `-` where the server's tools do not tell.
look() {
  [ -s "$1" ] || return 0
  if [ "$times" = ctime ]; then set -- "$1" %C@ %Z %c; else set -- "$1" %T@ %Y %m; fi
  F="%m %s $2 - - %y/%p\n"; export F
  if find . -prune -printf "$F" >/dev/null 2>&1; then slots "$1" | xargs -0 sh -c 'exec find "$@" -prune -printf "$F"' sh 2>/dev/null
  elif stat -c %a . >/dev/null 2>&1; then slots "$1" | xargs -0 stat -c "%a %s $3 - - %F/%n" 2>/dev/null
  elif stat -f %Lp . >/dev/null 2>&1; then slots "$1" | xargs -0 stat -f "%Mp%Lp %z $4 - - %HT/%N" 2>/dev/null
  else slots "$1" | xargs -0 ls -lnd 2>/dev/null | listed_by_ls
  fi | entries seconds
}

slots() {
  awk 'index($0,"\\")==0{print ".//./" $0}' "$1" | tr '\n' '\0'
  awk 'index($0,"\\")' "$1" | while IFS= read -r p; do raw "$p"; printf './/%s\0' "$f"; done
}
