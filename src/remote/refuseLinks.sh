# refuse_links PATH: fails, saying why, where a folder on the way to PATH is a symbolic link. What comes from a repository could otherwise lead
# a step out of the release.
refuse_links() {
  d=$1
  while :; do
    case $d in */*) d=${d%/*};; *) return 0;; esac
    [ -n "$d" ] || return 0
    if [ -L "$d" ]; then printf '%s\n' "$1: $d is a symbolic link, which Durant does not follow here" >&2; return 1; fi
  done
}
