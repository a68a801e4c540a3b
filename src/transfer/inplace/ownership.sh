# ownership: prints what Durant has put into the project so far, as sorted lines `TYPE PATH`: what it has noted, else what the manifests
# list. The working directory is project_dir.
ownership() {
  if [ -f "$D/owned" ]; then cat "$D/owned"; else cat "$D"/manifests/* 2>/dev/null | listed | sort -u; fi
}
listed() { awk '{ t=$1; p=$0; sub(/^[^ ]* [^ ]* [^ ]* [^ ]* /,"",p); print t " " p }'; }
