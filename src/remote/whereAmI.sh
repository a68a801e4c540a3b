# where_am_i: sets $cwd to the folder that the shell is really in. dash and busybox have asked the system when they have changed their folder;
# others set PWD to what they looked up before, which somebody may have replaced by a link since.
if [ -z "${BASH_VERSION-}${KSH_VERSION-}${ZSH_VERSION-}" ] && [ "$(uname)" = Linux ]; then where_am_i() { cwd=$PWD; }
else where_am_i() { cwd=$(env pwd -P; echo .); cwd=${cwd%??}; }; fi
