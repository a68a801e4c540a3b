/** How a few paths of a folder are looked at, where scanning all of it would cost too much. */

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
  else slots "$1" | xargs -0 ls -lnd 2>/dev/null | awk '
    { i=index($0," .//.") } !i { print; next }
    { m=0; for(j=2;j<11;j++){ c=substr($1,j,1); m=m*2+(c!="-"&&c!="S"&&c!="T") }
      p=substr($0,i+1); t=substr($1,1,1); if(t=="-")t="f"; if(t=="l"&&(i=index(p," -> ")))p=substr(p,1,i-1)
      printf "%o %s - - - %s/%s\n",m,$5,t,p }'
  fi | awk '
    function esc(s, i,o) { gsub(/\\/,"&&",s); o=""; while(i=index(s,"\r")){ o=o substr(s,1,i-1) "\\r"; s=substr(s,i+1) } return o s }
    { i=index($0,"/.//.") }
    i { if(h!="")print h " " p
        h=""; r=substr($0,i+5); if(r=="")next
        split($0,a," "); t=tolower(substr(a[6],1,2)); m=a[1]; sub(/^0+/,"",m); if(m=="")m=0; z=a[2]
        if(t=="re"||t~/^f/){t="f"} else if(t~/^d/){t="d";z=0} else if(t=="sy"||t~/^l/){t="l";m=777} else t="o"
        sub(/[.].*/,"",a[3]); h=t " " m " " z " " a[3]; p=esc(substr(r,2)); next }
    h!="" { p=p "\\n" esc($0) }
    END { if(h!="")print h " " p }'
}
slots() {
  awk 'index($0,"\\")==0{print ".//./" $0}' "$1" | tr '\n' '\0'
  awk 'index($0,"\\")' "$1" | while IFS= read -r p; do raw "$p"; printf './/%s\0' "$f"; done
}
`;
}
