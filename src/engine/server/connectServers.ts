/** Opens the run's connections and learns what each server looks like. */
import { DurantError } from '../../errors.ts';
import { expandLocalPath } from '../../config/values/localPath.ts';
import type { Settings } from '../../config/options/options.ts';
import type { Connection, ConnectRequest, Prompter, ServerAddress } from '../../remote/target.ts';
import type { Emit } from '../events.ts';
import { factsQuery, type FactsRequest, type ServerFacts } from './serverFacts.ts';
import { trim } from '../steps/shared.ts';
import type { Host } from '../ports.ts';
import { lastLines } from '../run/script.ts';

/** How a command of the engine reaches servers. */
export interface Reach {
  readonly settings: Settings;
  readonly host: Host;
  readonly prompt: Prompter;
  readonly emit: Emit;
  readonly mayAddHostKeys: boolean;
  readonly signal: AbortSignal;
}

/** Opens one connection, to which an agent may be forwarded. @throws {DurantError} the connection codes. */
export function connectTo(
  reach: Reach,
  address: ServerAddress,
  agent?: ConnectRequest['agent'],
): Promise<Connection> {
  const { settings, host } = reach;
  return host.connect({
    address,
    user: settings.user,
    port: settings.ssh_port,
    identity:
      settings.ssh_identity === undefined ? undefined : expandLocalPath(settings.ssh_identity, host.env),
    client: settings.ssh_client,
    hostKeyChecking: settings.host_key_checking,
    mayAddHostKeys: reach.mayAddHostKeys,
    connectTimeoutMs: settings.connect_timeout,
    // Of a connection that another process keeps it is not known how it logged in.
    keepMs:
      settings.fan_out !== 'no' || settings.keep_connection === 0 ? undefined : settings.keep_connection,
    agent,
    prompt: reach.prompt,
    signal: reach.signal,
    sshPath: host.sshPath,
    onNotice: (code, message) => {
      if (code !== 'ssh-client') reach.emit({ event: 'warning', code, message, server: address.entry });
    },
  });
}

/** A connection to this machine, for local commands and `local` servers. */
export function connectHere(reach: Pick<Reach, 'host' | 'signal' | 'prompt'>): Promise<Connection> {
  return reach.host.connect({
    address: { entry: 'local', host: 'localhost', user: undefined, port: undefined, local: true, roles: [] },
    user: undefined,
    port: undefined,
    identity: undefined,
    client: 'auto',
    hostKeyChecking: 'strict',
    mayAddHostKeys: false,
    connectTimeoutMs: 15_000,
    prompt: reach.prompt,
    signal: reach.signal,
  });
}

export function factsRequest(settings: Settings): FactsRequest {
  return {
    projectDir: settings.project_dir,
    currentPath: settings.current_path,
    shared: [...settings.shared_dirs, ...settings.shared_files].map(trim),
    strategy: settings.strategy,
  };
}

/** Looks at a server, changing nothing; one round trip. */
export async function learnFacts(
  connection: Connection,
  settings: Settings,
  signal: AbortSignal,
): Promise<ServerFacts> {
  const { script, parse } = factsQuery(factsRequest(settings));
  const result = await connection.exec({ script, signal });
  if (result.status !== 0)
    throw new DurantError(
      'remote-command-failed',
      `Could not inspect ${connection.address.entry} (exit status ${result.status}).`,
      {
        remedy: 'Its login shell must start a POSIX sh: log in with ssh and look.',
        server: connection.address.entry,
        output: lastLines(result.stderr.toString('utf8'), 5),
      },
    );
  return parse(result.stdout);
}
