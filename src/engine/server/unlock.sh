# Gives the lock back, if it is still this run's; the working directory is project_dir. The lock itself goes last. Needs lockFunctions.sh.
: "${run?}"
if lock_is_ours; then rm -f .durant/processes.* .durant/line.* .durant/lock.taken-* .durant/record.tmp ".durant/lock.$run" .durant/lock
else rm -f ".durant/lock.$run" ".durant/processes.$run"; fi
