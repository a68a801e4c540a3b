set_up() { mkdir -p releases .durant/releases .durant/manifests || exit 1; }
