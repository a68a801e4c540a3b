# What lies on a server compared with the manifest of its release. Prints `no manifest`, or lines `KIND OWN TYPE PATH` and `end`. Arguments:
# PATH ESCAPED of each shared path of the release whose link is looked through. $W is a new folder, absolute and exported.
# Needs paths.sh, scan.sh, hashes.sh, and with strategy inplace look.sh.
: "${release?}" "${strategy?}"

# through PATH ESCAPED: what is behind a link of the release, as if it stood in its place; a mode of `-` is not compared.
through() {
  [ -L "$R/$1" ] && [ -e "$R/$1" ] || return 0
  printf '%s\n' "$2" >>"$W/links"
  if [ -d "$R/$1" ]; then
    printf 'd - 0 - %s\n' "$2" >>"$W/behind"
    (cd "$R/$1" && scan) | P=$2 awk '{ h=$1 " " $2 " " $3 " " $4; print h " " ENVIRON["P"] "/" substr($0,length(h)+2) }' >>"$W/behind"
  else printf 'f - %s - %s\n' "$(($(wc -c <"$R/$1")))" "$2" >>"$W/behind"; fi
}

n=$release M=$D/manifests/$release
[ -f "$M" ] || { echo 'no manifest'; exit 0; }
t=$M.touched; [ -f "$t" ] || t=/dev/null
if [ "$strategy" = inplace ]; then
  R=.
  awk '{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print p }' "$M" >"$W/paths" && look "$W/paths" >"$W/scan" || exit 1
  for f in "$M" "$M.touched"; do [ ! -f "$f" ] || printf '%s\n' "$f"; done >"$W/noted.paths"; look "$W/noted.paths" >"$W/noted" || exit 1
else
  R=releases/$n
  (cd "$R" && scan) >"$W/inside" || exit 1
  : >"$W/behind"; : >"$W/links"
  while [ $# -gt 0 ]; do through "$1" "$2"; shift 2; done
  awk '{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p) } k==1{ link[$0]; next } !(p in link)' k=1 "$W/links" k=2 "$W/inside" >"$W/scan"
  cat "$W/behind" >>"$W/scan"
  (cd "$D/manifests" && scan) | n=$n awk '{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p) } p==ENVIRON["n"]||p==ENVIRON["n"] ".touched"' >"$W/noted"
fi
for x in f l left; do : >"$W/$x"; done
awk 'function path(k, p) { p=$0; while(k--)p=substr(p,index(p," ")+1); return p }
  function own(p) { return at[p] "" <= since "" ? "own" : "-" }
  k==1{ touched[$0]; next }
  k==2{ if($4 "" > since "")since=$4; next }
  { p=path(4) }
  k==3{ type[p]=$1; mode[p]=$2; size[p]=$3; at[p]=$4; next }
  { listed[p]; o=(p in touched) }
  !(p in type){ print "deleted " (o?"own":"-") " " $1 " " p; next }
  type[p]!=$1||($1!="d"&&size[p]!=$3){ print "changed " (o?own(p):"-") " " $1 " " p; next }
  mode[p]!="-"&&mode[p]!=$2{ print "mode " (o?own(p):"-") " " $1 " " p }
  $1!="d"{ print p >(ENVIRON["W"] "/" $1); print $4 " " (o?own(p):"-") " " $1 " " p >(ENVIRON["W"] "/left") }
  END{ for(p in type)if(!(p in listed))print "added " own(p) " " type[p] " " p }' k=1 "$t" k=2 "$W/noted" k=3 "$W/scan" k=4 "$M" >"$W/out" || exit 1
(cd "$R" && hash_lists) || exit 1
awk 'k==1{ h[substr($0,66)]=substr($0,1,64); next }
  { p=$0; sub(/^[^ ]* [^ ]* [^ ]* /,"",p) } h[p]!=$1{ print "changed " $2 " " $3 " " p }' k=1 "$W/h" k=2 "$W/left" >>"$W/out"
cat "$W/out"; echo end
