/** How a few paths of a folder are looked at, where scanning all of it would cost too much. */
import { entryProgram, listingProgram } from '../entryPrograms.ts';

/**
 * look LIST: what stands at its paths, as lines `TYPE MODE SIZE TIME PATH`; nothing for a path where nothing does. TIME is of the last
 * change of the content, or of anything (`ctime`), in seconds; `-` where the server's tools do not tell. Needs `pathFunctions`.
 */
export function lookFunction(time: 'mtime' | 'ctime'): string {
  const [find, gnu, bsd] = time === 'mtime' ? ['%T@', '%Y', '%m'] : ['%C@', '%Z', '%c'];
  return String.raw`
look() {
  [ -s "$1" ] || return 0
  if find . -prune -printf '%m %s ${find} - - %y/%p\n' >/dev/null 2>&1; then slots "$1" | xargs -0 sh -c 'exec find "$@" -prune -printf "%m %s ${find} - - %y/%p\n"' sh 2>/dev/null
  elif stat -c %a . >/dev/null 2>&1; then slots "$1" | xargs -0 stat -c '%a %s ${gnu} - - %F/%n' 2>/dev/null
  elif stat -f %Lp . >/dev/null 2>&1; then slots "$1" | xargs -0 stat -f '%Mp%Lp %z ${bsd} - - %HT/%N' 2>/dev/null
  else slots "$1" | xargs -0 ls -lnd 2>/dev/null | awk '${listingProgram}'
  fi | awk '${entryProgram('sub(/[.].*/,"",a[3])')}'
}
slots() {
  awk 'index($0,"\\")==0{print ".//./" $0}' "$1" | tr '\n' '\0'
  awk 'index($0,"\\")' "$1" | while IFS= read -r p; do raw "$p"; printf './/%s\0' "$f"; done
}
`;
}
