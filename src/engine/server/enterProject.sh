# Where project_dir is writable and its folders are there; modes as the server's umask wants, `.durant` closed to others. Needs the `set_up` of
# the strategy.
: "${project?}" "${layout?}"
LC_ALL=C; export LC_ALL
mkdir -p "$project" && cd "$project" || exit 1
if ! [ -d .durant ]; then mkdir .durant && chmod g-w,o-rwx .durant || exit 1; fi
set_up
[ -f .durant/version ] || echo "$layout" >.durant/version || exit 1
