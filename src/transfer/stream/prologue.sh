# What every script of the transfer begins with: bytes are bytes, times are UTC, the umask is out of the way ($mask has the user's), the
# working directory is the project. $H prints hashes, $TAR is tar.
: "${project?}"
LC_ALL=C TZ=UTC0; export LC_ALL TZ; unset CDPATH
# shellcheck disable=SC2034 # Not every script needs it.
mask=$(umask); umask 022
cd "$project" || exit 1
# shellcheck disable=SC2034 # Not every script needs all of them.
top=$(pwd) D=.durant TAR=tar; export H TAR
command -v tar >/dev/null 2>&1 || TAR=bsdtar
