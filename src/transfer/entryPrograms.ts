/** The awk programs that read what find, stat and ls of different systems say of files. They stand between single quotes. */

/**
 * Lines of `ls -lnd .//.…` as those of find are: `MODE SIZE - - - TYPE/PATH`. `.//.` never occurs inside a path, so it tells where a
 * line is the rest of a name with a newline.
 */
export const listingProgram = String.raw`
    { i=index($0," .//.") } !i { print; next }
    { m=0; for(j=2;j<11;j++){ c=substr($1,j,1); m=m*2+(c!="-"&&c!="S"&&c!="T") }
      p=substr($0,i+1); t=substr($1,1,1); if(t=="-")t="f"; if(t=="l"&&(i=index(p," -> ")))p=substr(p,1,i-1)
      printf "%o %s - - - %s/%s\n",m,$5,t,p }`;

/**
 * Lines `MODE SIZE TIME … TYPE/.//.PATH` as `TYPE MODE SIZE TIME PATH`, the path escaped as in a manifest.
 * @param time the awk statement that leaves the time in `a[3]`.
 */
export const entryProgram = (time: string): string => String.raw`
    function esc(s, i,o) { gsub(/\\/,"&&",s); o=""; while(i=index(s,"\r")){ o=o substr(s,1,i-1) "\\r"; s=substr(s,i+1) } return o s }
    { i=index($0,"/.//.") }
    i { if(h!="")print h " " p
        h=""; r=substr($0,i+5); if(r=="")next
        split($0,a," "); t=tolower(substr(a[6],1,2)); m=a[1]; sub(/^0+/,"",m); if(m=="")m=0; z=a[2]
        if(t=="re"||t~/^f/){t="f"} else if(t~/^d/){t="d";z=0} else if(t=="sy"||t~/^l/){t="l";m=777} else t="o"
        ${time}; h=t " " m " " z " " a[3]; p=esc(substr(r,2)); next }
    h!="" { p=p "\\n" esc($0) }
    END { if(h!="")print h " " p }`;
