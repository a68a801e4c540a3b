# stop_watcher RUN: ends the watcher of a run, or waits until it has put back what it is putting back.
stop_watcher() {
  rm -f ".durant/watch.$1"
  i=0; while [ -e ".durant/reverting.$1" ] && [ $i -lt 60 ]; do sleep 1; i=$((i + 1)); done
}
