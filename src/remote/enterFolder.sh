# enter PATH: goes to a folder below the working directory that the script had when this text ran. Fails where a folder on the way is a symbolic
# link, also one that somebody puts there in this moment: what the shell has entered is looked at, and commands with names in that folder then
# reach nothing else. Paths have neither `.` nor `..` in them. Needs whereAmI.sh.
: "${cwd?}"
top=$(pwd -P) && export top || exit 1
enter() { cd -P "$top" && cd -P "./$1" 2>/dev/null && where_am_i && { [ "$cwd" = "$top/$1" ] || { [ "$1" = . ] && [ "$cwd" = "$top" ]; }; }; }
