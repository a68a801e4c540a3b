# note_processes: notes the process group of the running script under the run's name, so that whoever takes the run's lock over can end it.
: "${run?}"
note_processes() {
  # shellcheck disable=SC2046 # Words are wanted.
  if [ -r /proc/$$/stat ]; then set -- $(cat /proc/$$/stat); echo "$5 ${22}"; else echo "$(ps -o pgid= -p $$ | tr -d ' ') -"; fi >>".durant/processes.$run"
}
