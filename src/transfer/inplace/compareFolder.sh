# project_dir compared with the manifest on standard input, packed. Prints, packed, lines `WHAT TYPE SIZE MTIME PATH` and `end`. $W is a new folder,
# absolute and exported. Needs scan.sh, hashes.sh, look.sh and ownership.sh.
: "${f?}"
top=$(pwd -P)
gzip -dc >"$W/tree" || exit 1
awk '{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print p }' "$W/tree" >"$W/paths"
look "$W/paths" >"$W/have" || exit 1
for x in f l dl du diff; do : >"$W/$x"; done
awk 'function path(k, p) { p=$0; while(k--)p=substr(p,index(p," ")+1); return p }
  function put(x) { print p >(ENVIRON["W"] "/" x) }
  k==1{ p=path(4); t[p]=$1; z[p]=$3; next }
  { p=path(4) }
  $1=="d"{ if(t[p]=="l")put("dl"); next }
  t[p]=="d"{ put("du"); next }
  t[p]==$1&&($1=="l"||z[p]==$3){ put($1) }' k=1 "$W/have" k=2 "$W/tree" || exit 1
hash_lists || exit 1
while IFS= read -r p; do
  raw "$p"
  if [ -d "$f" ]; then t=$(cd -P "$f" 2>/dev/null && pwd -P); case "$t/" in "$top"/?*) echo "inside - - - $p";; *) echo "outside - - - $p";; esac; fi
done <"$W/dl" >"$W/out"
awk 'function path(k, p) { p=$0; while(k--)p=substr(p,index(p," ")+1); return p }
  k==1{ if($1=="inside"||$1=="outside")linked[path(4)]; next }
  k==2{ h[substr($0,66)]=substr($0,1,64); next }
  k==3{ p=path(4); t[p]=$1; m[p]=$2; z[p]=$3; at[p]=$4; next }
  { p=path(4) }
  !(p in t){ print "absent - - - " p; next }
  $1=="d"&&(t[p]=="d"||(p in linked)){ next }
  t[p]==$1&&m[p]==$2&&h[p]==$4{ next }
  { print "different " t[p] " " z[p] " " at[p] " " p }' k=1 "$W/out" k=2 "$W/h" k=3 "$W/have" k=4 "$W/tree" >>"$W/diff" || exit 1
while IFS= read -r p; do
  raw "$p"; q=$p; export q
  (cd "$f" && scan) | awk '{ t=$1; z=$3; p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print "under " t " " z " - " ENVIRON["q"] "/" p }'
done <"$W/du" >>"$W/out"
ownership >"$W/owned" || exit 1; [ ! -s "$W/owned" ] || echo 'known - - - .' >>"$W/out"
awk 'k==1{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); now[p]; next } !(substr($0,3) in now)' k=1 "$W/tree" k=2 "$W/owned" >"$W/gone" || exit 1
if [ -s "$W/gone" ]; then
  awk '{ p=substr($0,3); print p >(ENVIRON["W"] "/gone.paths"); while(match(p,"/[^/]*$")){ p=substr(p,1,RSTART-1); if(!(p in s)){ s[p]; print p } } }' "$W/gone" >"$W/parents" &&
    look "$W/parents" >"$W/have.parents" && look "$W/gone.paths" >"$W/have.gone" || exit 1
  awk 'k==1{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); seen[p]; next } !($0 in seen)' k=1 "$W/have.gone" k=2 "$W/gone.paths" >"$W/unseen" || exit 1
  while IFS= read -r p; do
    raw "$p"; if [ -e "$f" ] || [ -L "$f" ]; then echo "cannot inspect $p" >&2; exit 1; fi
  done <"$W/unseen"
  awk 'function path(k, p) { p=$0; while(k--)p=substr(p,index(p," ")+1); return p }
    k==1{ if($1!="d")bad[path(4)]; next }
    k==2{ put[substr($0,3)]=$1; next }
    { p=path(4); q=p; ok=(put[p]==$1); while(match(q,"/[^/]*$")){ q=substr(q,1,RSTART-1); if(q in bad)ok=0 }
      if(ok)print "owned " $1 " " $3 " " $4 " " p }' k=1 "$W/have.parents" k=2 "$W/gone" k=3 "$W/have.gone" >>"$W/out" || exit 1
fi

# Of the paths where something else stands than the tree has, and of those that it lacks: what is no longer as the last deploy left it.
# That this deploy's own commands have changed something is in `.touched`.
if [ -f "$D/live" ] && IFS= read -r n <"$D/live" && [ -f "$D/manifests/$n" ]; then
  t=$D/manifests/$n.touched; [ -f "$t" ] || t=/dev/null
  for x in f l left drift; do : >"$W/$x"; done; [ -f "$W/have.gone" ] || : >"$W/have.gone"
  awk 'function path(k, p) { p=$0; while(k--)p=substr(p,index(p," ")+1); return p }
    k==1{ own[$0]; next }
    { p=path(4) }
    k==2{ asked[p]; next }
    k==3{ if($1=="owned")asked[p]; next }
    k==4{ have[p]=$1 " " $2 " " $3; next }
    $1=="d"||!(p in asked)||(p in own){ next }
    have[p]!=$1 " " $2 " " $3{ print "drift - - - " p >(ENVIRON["W"] "/drift"); next }
    { print p >(ENVIRON["W"] "/" $1); print >(ENVIRON["W"] "/left") }' k=1 "$t" k=2 "$W/diff" k=3 "$W/out" k=4 "$W/have" "$W/have.gone" k=5 "$D/manifests/$n" &&
  hash_lists &&
  awk 'k==1{ h[substr($0,66)]=substr($0,1,64); next }
    { p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p) } h[p]!=$4{ print "drift - - - " p }' k=1 "$W/h" k=2 "$W/left" >>"$W/drift" || exit 1
  cat "$W/drift" >>"$W/out"
fi
echo end >>"$W/diff"; cat "$W/out" "$W/diff" | gzip -1 -c
