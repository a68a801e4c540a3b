# copy_folder PATH FROM TO: the web server may write in FROM, and plant there what it likes. So the copy is made where nobody else can reach it,
# $copy, with files, folders and links as they are; what stands in it at a path of the commit's goes before the commit's comes; only a full
# disk is a failure. Needs refuseLinks.sh and enterFolder.sh.
: "${top?}" "${copy?}"
copy_folder() {
  [ -d "$2" ] || return 0
  refuse_links "$3" || return 1
  if [ -L "$3" ] || { [ -e "$3" ] && ! [ -d "$3" ]; }; then return 0; fi
  (enter "$2") || { echo "not-copied link $1"; return 0; }
  T=$top/$copy/tree; export T
  rm -rf "$copy" && mkdir -m 700 "$copy" || return 1
  if ! (enter "$2" && cp -pPR . "$T") 2>"$copy/said"; then
    cat "$copy/said" >&2
    if grep -i -q 'space\|quota\|too large\|size limit' "$copy/said"; then return 1; fi
    echo "not-copied unread $1"
    [ -d "$T" ] || return 0
  fi
  find "$T" -type d ! -perm -700 -exec chmod u+rwx {} \; && find "$T" ! -type d ! -type f ! -type l -exec rm -f {} + || return 1
  if [ -d "$3" ]; then
    (cd "$3" && find . ! -name . -exec sh -c '
      for p; do
        if [ -d "$p" ] && ! [ -L "$p" ] && [ -d "$T/$p" ] && ! [ -L "$T/$p" ]; then continue; fi
        if [ -e "$T/$p" ] || [ -L "$T/$p" ]; then rm -rf "$T/$p" || exit 1; fi
      done' sh {} +) && cp -pPR "$3/." "$T" && rm -rf "$3" || return 1
  fi
  mkdir -p "$(dirname "$3")" && mv "$T" "$3" && rm -rf "$copy"
}
