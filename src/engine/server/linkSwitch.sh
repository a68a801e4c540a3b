# rename_link METHOD FROM TO: renames one link onto another, which leads to a folder.
rename_link() {
  case $1 in
    'mv -T') mv -f -T "$2" "$3";;
    'mv -h') mv -f -h "$2" "$3";;
    'gnumv -T') gnumv -f -T "$2" "$3";;
    'busybox mv -T') busybox mv -f -T "$2" "$3";;
    perl) perl -e 'rename($ARGV[0], $ARGV[1]) or die "$!\n"' "$2" "$3";;
    python3) python3 -c 'import os, sys; os.rename(sys.argv[1], sys.argv[2])' "$2" "$3";;
  esac
}

# replace_link METHOD PATH TEXT RUN: true once PATH is a link of that text. The new link is made in the scratch folder of the run, from which it
# leads to the release as well: some mv (uutils) look through both links, and move none that dangles onto one that leads to a folder.
replace_link() {
  s=.durant/current.$4 d=$2
  l=$s/; while :; do case $d in */*) d=${d#*/} l=${l}in/;; *) break;; esac; done
  rm -rf "$s" && mkdir -p "$l" && ln -s ../../releases "$s/releases" && ln -s "$3" "${l}link" && rename_link "$1" "${l}link" "$2" && rm -rf "$s"
}
