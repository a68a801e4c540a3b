# Takes the lock if nobody has it. What `ln` says is not the last word: over NFS it may have made the link whose answer was lost.
# Needs takeLock.sh and lockFunctions.sh.
: "${t?}"
if [ -e .durant/lock ]; then echo held
elif ln "$t" .durant/lock 2>/dev/null || lock_is_ours; then echo taken
elif [ -e .durant/lock ]; then echo held
elif [ -s "$t" ] && (set -C; cat "$t" >.durant/lock) 2>/dev/null; then echo taken
else echo held; fi
rm -f "$t"
cd / || exit 1
