# Prints `switch=METHOD` of the first method that works, found by doing it in a scratch folder: a help text says less than what a tool does.
# Where no such folder can be made nothing is known; GNU's way is taken then, so that a run fails with what is really wrong there.
# $t is a new folder, or empty. Needs linkSwitch.sh.
: "${t?}"
[ -n "$t" ] || t=$(mktemp -d /var/tmp/durant.XXXXXX) || t=$(mktemp -d "$HOME/.durant.XXXXXX") || { echo 'switch=mv -T'; exit; }
cd "$t" && mkdir -p .durant releases/1/in releases/2/in || { echo 'switch=mv -T'; exit; }
for m in 'mv -T' 'mv -h' 'gnumv -T' 'busybox mv -T' perl python3; do
  rm -rf link && ln -s releases/1 link && replace_link "$m" link releases/2 try && [ "$(readlink link)" = releases/2 ] && echo "switch=$m" && exit
done
