# Puts the release's folder back as it was before an update_code of the run whose check has failed. Not where the live release had drifted.
: "${project?}" "${run?}" "${release?}"
cd "$project" && rm -rf "releases/$release" && { [ ! -d ".durant/incoming.$run/kept" ] || mv ".durant/incoming.$run/kept" "releases/$release"; } &&
  rm -rf ".durant/incoming.$run"
