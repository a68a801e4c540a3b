# `.durant` may lie in a web root: Apache is told to show nothing of it. `live` names what was put last.
set_up() {
  mkdir -p .durant/releases .durant/manifests || exit 1
  [ -f .durant/live ] || : >.durant/live || exit 1
  [ -f .durant/.htaccess ] || printf '%s\n' '<IfModule mod_authz_core.c>' 'Require all denied' '</IfModule>' '<IfModule !mod_authz_core.c>' 'Order deny,allow' 'Deny from all' '</IfModule>' >.durant/.htaccess || exit 1
}
