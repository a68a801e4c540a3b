# Paths in lists are escaped as in a manifest, one a line; on their way to a command they become NUL-terminated bytes behind `./`.

# raw ESCAPED: sets $f.
raw() { f=$(printf '%b.' "$1"); f=./${f%.}; }

# nul LIST: the paths, NUL-terminated.
nul() {
  awk 'index($0,"\\")==0{print "./" $0}' "$1" | tr '\n' '\0'
  awk 'index($0,"\\")' "$1" | while IFS= read -r p; do raw "$p"; printf '%s\0' "$f"; done
}
