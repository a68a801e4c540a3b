# lock_id: prints what tells this lock from any other, whatever is written in it; nothing where there is none. The working directory is
# project_dir.
# shellcheck disable=SC2046 # Words are wanted.
lock_id() { [ ! -e .durant/lock ] || echo $(ls -di .durant/lock) $(cksum <.durant/lock 2>/dev/null); }
