# What a watcher runs, detached from the connection. `restore` puts back the services of what was live before. Needs linkSwitch.sh.
: "${project?}" "${run?}" "${release?}" "${is_new?}" "${seconds?}" "${current?}" "${link?}" "${before?}" "${method?}" "${lock?}" "${what?}"
LC_ALL=C; export LC_ALL
exec </dev/null
cd "$project" || exit 0
watch=.durant/watch.$run acting=.durant/reverting.$run record=.durant/releases/$release.ini
i=0
while [ $i -lt "$seconds" ]; do sleep 1; [ -e "$watch" ] || exit 0; i=$((i + 1)); done

ours() { grep -qxF "run = \"$run\"" .durant/lock 2>/dev/null; }
is_finished() { [ -n "$is_new" ] && grep -qxF "state = \"finished\"" "$record" 2>/dev/null; }
may_act() { { ! [ -e .durant/lock ] || ours; } && [ "$(readlink "$current")" = "$link" ] && ! is_finished; }
put_back() { if [ -z "$before" ]; then rm -f "$current"; else replace_link "$method" "$current" "$before" "back.$run"; fi; }
note_failure() { sed "s/^state = .*/state = \"failed\"/" "$record" >".durant/record.$run" && mv -f ".durant/record.$run" "$record"; }

may_act || { rm -f "$watch"; exit 0; }
mv "$watch" "$acting" 2>/dev/null || exit 0
made=''
if ! [ -e .durant/lock ]; then
  printf %s "$lock" >".durant/lock.$run" && ln ".durant/lock.$run" .durant/lock 2>/dev/null && made=yes
  rm -f ".durant/lock.$run"
fi
if ours && may_act && put_back; then
  [ -z "$is_new" ] || note_failure
  rm -f .durant/rollback
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  restore
  printf "%s %s\n" "$now" "$what" >>.durant/history.log
  printf "at = \"%s\"\n" "$now" >>"$acting"
  mv -f "$acting" ".durant/reverted.$run"
else rm -f "$acting"; fi
[ -z "$made" ] || rm -f .durant/lock
