# Lists go into $W, which is absolute and exported. Needs paths.sh and scan.sh.
: "${f?}"

# hashes LIST: `HASH PATH` of regular files below the current folder. Each process has a file for its lines, as those of several would mix in
# one pipe.
hashes() {
  rm -rf "$W/p"; mkdir "$W/p" || return
  # One line a file, in their order: a name is taken from the list, as some tools write other bytes for it. Without a line for each, it is theirs.
  # shellcheck disable=SC2089 # A program of awk, which nobody splits.
  pair='NR<=n{p[NR]=$0;next} {h[++m]=$0} END{
    for(j=1;j<=m;j++) if(m==n) { if(j>1)print substr(h[j],1,64) " " substr(p[j],3) }
    else { i=index(h[j],"./"); if(i>64)print substr(h[j],1,64) " " substr(h[j],i+2) } }'
  # shellcheck disable=SC2090
  export pair
  awk 'index($0,"\\")==0{print "./" $0}' "$1" | tr '\n' '\0' |
    xargs -0 -n 2500 -P 4 sh -c 'set -- /dev/null "$@"; { printf "%s\n" "$@"; $H "$@"; } | awk -v n=$# "$pair" >"$W/p/$$"' sh
  find "$W/p" -type f -exec cat {} +
  awk 'index($0,"\\")' "$1" | while IFS= read -r p; do raw "$p"; h=$($H <"$f") && printf '%.64s %s\n' "$h" "$p"; done
}

# hash_lists: $W/h with the hashes of the files in $W/f, and of the targets of the links in $W/l.
hash_lists() {
  hashes "$W/f" >"$W/h"
  [ -s "$W/l" ] || return 0
  rm -rf "$W/k"; mkdir "$W/k" || return; n=0
  while IFS= read -r p; do n=$((n+1)); raw "$p"; readlink -n "$f" >"$W/k/$n"; done <"$W/l"
  awk '{print NR}' "$W/l" >"$W/n"
  (cd "$W/k" && hashes "$W/n") | awk 'k==1{p[FNR]=$0;next}{print $1 " " p[$2]}' k=1 "$W/l" k=2 - >>"$W/h"
}

# describe: the current folder as manifest lines, sorted.
describe() {
  scan >"$W/scan" || return; : >"$W/f"; : >"$W/l"
  awk '{p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p)} $1=="f"||$1=="l"{print p >(ENVIRON["W"] "/" $1)}' "$W/scan"
  hash_lists || return
  awk 'k==1{h[substr($0,66)]=substr($0,1,64);next}
    {p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print $1 " " $2 " " $3 " " ($1=="d"?"-":(p in h)?h[p]:"?") " " p}' k=1 "$W/h" k=2 "$W/scan" |
    sort -t ' ' -k 5
}

folders() { find "$1" -type d ! -perm 755 -exec chmod a-st,u=rwx,go=rx {} +; }
