# Writes the lock's text to $t. It comes behind the script, so an early reader would have swallowed it. Where the file is gone again, whoever
# took the lock meanwhile has removed it: the lock is held.
: "${run?}" "${reads_ahead?}"
trap '' PIPE
t=.durant/lock.$run
cat >"$t" || exit 1
[ -s "$t" ] || ! [ -e "$t" ] || { rm -f "$t"; echo "$reads_ahead" >&2; exit 1; }
