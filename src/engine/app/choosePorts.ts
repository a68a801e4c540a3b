/** Ports of a server for the processes of a release: `{port}`. */
import { parsePortRange } from '../../config/values/forms.ts';
import { DurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import type { Run, ServerRun } from '../run/run.ts';
import { runScript } from '../run/script.ts';
import { DEFINE_LISTENING } from './listening.ts';
import { useManager } from './manager.ts';
import { wantPorts, type ServiceSet } from './serviceSet.ts';

/**
 * Chooses a free port for each process that wants one. The one that it had is kept, where it is free, or its unit is what runs there.
 * @param set with what stands for the ports.
 * @throws {DurantError} `services-failed` where none is free.
 */
export async function choosePorts(
  { run, server, signal }: { readonly run: Run; readonly server: ServerRun; readonly signal: AbortSignal },
  set: ServiceSet,
  had: Readonly<Record<string, number>>,
): Promise<Readonly<Record<string, number>>> {
  const wanted = wantPorts(set);
  if (wanted.length === 0) return {};
  const { ports, proxy_dir } = run.settings;
  const [first, last] = parsePortRange(ports) ?? [20_000, 29_999];
  const picks = wanted.map((process) => {
    const unit = set.units.find((file) => file.process === process && file.name.endsWith('.service'));
    return `pick ${quote(process)} ${quote(unit?.units[0] ?? '')} ${quote(String(had[process] ?? ''))}`;
  });
  const { stdout } = await runScript(
    server,
    `as() { :; }
${useManager(set.manager)}
${DEFINE_LISTENING}
# Also of sites whose application does not run just now.
led=" $(cat ${quote(proxy_dir.replace(/\/+$/, ''))}/*.caddy 2>/dev/null | grep -o '127\.0\.0\.1:[0-9]*' | sed 's/.*://' | tr '\n' ' ')"
next=${first + (numberOf(run.id) % (last - first + 1))} given=' '
pick() {
  if [ -n "$3" ] && { look is-active --quiet "$2" || ! listening "$3"; }; then echo "@port $1 $3"; given="$given$3 "; return; fi
  tries=0
  while [ $tries -lt 500 ]; do
    port=$next; next=$((next+1)); [ $next -le ${last} ] || next=${first}
    tries=$((tries+1))
    case "$led$given" in *" $port "*) continue;; esac
    listening "$port" && continue
    echo "@port $1 $port"; given="$given$port "; return
  done
}
${picks.join('\n')}
:`,
    { signal },
  );
  const found = new Map(
    [...stdout.toString('utf8').matchAll(/^@port (\S+) (\d+)$/gm)].map(([, process = '', port]) => [
      process,
      Number(port),
    ]),
  );
  if (wanted.some((process) => !found.has(process)))
    throw new DurantError(
      'services-failed',
      `No port from ${first} to ${last} is free on ${server.address.entry}.`,
      { remedy: 'Name others with ports.', server: server.address.entry },
    );
  return Object.fromEntries(found);
}

/** Runs of the same moment begin to look at different ports. */
function numberOf(id: string): number {
  return [...id].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 1_000_003, 7);
}
