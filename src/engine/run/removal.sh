# `remove_release NAME` and `empty_trash`, for a script in project_dir. Both say `left=PATH` for what is still there, and are false then.
# Needs refuseLinks.sh.
: "${current?}" "${use_sudo?}"
is_there() { [ -e "$1" ] || [ -L "$1" ]; }

remove() {
  if [ -z "$use_sudo" ]; then rm -rf "$1"
  else rm -rf "$1" 2>/dev/null || { refuse_links "$1" && sudo -n rm -rf "$1"; }; fi
}

discard() {
  remove "$1"
  is_there "$1" || return 0
  printf 'left=%s\n' "$1"; return 1
}

hide() {
  if [ -z "$use_sudo" ]; then mv "$1" "$2"
  else mv "$1" "$2" 2>/dev/null || { refuse_links "$1" && refuse_links "$2" && sudo -n mv "$1" "$2"; }; fi
}

empty_trash() {
  s=0
  for t in .durant/trash.*; do is_there "$t" || continue; discard "$t" || s=1; done
  return $s
}

# A release's folder goes out of sight first, so that no half of it is ever taken for whole, and not before the disk knows that $current no
# longer leads to it: else a power cut could bring back a link to what is gone. With strategy inplace (`.durant/live` is there) it has none:
# what lies in `releases/` is the project's own. The record goes last: whoever is interrupted leaves one, or trash, by which the next run ends
# the removal.
remove_release() {
  t=''
  if [ -f .durant/live ]; then
    if [ "$(cat .durant/live)" = "$1" ]; then echo "$1 is live" >&2; printf 'left=%s\n' "$1"; return 1; fi
  elif [ -d "releases/$1" ]; then
    # shellcheck disable=SC3013 # dash, busybox, bash, ksh and zsh have it; what else would compare is no shorter.
    if [ "$current" -ef "releases/$1" ]; then
      printf '%s points at releases/%s\n' "$current" "$1" >&2; printf 'left=releases/%s\n' "$1"; return 1
    fi
    t=.durant/trash.$1; while is_there "$t"; do t=$t-; done
    { sync -f releases 2>/dev/null || sync; } && hide "releases/$1" "$t" || { printf 'left=releases/%s\n' "$1"; return 1; }
  fi
  set -- "$1" ".durant/manifests/$1" ".durant/releases/$1"
  rm -f ".durant/env/$1" "$2.touched" "$2.assets" "$2" "$3.provenance.json" "$3.provenance.json.sig" "$3.services" "$3.ini"
  [ -z "$t" ] || discard "$t"
}
