# The confirmation: no watcher puts anything back after it. Fails, and says so, where this run's has. May run twice. Needs stopWatcher.sh.
: "${run?}" "${reverted?}"
stop_watcher "$run"
if [ -e ".durant/reverting.$run" ] || [ -e ".durant/reverted.$run" ]; then echo "$reverted" >&2; exit 1; fi
rm -f .durant/watch.* .durant/reverted.*
