# Puts what stageFiles.sh has staged in place, by the instructions on standard input. Needs paths.sh, scan.sh, ownership.sh and `enter`.
: "${top?}" "${mask?}" "${run?}" "${release?}" "${count?}" "${f?}" "${cwd?}"

# in_folders LIST MISSING COMMAND: runs COMMAND with the names of LIST's paths in the folder that they lie in, $d, one folder after the
# other. What the shell has entered is looked at before: a folder that became a link since the comparison fails, saying so. One that is gone
# fails, or is passed over with MISSING `skip`. (In busybox's awk `[^\\/]` is no backslash either, so the expression is a string.) Links that the
# comparison has found inside the project are in $W/l.
in_folders() {
  awk 'k==1{ linked[$0]; next }
    { d=$0; b=$0; if(sub("/[^/]*$","",d))b=substr(b,length(d)+2); else d="."
      if(d!=last){ x="D"; q=d; do if(q in linked)x="L"; while(sub("/[^/]*$","",q)); print x d; last=d }
      print "N" b }' k=1 "$W/l" k=2 "$1" >"$W/g" || return
  missing=$2; shift 2; command=$*
  (set --; d=
    unescaped() { case $1 in *\\*) raw "$1";; *) f=./$1;; esac; }
    run() { [ $# = 0 ] || $command "$@"; }
    while IFS= read -r line; do
      unescaped "${line#?}"
      case $line in
        N*) [ -z "$d" ] || set -- "$@" "$f"; [ $# -lt 200 ] || { run "$@" || exit 1; set --; }; continue;;
      esac
      run "$@" || exit 1; set --; d=${f#./}
      case $line in D*) enter "$d";; *) enter_linked "$d";; esac && continue
      if [ "$missing" = skip ] && ! [ -e "$top/$d" ] && ! [ -L "$top/$d" ]; then d=; continue; fi
      printf '%s\n' "$d: since the comparison a folder on this path became a link or went away, so nothing was changed in it" >&2; exit 1
    done <"$W/g"
    run "$@")
}
enter_linked() {
  cd -P "$top" && cd -P "./$1" 2>/dev/null && where_am_i && case $cwd/ in "$top/$D/"*) false;; "$top"/?*) :;; *) false;; esac
}
bring() { for x; do set -- "$@" "$top/$I/in/tree/$d/$x"; shift; done; mv -f "$@" .; }
rmdirs() { rmdir "$@" 2>/dev/null; :; }

I=$D/incoming.$run M=$D/manifests/$release
W=$top/$I/place; export W
die() { echo "transfer.failed=$1"; echo "transfer.left=$(find "$I/in/tree" ! -type d | grep -c .)"; exit 1; }
rm -rf "$W"; mkdir -p "$W" || die folder
for x in l c o m d r tree; do : >"$W/$x"; done
awk 'whole{ print >(ENVIRON["W"] "/tree"); next } $0==""{ whole=1; next } { print substr($0,3) >(ENVIRON["W"] "/" $1) }' || die folder
{ ownership; listed <"$W/tree"; } | sort -u >"$W/owned" && cp "$W/owned" "$D/owned.new" && mv "$D/owned.new" "$D/owned" || die folder
in_folders "$W/c" skip rm -f || die apply
while IFS= read -r p; do
  raw "$p"; q=$p; export q; printf '%s\n' "$p"
  (cd "$f" && scan) | awk '$1=="d"{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print ENVIRON["q"] "/" p }'
done <"$W/o" | sort -r >"$W/emptied"
in_folders "$W/emptied" skip rmdirs || die apply
in_folders "$W/m" fail mkdir -p || die apply
(cd "$I/in/tree" && scan) | awk '$1!="d"{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); i=p; if(!sub("/[^/]*$","",i))p=".//" p; else p=i "/" substr(p,length(i)+1); print p }' |
  sort | sed 's,//,/,' >"$W/files" || die apply
[ "$(wc -l <"$W/files")" -eq "$count" ] || die apply
in_folders "$W/files" fail bring || die apply
in_folders "$W/d" skip rm -f || die apply
in_folders "$W/r" skip rmdirs || die apply
awk 'k<3{ gone[$0]; next } !(substr($0,3) in gone)' k=1 "$W/d" k=2 "$W/r" k=3 "$W/owned" >"$D/owned.new" && mv "$D/owned.new" "$D/owned" || die finish
umask "$mask"; mkdir -p "$D/manifests" && cat "$W/tree" >"$M.new" && rm -f "$M.touched" && mv "$M.new" "$M" || die finish
rm -rf "$D"/incoming.*; sync -f . 2>/dev/null || sync
echo transfer.done=yes
