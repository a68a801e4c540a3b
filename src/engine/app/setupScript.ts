/** The script that makes a bare server ready for a stage: for root, POSIX, and nothing is changed where all is there already. Pure. */
import type { NamedProcess } from '../../config/values/runSettings.ts';
import type { Settings } from '../../config/options/options.ts';
import { quote } from '../../remote/shell.ts';
import { CADDY_FOLDER } from './manager.ts';
import { hasSite } from './site.ts';
import { rootNeeds, sudoersArguments, type RootNeeds } from './rootCommands.ts';

export interface SetupRequest {
  readonly stage: string;
  readonly app: string;
  readonly settings: Settings;
  readonly processes: readonly NamedProcess[];
  /** Login users of the stage's servers. */
  readonly users: readonly string[];
  /** A line for `authorized_keys`; undefined: it is not known here. */
  readonly publicKey: string | undefined;
}

/** What the script says last where everything was there. */
export const NOTHING_TO_CHANGE = 'Nothing to change.';

export function setupScript(request: SetupRequest): string {
  const { stage, settings, processes } = request;
  const users = request.users.filter((user) => user !== 'root');
  const needs = rootNeeds(settings, processes);
  const parts = [
    head(stage),
    packagesPart(request, users.length > 0 && needs.commands.length > 0),
    ...users.map((user) => userPart(user, request)),
    ...(users.length === 0 ? [] : [projectPart(users, request), sudoersPart(request, users, needs)]),
    ...(hasSite(settings) ? [caddyPart(settings.proxy_dir.replace(/\/+$/, ''))] : []),
    `[ -n "$changed" ] || echo ${quote(NOTHING_TO_CHANGE)}\n`,
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function head(stage: string): string {
  return `#!/bin/sh
# Makes a server ready for the stage ${oneLine(stage)} of Durant. For root, on each server; what is there already is left alone.
set -eu
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH
umask 022
[ "$(id -u)" = 0 ] || { echo 'This is for root: run it with sudo sh.' >&2; exit 1; }
changed=
did() { changed=yes; printf '%s\\n' "$1"; }
fail() { printf '%s\\n' "$1" >&2; exit 1; }
t=$(mktemp -d); trap 'rm -rf "$t"' EXIT; trap 'exit 1' HUP INT TERM
`;
}

/** Programs that the stage uses, each with the package that has it. */
function packagesPart({ settings }: SetupRequest, needsSudo: boolean): string {
  const isPython = settings.install_mode === 'python';
  const wanted = (
    [
      ['sudo', 'sudo', needsSudo],
      ['caddy', 'caddy', hasSite(settings)],
      ['setfacl', 'acl', settings.writable_dirs.length > 0 && settings.writable_mode === 'acl'],
      ['rsync', 'rsync', settings.transfer === 'rsync'],
      ['python3', 'python3', isPython],
      ['curl', 'curl', settings.health_check.some((check) => /^https?:/i.test(check))],
    ] as const
  ).filter(([, , isWanted]) => isWanted);
  if (wanted.length === 0) return '';
  // Debian has Python's venv in a package of its own.
  const venv = `! command -v apt-get >/dev/null 2>&1 || python3 -c 'import ensurepip' 2>/dev/null || install python3-venv\n`;
  return `# Programs
install() {
  if command -v apt-get >/dev/null 2>&1; then
    [ -n "\${fresh:-}" ] || apt-get -q update >"$t/said" 2>&1 || { tail -n 5 "$t/said" >&2; exit 1; }
    fresh=yes
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$1" >"$t/said" 2>&1
  elif command -v dnf >/dev/null 2>&1; then dnf -q -y install "$1" >"$t/said" 2>&1
  elif command -v apk >/dev/null 2>&1; then apk add -q "$1" >"$t/said" 2>&1
  elif command -v pacman >/dev/null 2>&1; then pacman -S --noconfirm "$1" >"$t/said" 2>&1
  else echo 'There is no package manager that this script knows.' >"$t/said"; false
  fi || { tail -n 5 "$t/said" >&2; fail "Install $1 by hand, then run this again."; }
  did "installed $1"
}
${wanted.map(([program, name]) => `command -v ${program} >/dev/null 2>&1 || install ${name}\n`).join('')}${isPython ? venv : ''}`;
}

function userPart(user: string, { settings, processes, publicKey }: SetupRequest): string {
  const lingers = settings.systemd === 'user' && processes.length > 0;
  // Caddy reads the files of the site itself.
  const isRead = hasSite(settings) && settings.statics.length > 0 && settings.project_dir.startsWith('~/');
  return `# Login user ${user}
if ! id -u ${user} >/dev/null 2>&1; then
  shell=/bin/sh; [ ! -x /bin/bash ] || shell=/bin/bash
  # No password at all, which is not the same as a locked account: that one sshd may refuse.
  if command -v useradd >/dev/null 2>&1; then useradd -m -s "$shell" -p '*' ${user}
  else adduser -D -s "$shell" ${user} && echo '${user}:*' | chpasswd -e 2>/dev/null; fi
  did 'made the user ${user}'
fi
home=~${user}
${publicKey === undefined ? keyNote(user) : keyPart(user, publicKey)}
${isRead ? `[ -n "$(find "$home" -prune -perm -001)" ] || { chmod o+x "$home"; did "let Caddy enter $home"; }\n` : ''}${
    lingers
      ? `[ -e /var/lib/systemd/linger/${user} ] || { loginctl enable-linger ${user}; did 'services of ${user} run without a login'; }\n`
      : ''
  }`;
}

/** As the user: root follows no link that a user may have put there. */
function keyPart(user: string, publicKey: string): string {
  const key = quote(publicKey);
  return `if ! grep -qsF ${key} "$home/.ssh/authorized_keys"; then
  su -s /bin/sh ${user} -c 'umask 077; mkdir -p ~/.ssh && printf "%s\\n" "$1" >> ~/.ssh/authorized_keys' sh ${key}
  did 'let ${user} log in with the key '${quote(publicKey.split(' ').slice(2).join(' ') || 'given')}
fi`;
}

function keyNote(user: string): string {
  return `[ -s "$home/.ssh/authorized_keys" ] || echo 'Put your public key into ~${user}/.ssh/authorized_keys.' >&2`;
}

/** A folder in the home is made by the deploy itself. */
function projectPart(users: readonly string[], { settings }: SetupRequest): string {
  const [user = ''] = users;
  if (settings.project_dir.startsWith('~')) return '';
  const path = quote(settings.project_dir);
  const owned = users.map((each) => `-user ${each}`).join(' -o ');
  return `# project_dir
p=${path}
if ! [ -e "$p" ]; then mkdir -p "$p"; chown ${user}: "$p"; did "made $p"
elif [ -z "$(find "$p" -prune \\( ${owned} \\))" ]; then
  if [ -z "$(ls -A "$p")" ]; then chown ${user}: "$p"; did "gave $p to ${user}"
  else echo "$p is not of ${user}, and not empty. If it is to be: chown ${user}: $p" >&2; fi
fi
`;
}

function sudoersPart(
  { app }: SetupRequest,
  users: readonly string[],
  { commands, unclear }: RootNeeds,
): string {
  const file = `/etc/sudoers.d/durant-${app}`;
  const allowed = users.flatMap((user) =>
    commands.map(({ program, args }) =>
      `allow ${user} ${quote(program)} ${quote(args === undefined ? '' : sudoersArguments(args))}`.trimEnd(),
    ),
  );
  const notes = unclear.map(
    (command) => `# Not understood, so add what it needs yourself: ${oneLine(command)}\n`,
  );
  if (allowed.length === 0)
    return `${notes.join('')}# Nothing of this stage needs sudo
[ ! -e ${file} ] || { rm -f ${file}; did 'removed ${file}'; }
`;
  return `${notes.join('')}# What the login user may run as root without a password
# sudo-rs, which Ubuntu has since 25.10, refuses patterns of arguments: there it is the programs.
patterns=yes; case $(sudo --version 2>/dev/null) in sudo-rs*) patterns=;; esac
allow() {
  case \${3:-} in *[*]*) [ -n "$patterns" ] || set -- "$1" "$2";; esac
  program=$(command -v "$2") || { echo "$2 is not installed here, so no line of sudoers has it." >&2; return 0; }
  printf '%s ALL=(root) NOPASSWD: %s\\n' "$1" "$program\${3:+ $3}" >>"$t/sudoers"
}
echo '# By durant setup, which replaces this file' >"$t/sudoers"
${allowed.join('\n')}
visudo -cqf "$t/sudoers" || fail 'visudo refuses these lines; nothing of sudo was changed.'
if ! cmp -s "$t/sudoers" ${file}; then
  cp "$t/sudoers" /etc/sudoers.d/.durant-${app}; chmod 440 /etc/sudoers.d/.durant-${app}
  mv -f /etc/sudoers.d/.durant-${app} ${file}; did 'wrote ${file}'
fi
`;
}

function caddyPart(folder: string): string {
  const line = `import ${folder}/*.caddy`;
  const main = `${CADDY_FOLDER}/Caddyfile`;
  // As the main file may write it: from its own folder, or whole.
  const short = folder.startsWith(`${CADDY_FOLDER}/`) ? folder.slice(CADDY_FOLDER.length + 1) : folder;
  return `# Caddy
[ -d ${quote(folder)} ] || { mkdir -p ${quote(folder)}; did ${quote(`made ${folder}`)}; }
[ -d ${CADDY_FOLDER} ] || mkdir -p ${CADDY_FOLDER}
reload=
if ! grep -Es '^[[:space:]]*import[[:space:]]' ${main} | grep -qF ${quote(short)}; then
  [ ! -f ${main} ] || cat ${main} >"$t/Caddyfile"
  printf '\\n%s\\n' ${quote(line)} >>"$t/Caddyfile"
  HOME=$t XDG_DATA_HOME=$t XDG_CONFIG_HOME=$t caddy validate --adapter caddyfile --config "$t/Caddyfile" >"$t/said" 2>&1 ||
    { tail -n 5 "$t/said" >&2; fail ${quote(`Caddy refuses its file with "${line}" in it; it was left as it was.`)}; }
  cat "$t/Caddyfile" >${main}; reload=yes; did ${quote(`added to ${main}: ${line}`)}
fi
if ! systemctl is-active --quiet caddy; then systemctl enable --quiet --now caddy; did 'started Caddy'
elif [ -n "$reload" ]; then systemctl reload caddy; fi
systemctl is-enabled --quiet caddy || { systemctl enable --quiet caddy; did 'Caddy starts with the server'; }
${KEEP_CONNECTIONS}`;
}

/**
 * Caddy reloads with new sockets on its ports (SO_REUSEPORT), and the kernel resets a connection that the old one had not accepted yet: on a
 * busy server some at each reload. Since Linux 5.14 it can hand them to the new socket instead.
 */
const KEEP_CONNECTIONS = `# No connection is reset while Caddy reloads
now=/proc/sys/net/ipv4/tcp_migrate_req later=/etc/sysctl.d/60-durant-caddy.conf
if [ -w "$now" ]; then
  [ "$(cat "$now")" = 1 ] || { echo 1 >"$now"; did 'set net.ipv4.tcp_migrate_req = 1'; }
  [ -s "$later" ] || { mkdir -p /etc/sysctl.d; echo 'net.ipv4.tcp_migrate_req = 1' >"$later"; did "wrote $later"; }
fi
`;

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
