# In front of every script of a run that holds the lock, in a shell of its own. Succeeds where the lock still names the run and the run has not
# given up the line that this was sent over. Fails otherwise, and says on descriptor 3 what $current is where the lock is lost.
# Needs lockFunctions.sh and noteProcesses.sh.
: "${project?}" "${run?}" "${lost_lines?}" "${current?}" "${mark?}"
if cd "$project" && { note_processes; lock_is_ours; }; then
  line=0; [ ! -f ".durant/line.$run" ] || read -r line <".durant/line.$run"
  [ "$line" -le "$lost_lines" ] && exit 0
  exit 1
fi
rm -f ".durant/processes.$run"
printf '%s%s\n' "$mark" "$(readlink "$current")" >&3
exit 1
