# Replaces the lock with $id by this run's, under $claim, and ends what its run left running. Arguments: what the dead runs are called that the
# lock and its claims name; $clear: their watchers are ended, and what they left is removed.
# Needs takeLock.sh, lockFunctions.sh, noteProcesses.sh, lockIdentity.sh, endGroups.sh and stopWatcher.sh.
: "${run?}" "${t?}" "${id?}" "${claim?}" "${clear?}"
taken=.durant/lock.taken-$claim

is_same() { [ "$(lock_id)" = "$id" ]; }

# Ends the process groups that all other runs noted, as none of them holds the lock.
end_others() {
  for f in .durant/processes.*; do
    [ -f "$f" ] && [ "$f" != ".durant/processes.$run" ] || continue
    end_groups "$f"; rm -f "$f"
  done
}

take_over() {
  is_same && { ln "$t" "$taken" || names_run "$taken" || { [ -s "$t" ] && ! [ -e "$taken" ] && (set -C; : >"$taken") && { cat "$t" >"$taken" || { rm -f "$taken"; false; }; }; }; } 2>/dev/null || return 1
  if is_same; then
    note_processes
    [ -z "$clear" ] || for dead; do stop_watcher "$dead"; done
    end_others
    if is_same && { ! [ -d .durant/lock ] || rm -rf .durant/lock; } && mv -f "$taken" .durant/lock; then return 0; fi
  fi
  rm -f "$taken" ".durant/processes.$run"; return 1
}

# What a dead run may have left that is of no use to anybody.
remove_leftovers() {
  if [ -n "$clear" ]; then
    for dead; do set -- "$@" .durant/*."$dead"; shift; done
    set -- "$@" .durant/line.* .durant/incoming.* .durant/current.* .durant/copy.* .durant/touched.* .durant/services.* .durant/trash.*
  fi
  rm -rf .durant/lock.* "$@" .durant/record.tmp 2>/dev/null
}

if take_over "$@" || lock_is_ours; then
  end_others
  remove_leftovers "$@"
  echo taken
elif [ -e .durant/lock ]; then echo held
elif ln "$t" .durant/lock 2>/dev/null || lock_is_ours; then echo taken
else echo held; fi
rm -f "$t"
cd / || exit 1
