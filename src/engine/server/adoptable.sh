# What is known of each folder of releases that Deployer or Capistrano made; nothing is changed. The working directory is project_dir.
: "${live?}"
[ -d .dep ] && echo tool=deployer || echo tool=capistrano
for d in releases/*/; do
  d=${d%/}; n=${d##*/}
  case $n in *[!0-9]*) [ "$n" = "$live" ] || continue;; esac
  [ -d "$d" ] && [ ! -L "$d" ] || continue
  c=$(head -n 1 "$d/REVISION" 2>/dev/null) || c=''
  [ -n "$c" ] || c=$(git -C "$d" rev-parse HEAD 2>/dev/null) || c=''
  [ -e "$d/BAD_RELEASE" ] && bad=bad || bad=''
  [ -n "$(ls -A "$d")" ] || bad=bad
  echo "release=$n $c $bad"
done
[ ! -r revisions.log ] || sed -n 's/^.* deployed as release \([0-9][0-9]*\).*$/done=\1/p' revisions.log
[ ! -r .dep/releases_log ] || sed 's/^/log=/' .dep/releases_log
