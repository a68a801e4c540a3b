# What differs from the tree arrives in $I/in/tree, and is checked there. $carrier: `stream`, standard input is the tar stream; `delivered`, it has
# been brought. Needs scan.sh, hashes.sh and receive.sh.
: "${top?}" "${run?}" "${carrier?}" "${want?}"
I=$D/incoming.$run W=$top/$D/incoming.$run/work; export W
die() { echo "transfer.failed=$1"; exit 1; }
[ "$carrier" != stream ] || rm -rf "$I/in"
mkdir -p "$I" && chmod 700 "$I" && mkdir -p "$W" "$I/in/tree" || die folder
if [ "$carrier" = stream ]; then receive && [ -f "$I/in/end" ] || die stream; else cat >/dev/null; fi
folders "$I/in/tree"
(cd "$I/in/tree" && describe) >"$W/new" || die verify
got=$($H <"$W/new"); got=$(printf '%.64s' "$got"); [ "$got" = "$want" ] || die verify
sync -f "$I" 2>/dev/null || sync
echo transfer.done=yes
