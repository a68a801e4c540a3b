# Removes what a failed update_code of a run left: the release's folder, its manifest, and everything of the run.
: "${project?}" "${run?}" "${release?}"
(cd "$project" && rm -rf "releases/$release" ".durant/incoming.$run" ".durant/touched.$run" ".durant/manifests/$release" ".durant/manifests/$release.touched")
