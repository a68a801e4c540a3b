# What the transfer asks a server before it plans, in project_dir (which may not exist: then anywhere). Prints lines `transfer.KEY=VALUE`.
: "${live?}"
(
  LC_ALL=C; export LC_ALL
  for t in sha256sum shasum sha256 openssl; do command -v $t >/dev/null 2>&1 && break; t=; done
  for x in tar zstd gzip; do command -v $x >/dev/null 2>&1 && echo "transfer.$x=yes"; done
  ! command -v bsdtar >/dev/null 2>&1 || echo transfer.tar=yes
  echo "transfer.hash=$t"
  m=.durant/manifests/$live
  [ -n "$live" ] && [ -f "$m" ] || exit 0
  case $t in shasum) d=$(shasum -a 256 <"$m");; openssl) d=$(openssl dgst -sha256 -r <"$m");; '') exit 0;; *) d=$($t <"$m");; esac
  d=$(printf '%.64s' "$d"); echo "transfer.manifest=$d"
  [ ! -f "$m.touched" ] || sed 's/^/transfer.touched=/' "$m.touched"
  for s in .durant/spare.*/for; do
    [ -f "$s" ] && read -r n e <"$s" && [ "$n $e" = "$live $d" ] || continue
    s=$(dirname "$s"); echo "transfer.spare=$(basename "$s")"; sed 's/^/transfer.missing=/' "$s/missing"; break
  done
)
