# Lists the paths of the manifest where project_dir no longer has what it lists in its `.touched`. Only those paths are looked at, as the rest of
# the folder is not Durant's; only what changed at or after the manifest was written is hashed. Needs scan.sh, hashes.sh and look.sh.
: "${top?}" "${mask?}" "${release?}" "${run?}"
n=$release T=$D/touched.$run
M=$D/manifests/$n W=$top/$T; export W
rm -rf "$T"; mkdir -m 700 "$T" && : >"$W/f" && : >"$W/l" && : >"$W/touched" || exit 1
printf '%s\n' "$M" >"$W/made.paths" && look "$W/made.paths" >"$W/made" || exit 1
awk '$1!="d"{ p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print p }' "$M" >"$W/paths" && look "$W/paths" >"$W/have" || exit 1
awk 'function path(k, p) { p=$0; while(k--)p=substr(p,index(p," ")+1); return p }
  k==1{ since=$4; next }
  { p=path(4) }
  k==2{ have[p]=$1 " " $2 " " $3; at[p]=$4; next }
  $1=="d"{ next }
  have[p]!=$1 " " $2 " " $3 { print p >(ENVIRON["W"] "/touched"); next }
  since !~ /^[0-9]+$/ || at[p] !~ /^[0-9]+$/ || at[p]+0 >= since+0 { print p >(ENVIRON["W"] "/" $1) }' k=1 "$W/made" k=2 "$W/have" k=3 "$M" || exit 1
hash_lists || exit 1
awk 'k==1{h[substr($0,66)]=substr($0,1,64);next} k==2{asked[$0];next}
  { p=$0; for(i=0;i<4;i++)p=substr(p,index(p," ")+1) } (p in asked)&&h[p]!=$4{print p}' k=1 "$W/h" k=2 "$W/f" "$W/l" k=3 "$M" >"$W/more"
umask "$mask"; sort "$W/touched" "$W/more" >"$T/done" && mv "$T/done" "$M.touched"; s=$?
rm -rf "$T"; exit $s
