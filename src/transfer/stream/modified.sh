# Lists the paths of the release that no longer equal its manifest in its `.touched`. Only what changed at or after the manifest was written is
# hashed. Needs scan.sh and hashes.sh.
: "${top?}" "${mask?}" "${release?}" "${run?}"
n=$release T=$D/touched.$run
M=$D/manifests/$n R=releases/$n W=$top/$T; export W
rm -rf "$T"; mkdir -m 700 "$T" && : >"$W/f" && : >"$W/l" && : >"$W/touched" || exit 1
(cd "$D/manifests" && scan) >"$W/made" && (cd "$R" && scan) >"$W/scan" || exit 1
n=$n awk 'function path(k, p) { p=$0; while(k--)p=substr(p,index(p," ")+1); return p }
  k==1{ if(path(4)==ENVIRON["n"])since=$4; next }
  k==2{ p=path(4); have[p]=$1 " " $2 " " $3; at[p]=$4; next }
  { p=path(4) }
  have[p]!=$1 " " $2 " " $3 { print p >(ENVIRON["W"] "/touched"); next }
  $1!="d" && at[p] "" >= since "" { print p >(ENVIRON["W"] "/" $1) }' k=1 "$W/made" k=2 "$W/scan" k=3 "$M" || exit 1
(cd "$R" && hash_lists) || exit 1
awk 'k==1{h[substr($0,66)]=substr($0,1,64);next} k==2{asked[$0];next}
  { p=$0; for(i=0;i<4;i++)p=substr(p,index(p," ")+1) } (p in asked)&&h[p]!=$4{print p}' k=1 "$W/h" k=2 "$W/f" "$W/l" k=3 "$M" >"$W/more"
umask "$mask"; sort "$W/touched" "$W/more" >"$T/done" && mv "$T/done" "$M.touched"; s=$?
rm -rf "$T"; exit $s
