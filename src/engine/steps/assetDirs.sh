# complete_from RELEASE FOLDER: what the release $new lacks of FOLDER, from RELEASE: plain files alone, none that the release took over itself.
# A folder that is shared has them anyway. $t is a folder for lists. Needs refuseLinks.sh.
: "${new?}" "${t?}"
complete_from() {
  from=releases/$1/$2 to=releases/$new/$2
  [ -d "$from" ] && ! [ -L "$from" ] && ! [ -L "$to" ] || return 0
  refuse_links "$to/x" || return 1
  (cd "$from" && find . -type f | sed 's#^\./##') > "$t/old" || return 1
  if [ -d "$to" ]; then (cd "$to" && find . ! -type d | sed 's#^\./##') > "$t/have" || return 1; else : > "$t/have"; fi
  if [ -f ".durant/manifests/$1.assets" ]; then
    below=$2/ awk 'index($0, ENVIRON["below"])==1{print substr($0, length(ENVIRON["below"])+1)}' ".durant/manifests/$1.assets" >> "$t/have"
  fi
  awk 'k==1{have[$0];next} !($0 in have)' k=1 "$t/have" k=2 "$t/old" > "$t/lacks"
  while IFS= read -r p; do
    case $p in */*) mkdir -p "$to/${p%/*}";; *) mkdir -p "$to";; esac && cp -pP "$from/$p" "$to/$p" || return 1
    printf '%s/%s\n' "$2" "$p" >> "$t/taken"
  done < "$t/lacks"
}
