# Ends what this run left running on a server when its line was cut, but for the script itself; the working directory is project_dir.
# Needs lockFunctions.sh and endGroups.sh.
: "${run?}" "${lost_lines?}"
if lock_is_ours; then
  echo "$lost_lines" >".durant/line.$run"
  [ ! -f ".durant/processes.$run" ] || end_groups ".durant/processes.$run"
fi
