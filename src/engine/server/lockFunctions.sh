# What several scripts ask of the lock. The working directory is project_dir.
: "${run?}"

# names_run LOCK: true while LOCK names $run. Read by the shell itself: no tool that fails is taken for a lock that is lost.
names_run() { ( while read -r line; do [ "$line" != "run = \"$run\"" ] || exit 0; done <"$1"; exit 1 ) 2>/dev/null; }

lock_is_ours() { names_run .durant/lock; }
