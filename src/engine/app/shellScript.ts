/** A terminal of the user's own in the live release. Pure. */
import { quote, quotePath } from '../../remote/shell.ts';
import type { StageRequest } from '../run/run.ts';
import { exports } from '../run/script.ts';

/**
 * sh text that goes into the live release with its environment file, for a terminal of the user's own; then runs `command`, or a login
 * shell. It holds no secret value.
 */
export function appShellScript(
  { settings, secrets, stage, servers: [server] }: StageRequest,
  command: string | undefined,
): string {
  const project = quotePath(settings.project_dir);
  const missing = quote(`Nothing is live in ${settings.project_dir}; deploy first: durant deploy ${stage}`);
  // What is secret is in the release's own file: this text is in the arguments of ssh.
  const plain = Object.entries(settings.env).filter(([, value]) => !secrets.includes(value));
  return `cd -- ${project} 2>/dev/null && p=$(pwd -P) && cd -- ${quote(settings.current_path)} 2>/dev/null || { echo ${missing} >&2; exit 1; }
r=$(pwd -P); r=\${r##*/}
if [ -r "$p/.durant/env/$r" ]; then set -a; . "$p/.durant/env/$r"; set +a; fi
${exports(Object.fromEntries(plain))}
field() { sed -n "s/^$1 = //p" "$p/.durant/releases/$r.ini" 2>/dev/null | tr -d '"'; }
DURANT_STAGE=${quote(stage)} DURANT_RELEASE=$r DURANT_RELEASE_PATH=$(pwd -P) DURANT_COMMIT=$(field commit) DURANT_BRANCH=$(field branch) DURANT_SERVER=${quote(server?.entry ?? '')}
export DURANT_STAGE DURANT_RELEASE DURANT_RELEASE_PATH DURANT_COMMIT DURANT_BRANCH DURANT_SERVER
unset p r; unset -f field
${command ?? 'exec "${SHELL:-/bin/sh}"'}`;
}
