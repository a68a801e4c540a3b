# What the detached process runs that makes the spare: a checked copy of the live release. The list is taken after a pause, so that a later
# change always shows in a ctime, and before hashing. Needs paths.sh, scan.sh, hashes.sh and copy.sh.
: "${top?}" "${release?}" "${run?}"
# shellcheck disable=SC2034 # For copy_tree.
how=copy
n=$release S=$D/spare.$run M=$D/manifests/$release
W=$top/$S/work C=$W; export W C
trap 'trap "" TERM; rm -f "$D/spare.lock"; kill -TERM 0; exit 143' TERM
give_up() { rm -rf "$S"; rm -f "$D/spare.lock"; exit 1; }
printf '%s %s\n' $$ "$run" >"$S/lock" && ln "$S/lock" "$D/spare.lock" || { rm -rf "$S"; exit 1; }
mkdir "$W" && [ -f "$M" ] || give_up
room() { df -Pk "$D" | awk -v k="$1" 'NR==2{exit !($4-k>=2*ENVIRON["size"] && $4-k>=$2/10)}'; }
size=$(awk '{s+=int($3/4096)*4+4} END{printf "%d",s}' "$M"); export size
room "$size" || give_up
touched=$M.touched; [ -f "$touched" ] || touched=/dev/null
copy_tree "releases/$n" "$S/tree" "$M" "$touched" && folders "$S/tree" || give_up
for _ in 1 2 3; do
  sleep 2; [ -d "$S/tree" ] || give_up
  (cd "$S/tree" && scan) >"$S/list" && (cd "$S/tree" && describe) >"$W/new" || give_up
  awk '{p=$0; for(i=0;i<4;i++)p=substr(p,index(p," ")+1)} k==1{bad[p]=$0;next} (p in bad)&&bad[p]==$0{delete bad[p]} END{for(p in bad)print p}' k=1 "$W/new" k=2 "$M" >"$W/bad"
  [ -s "$W/bad" ] || break
  nul "$W/bad" | (cd "$S/tree" && xargs -0 rm -rf) || give_up
done
[ ! -s "$W/bad" ] && room 0 || give_up
awk 'k==1{have[$0];next} {p=$0; for(i=0;i<4;i++)p=substr(p,index(p," ")+1)} k==2{have[p];next} !(p in have){print p}' k=1 "$touched" k=2 "$W/new" k=3 "$M" >"$S/missing" || give_up
rm -rf "$W"; d=$($H <"$M"); printf '%s %.64s\n' "$n" "$d" >"$S/ready" && mv "$S/ready" "$S/for" || give_up
rm -f "$D/spare.lock" "$S/make" "$S/lock"
