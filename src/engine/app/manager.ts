/** The sh lines that every script about units begins with: which systemd, where its unit files are. */
import type { ServiceSet } from './serviceSet.ts';

/** Sets `$home` (where unit files go) and `$places` (where systemd looks for them), and defines `ctl`. `as` has to be defined. */
export function useManager(manager: ServiceSet['manager']): string {
  if (manager === 'system')
    return `home=/etc/systemd/system
places="$home /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system"
ctl() { as systemctl "$@"; }
look() { systemctl "$@"; }
change() { as "$@"; }`;
  return `XDG_RUNTIME_DIR=\${XDG_RUNTIME_DIR:-/run/user/$(id -u)}; export XDG_RUNTIME_DIR
home=\${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
places="$home /etc/systemd/user /run/systemd/user /usr/local/lib/systemd/user /usr/lib/systemd/user /lib/systemd/user"
ctl() { systemctl --user "$@"; }
look() { systemctl --user "$@"; }
change() { "$@"; }`;
}

/** The folder of the main Caddyfile, which has to import the site files. */
export const CADDY_FOLDER = '/etc/caddy';
