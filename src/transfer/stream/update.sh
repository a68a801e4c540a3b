# update_code: makes the release's folder exactly the tree. What comes from elsewhere is put on top of $base: `fresh`, nothing; `live`, what the
# live release has of its manifest, from $spare where that is valid; `kept`, the release as an earlier script of this run left it.
# $carrier: `stream`, standard input is the tar stream; `delivered`, the tree lies in $I/in/tree, the list of removals is the input.
# Needs paths.sh, scan.sh, hashes.sh, receive.sh, and copy.sh and stopSpares.sh for their bases.
: "${top?}" "${mask?}" "${run?}" "${release?}" "${base?}" "${previous?}" "${spare?}" "${carrier?}" "${want?}" "${commit?}"
R=releases/$release I=$D/incoming.$run M=$D/manifests/$release
W=$top/$I/work C=$top/$I/copy; export W C
die() { echo "transfer.failed=$1"; exit 1; }
same() { cmp -s "$1" "$2" || { sort "$1" >"$C/s1"; sort "$2" >"$C/s2"; cmp -s "$C/s1" "$C/s2"; }; }
use_spare() {
  [ -n "$spare" ] && [ -d "$D/spare.$spare/tree" ] && mv "$D/spare.$spare/tree" "$R" || return
  (cd "$R" && scan) >"$C/have" && same "$C/have" "$D/spare.$spare/list" && return
  rm -rf "$R"; return 1
}

# The base, copied in the background while the rest arrives.
[ "$carrier" != stream ] || rm -rf "$I/in"
mkdir -p "$I" && chmod 700 "$I" && mkdir -p "$W" "$C" "$I/in" || die folder
live=$W/new
if [ "$base" != kept ]; then
  stop_spares "$spare"
  # A release folder may be there already, with what hooks put into it.
  [ ! -d "$R" ] || rmdir "$R" 2>/dev/null || mv "$R" "$I/kept" || die folder
fi
if [ "$base" = live ]; then
  live=$D/manifests/$previous
  { if use_spare; then echo spare; else copy_tree "releases/$previous" "$R" "$live" "$live.touched" && folders "$R" && echo copy; fi >"$W/base"; } &
  job=$!
fi
if [ "$carrier" = stream ]; then receive; else cat >"$I/in/remove" && : >"$I/in/end"; fi
received=$?
if [ "$base" = live ]; then wait $job || die base; base=$(cat "$W/base"); fi
[ $received = 0 ] && [ -f "$I/in/end" ] || die stream
folders "$I/in/tree" || die stream

# Everything that changes goes before anything is put in its place: tar and cp cannot be trusted with a change of type.
: >>"$I/in/remove"; whole=''
case $base in
  fresh) mv "$I/in/tree" "$R" || die apply; whole=yes;;
  *)
    [ "$base" != copy ] || whole=yes
    if [ -s "$I/in/remove" ]; then nul "$I/in/remove" | (cd "$R" && xargs -0 rm -rf) || die apply; fi
    if ! cp -RPpl "$I/in/tree/." "$R" 2>/dev/null; then
      whole=yes; (cd "$I/in/tree" && $TAR cf - .) | (cd "$R" && $TAR xpof -) || die apply; folders "$R"
    fi;;
esac
chmod 755 "$R"

# The manifest is made of what is on disk; with the digest that was wanted, the release is the tree, byte for byte.
if [ -n "$whole" ]; then (cd "$R" && describe) >"$W/new2" || die look
else
  (cd "$I/in/tree" && describe) >"$W/got" || die look
  awk '{p=$0; if(k>1)sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p)} k<3{out[p];next} !(p in out)' k=1 "$I/in/remove" k=2 "$W/got" k=3 "$live" |
    sort -m -t ' ' -k 5 - "$W/got" >"$W/new2" || die verify
fi
mv "$W/new2" "$W/new"
got=$($H <"$W/new"); got=$(printf '%.64s' "$got")
if [ "$got" != "$want" ]; then
  # Of a live release that has drifted, the rest stays, and what has drifted is asked for.
  [ "$base" = copy ] || die verify
  (cd "$I/in/tree" && scan) | awk '{p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print p}' >"$W/sent"
  awk 'k==1{out[$0];next} {p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p)}
    k==2{have[p]=$0;next} p in out{next} have[p]!=$0{print p} {out[p]} END{for(p in have)if(!(p in out))print p}' k=1 "$I/in/remove" "$W/sent" k=2 "$W/new" k=3 "$live" >"$W/drift"
  [ -s "$W/drift" ] || die verify
  nul "$W/drift" | (cd "$R" && xargs -0 rm -rf) || die verify
  awk 'k==1{out[$0];next} {p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p)} !(p in out)' k=1 "$W/drift" k=2 "$W/new" >"$W/new2" && mv "$W/new2" "$W/new"
  sed 's/^/transfer.drift=/' "$W/drift"; exit 0
fi

echo "transfer.base=$base"
rm -rf "$I/in"
if [ -d "$I/kept" ]; then (cd "$I/kept" && R=$top/$R && export R &&
  find . -type d -exec sh -c 'for p; do [ -e "$R/$p" ] || mkdir "$R/$p"; done' sh {} + &&
  find . ! -type d -exec sh -c 'for p; do [ -e "$R/$p" ] || [ -L "$R/$p" ] || mv "$p" "$R/$p"; done' sh {} +)
fi 2>/dev/null
rm -f "$R/REVISION"; printf '%s\n' "$commit" >"$R/REVISION" && chmod 644 "$R/REVISION" || die finish
umask "$mask"; mkdir -p "$D/manifests" && cat "$W/new" >"$I/manifest" && rm -f "$M.touched" && mv "$I/manifest" "$M" || die finish
rm -rf "$I"; [ -z "$spare" ] || rm -rf "$D/spare.$spare"
