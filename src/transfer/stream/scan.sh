# What find, stat and ls of different systems say of files, in one form.

# listed_by_ls: lines of `ls -lnd .//.…` as those of find are: `MODE SIZE - - - TYPE/PATH`. `.//.` never occurs inside a path, so it tells
# where a line is the rest of a name with a newline.
listed_by_ls() {
  awk '
    { i=index($0," .//.") } !i { print; next }
    { m=0; for(j=2;j<11;j++){ c=substr($1,j,1); m=m*2+(c!="-"&&c!="S"&&c!="T") }
      p=substr($0,i+1); t=substr($1,1,1); if(t=="-")t="f"; if(t=="l"&&(i=index(p," -> ")))p=substr(p,1,i-1)
      printf "%o %s - - - %s/%s\n",m,$5,t,p }'
}

# entries TIME: lines `MODE SIZE TIME … TYPE/.//.PATH` as `TYPE MODE SIZE TIME PATH`, the path escaped as in a manifest. The time has two words,
# which become one; with TIME `seconds` it is one, and has no fraction.
entries() {
  awk -v time="$1" '
    function esc(s, i,o) { gsub(/\\/,"&&",s); o=""; while(i=index(s,"\r")){ o=o substr(s,1,i-1) "\\r"; s=substr(s,i+1) } return o s }
    { i=index($0,"/.//.") }
    i { if(h!="")print h " " p
        h=""; r=substr($0,i+5); if(r=="")next
        split($0,a," "); t=tolower(substr(a[6],1,2)); m=a[1]; sub(/^0+/,"",m); if(m=="")m=0; z=a[2]
        if(t=="re"||t~/^f/){t="f"} else if(t~/^d/){t="d";z=0} else if(t=="sy"||t~/^l/){t="l";m=777} else t="o"
        if(time=="seconds")sub(/[.].*/,"",a[3]); else a[3]=a[3] "T" a[4]
        h=t " " m " " z " " a[3]; p=esc(substr(r,2)); next }
    h!="" { p=p "\\n" esc($0) }
    END { if(h!="")print h " " p }'
}

# scan: the current folder as lines `TYPE MODE SIZE CTIME PATH`, in no order.
scan() {
  if find . -prune -printf '%m %s %C@ - - %y/%p\n' >/dev/null 2>&1; then find .//. -printf '%m %s %C@ - - %y/%p\n'
  elif stat -c %a . >/dev/null 2>&1; then find .//. -exec stat -c '%a %s %z %F/%n' {} +
  elif stat -f %Lp . >/dev/null 2>&1; then find .//. -exec stat -f '%Mp%Lp %z %Fc - - %HT/%N' {} +
  else find .//. -exec ls -lnd {} + | listed_by_ls
  fi | entries whole
}
