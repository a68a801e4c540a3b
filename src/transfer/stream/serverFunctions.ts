/**
 * The sh functions that the transfer's scripts are put together from: POSIX sh and awk, for GNU, busybox and BSD tools. Paths in lists
 * are escaped as in a manifest, one a line; on their way to a command they become NUL-terminated bytes behind `./`.
 * Shell parameters in braces stand in constants of their own, as a template literal would take them for its own.
 */
import { quote, quotePath } from '../../remote/shell.ts';
import { entryProgram, listingProgram } from '../entryPrograms.ts';

export type HashTool = 'sha256sum' | 'shasum' | 'sha256' | 'openssl';

const hashCommands: Readonly<Record<HashTool, string>> = {
  sha256sum: 'sha256sum',
  shasum: 'shasum -a 256',
  sha256: 'sha256 -r',
  openssl: 'openssl dgst -sha256 -r',
};

/** Where everything starts: bytes are bytes, times are UTC, the umask is out of the way (`$mask` has the user's), cwd is the project. */
export function prologue(projectDir: string, hashTool: HashTool): string {
  return [
    'LC_ALL=C TZ=UTC0; export LC_ALL TZ; unset CDPATH; mask=$(umask); umask 022',
    `cd ${quotePath(projectDir)} || exit 1`,
    `top=$(pwd) D=.durant H=${quote(hashCommands[hashTool])} TAR=tar; export H TAR`,
    'command -v tar >/dev/null 2>&1 || TAR=bsdtar',
    '',
  ].join('\n');
}

const withoutDot = '${f%.}';

/** raw ESCAPED: sets $f. nul LIST: the paths, NUL-terminated. */
export const pathFunctions = String.raw`
raw() { f=$(printf '%b.' "$1"); f=./${withoutDot}; }
nul() {
  awk 'index($0,"\\")==0{print "./" $0}' "$1" | tr '\n' '\0'
  awk 'index($0,"\\")' "$1" | while IFS= read -r p; do raw "$p"; printf '%s\0' "$f"; done
}
`;

/** scan: the current folder as lines `TYPE MODE SIZE CTIME PATH`, in no order. */
export const scanFunction = String.raw`
scan() {
  if find . -prune -printf '%m %s %C@ - - %y/%p\n' >/dev/null 2>&1; then find .//. -printf '%m %s %C@ - - %y/%p\n'
  elif stat -c %a . >/dev/null 2>&1; then find .//. -exec stat -c '%a %s %z %F/%n' {} +
  elif stat -f %Lp . >/dev/null 2>&1; then find .//. -exec stat -f '%Mp%Lp %z %Fc - - %HT/%N' {} +
  else find .//. -exec ls -lnd {} + | awk '${listingProgram}'
  fi | awk '${entryProgram('a[3]=a[3] "T" a[4]')}'
}
`;

/**
 * hashes LIST: `HASH PATH` of regular files below the current folder. describe: the current folder as manifest lines, sorted; its lists go
 * into `$W`, which is absolute and exported. Each process has a file for its lines, as those of several would mix in one pipe.
 */
export const hashFunctions = String.raw`
hashes() {
  rm -rf "$W/p"; mkdir "$W/p" || return
  # One line a file, in their order: a name is taken from the list, as some tools write other bytes for it. Without a line for each, it is theirs.
  pair='NR<=n{p[NR]=$0;next} {h[++m]=$0} END{
    for(j=1;j<=m;j++) if(m==n) { if(j>1)print substr(h[j],1,64) " " substr(p[j],3) }
    else { i=index(h[j],"./"); if(i>64)print substr(h[j],1,64) " " substr(h[j],i+2) } }'; export pair
  awk 'index($0,"\\")==0{print "./" $0}' "$1" | tr '\n' '\0' |
    xargs -0 -n 2500 -P 4 sh -c 'set -- /dev/null "$@"; { printf "%s\n" "$@"; $H "$@"; } | awk -v n=$# "$pair" >"$W/p/$$"' sh
  find "$W/p" -type f -exec cat {} +
  awk 'index($0,"\\")' "$1" | while IFS= read -r p; do raw "$p"; h=$($H <"$f") && printf '%.64s %s\n' "$h" "$p"; done
}
hash_lists() {
  hashes "$W/f" >"$W/h"
  [ -s "$W/l" ] || return 0
  rm -rf "$W/k"; mkdir "$W/k" || return; n=0
  while IFS= read -r p; do n=$((n+1)); raw "$p"; readlink -n "$f" >"$W/k/$n"; done <"$W/l"
  awk '{print NR}' "$W/l" >"$W/n"
  (cd "$W/k" && hashes "$W/n") | awk 'k==1{p[FNR]=$0;next}{print $1 " " p[$2]}' k=1 "$W/l" k=2 - >>"$W/h"
}
describe() {
  scan >"$W/scan" || return; : >"$W/f"; : >"$W/l"
  awk '{p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p)} $1=="f"||$1=="l"{print p >(ENVIRON["W"] "/" $1)}' "$W/scan"
  hash_lists || return
  awk 'k==1{h[substr($0,66)]=substr($0,1,64);next}
    {p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print $1 " " $2 " " $3 " " ($1=="d"?"-":(p in h)?h[p]:"?") " " p}' k=1 "$W/h" k=2 "$W/scan" |
    sort -t ' ' -k 5
}
folders() { find "$1" -type d ! -perm 755 -exec chmod a-st,u=rwx,go=rx {} +; }
`;

const afterD = '${line#D}';
const afterF = '${line#F}';

/**
 * copy_tree FROM TO MANIFEST TOUCHED: makes TO with the manifest's folders, and with those of its files and links that FROM has with the
 * same type, mode and size and that are not in TOUCHED; `$how` is `copy` or `link`. Nothing else that stands in FROM is ever carried on.
 * Files that cannot be read are left out; only a full disk is a failure. Lists go into `$C`, absolute and exported.
 */
export const copyFunctions = String.raw`
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
        D*) [ $# = 0 ] || ln "$@" "$to/$d/" || s=1; set --; d=${afterD};;
        *) set -- "$@" "./${afterF}"; [ $# -lt 200 ] || { ln "$@" "$to/$d/" || s=1; set --; };;
      esac
    done <"$C/g"
    [ $# = 0 ] || ln "$@" "$to/$d/" || s=1; exit $s)
}
`;

/**
 * stop_spares KEEP: ends a spare in the making and removes every spare but `.durant/spare.KEEP`. The process is ended only where its
 * command line still is that spare's, so an id that was given away is left alone (a zombie has none).
 */
export const stopSparesFunction = String.raw`
making() {
  case $( { tr '\0' ' ' <"/proc/$p/cmdline" || ps -p "$p" -o args=; } 2>/dev/null) in *"spare.$r/make"*) return 0;; esac
  return 1
}
stop_spares() {
  if [ -f "$D/spare.lock" ]; then
    p= r=; read -r p r <"$D/spare.lock"
    if making; then
      kill -TERM "-$p" 2>/dev/null || kill -TERM "$p" 2>/dev/null
      i=0; while making && [ $i -lt 60 ]; do i=$((i+1)); sleep 0.05 2>/dev/null || sleep 1; done
      ! making || kill -KILL "-$p" 2>/dev/null || kill -KILL "$p" 2>/dev/null
    fi
    rm -f "$D/spare.lock"
  fi
  for s in "$D"/spare.*; do [ "$s" = "$D/spare.$1" ] || [ ! -e "$s" ] || rm -rf "$s"; done
}
`;
