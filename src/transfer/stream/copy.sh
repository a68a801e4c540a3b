# Lists go into $C, absolute and exported. Needs paths.sh and scan.sh.
: "${top?}" "${how?}"

# copy_tree FROM TO MANIFEST TOUCHED: makes TO with the manifest's folders, and with those of its files and links that FROM has with the
# same type, mode and size and that are not in TOUCHED; $how is `copy` or `link`. Nothing else that stands in FROM is ever carried on.
# Files that cannot be read are left out; only a full disk is a failure.
copy_tree() {
  from=$top/$1 to=$top/$2; mkdir -p "$to" || return
  (cd "$from" && scan) >"$C/scan" || return
  for x in d f n; do : >"$C/$x"; done
  t=$4; [ -f "$t" ] || t=/dev/null
  awk 'k==1{t[$0];next} {e=$1 " " $2 " " $3; p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p)}
    k==2{have[p]=e;next}
    $1=="d"{print p >(ENVIRON["C"] "/d");next}
    (p in t)||have[p]!=e{next}
    {print p >(ENVIRON["C"] "/n")} $1=="f"&&index(p,"\\")==0{print p >(ENVIRON["C"] "/f")}' k=1 "$t" k=2 "$C/scan" k=3 "$3" || return
  if [ -s "$C/d" ]; then nul "$C/d" | (cd "$to" && xargs -0 mkdir -p) || return; fi
  [ -s "$C/n" ] || return 0
  copy_files 2>"$C/err" && return
  cat "$C/err" >&2; ! grep -i -q 'space\|quota\|too large\|size limit' "$C/err"
}

copy_files() {
  l=--reflink=auto; [ "$how" = copy ] || l=-l
  rm -rf "$C/b" "$C/c"; mkdir "$C/b"; : >"$C/a"; ln -s b "$C/c"
  gnu() { xargs -0 cp -P $l --preserve=mode,timestamps --parents -t "$1"; }
  # Some leave out links that lead to folders.
  if (cd "$C" && printf './a\0./c\0' | gnu ./b) 2>/dev/null; then nul "$C/n" | (cd "$from" && gnu "$to"); return; fi
  if [ "$how" = link ]; then
    link_files || return
    awk 'k==1{f[$0];next}!($0 in f)' k=1 "$C/f" k=2 "$C/n" >"$C/o"; mv "$C/o" "$C/n"; [ -s "$C/n" ] || return 0
  fi
  to=$to; export to
  nul "$C/n" | (cd "$from" && xargs -0 sh -c '$TAR cf - "$@" | (cd "$to" && $TAR xpof -)' sh)
}

link_files() {
  awk '{d=$0; if(!sub(/\/[^\/]*$/,"",d))d="."; g[d]=g[d] "\nF" $0} END{for(d in g)print "D" d g[d]}' "$C/f" >"$C/g"
  (cd "$from" || exit; d=.; set --; s=0
    while IFS= read -r line; do
      case $line in
        D*) [ $# = 0 ] || ln "$@" "$to/$d/" || s=1; set --; d=${line#D};;
        *) set -- "$@" "./${line#F}"; [ $# -lt 200 ] || { ln "$@" "$to/$d/" || s=1; set --; };;
      esac
    done <"$C/g"
    [ $# = 0 ] || ln "$@" "$to/$d/" || s=1; exit $s)
}
