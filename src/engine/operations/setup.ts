/** `setup`: the script that makes a bare server ready for a stage, and its run as root. Without the run nobody is connected to. */
import { readFile } from 'node:fs/promises';
import { expandLocalPath } from '../../config/values/localPath.ts';
import { parseServer } from '../../config/values/serverEntries.ts';
import { DurantError, asDurantError } from '../../errors.ts';
import { quote } from '../../remote/shell.ts';
import { readSettings } from '../../remote/sshSettings.ts';
import type { Connection, ServerAddress } from '../../remote/target.ts';
import { appName } from '../app/appName.ts';
import { defineAs, obtainSudo, type Sudo } from '../app/privilege.ts';
import { NOTHING_TO_CHANGE, setupScript } from '../app/setupScript.ts';
import type { Emit } from '../events.ts';
import type { Host } from '../ports.ts';
import { outputLines } from '../run/outputLines.ts';
import { maskedEmit } from '../run/emit.ts';
import type { StageRequest } from '../run/run.ts';
import { lastLines } from '../run/script.ts';
import { connectTo } from '../server/connectServers.ts';
import { reachFor } from '../server/lookAtServers.ts';

export interface SetupRun {
  readonly servers: readonly {
    readonly server: string;
    /** Whether anything was changed there. */
    readonly changed: boolean;
    readonly error: string | null;
  }[];
}

/** The script for all servers of a stage. Reads ssh's configuration and a public key on this machine, nothing else. */
export async function stageSetup(request: StageRequest, host: Host, signal: AbortSignal): Promise<string> {
  const { stage, settings, processes } = request;
  const users = await Promise.all(request.servers.map((server) => loginUser(server, request, host, signal)));
  return setupScript({
    stage,
    app: appName(request),
    settings,
    processes,
    users: [...new Set(users)],
    publicKey: await publicKey(request, host),
  });
}

/**
 * Runs the script as root on each server, by sudo where the login is another. One server's failure hides no other.
 * @param login `root`, or `admin@web1` for that server alone.
 * @throws {DurantError} `usage` for a login that is none; `cancelled`.
 */
export async function runSetup(
  request: StageRequest,
  script: string,
  login: string,
  host: Host,
  emit: Emit,
  signal: AbortSignal,
): Promise<SetupRun> {
  const masked = maskedEmit(emit, request.secrets);
  const reach = reachFor({ request, host, emit: masked.emit, signal });
  const servers: SetupRun['servers'][number][] = [];
  // One after the other: each may ask for a password.
  for (const address of addressesFor(request, login)) {
    try {
      const connection = await connectTo(reach, address);
      try {
        const sudo = await becomeRoot(
          connection,
          { ...host, prompt: reach.prompt },
          masked.addSecrets,
          signal,
        );
        servers.push({
          server: address.entry,
          changed: await runThere(connection, sudo, script, masked, signal),
          error: null,
        });
      } finally {
        connection.close();
      }
    } catch (thrown) {
      const error = asDurantError(thrown);
      if (error.code === 'cancelled') throw error;
      servers.push({ server: address.entry, changed: error.changed, error: masked.mask(error.message) });
    }
  }
  return { servers };
}

async function runThere(
  connection: Connection,
  sudo: Sudo,
  script: string,
  { emit, mask }: ReturnType<typeof maskedEmit>,
  signal: AbortSignal,
): Promise<boolean> {
  const server = connection.address.entry;
  const said: string[] = [];
  const lines = outputLines(mask, (stream, line) => {
    if (stream === 'stdout') said.push(line);
    emit({ event: 'output', server, stream, line });
  });
  const result = await connection.exec({
    script: sudo.kind === 'none' ? script : `${defineAs(sudo)}\nas sh -c ${quote(script)}`,
    signal,
    onOutput: lines.write,
  });
  lines.end();
  if (result.status !== 0)
    throw new DurantError(
      'remote-command-failed',
      `The script failed on ${server} (exit status ${result.status}).`,
      {
        remedy: 'Fix the cause, then run it again.',
        server,
        changed: said.length > 0,
        output: lastLines(result.stderr.toString('utf8'), 5),
      },
    );
  return !said.includes(NOTHING_TO_CHANGE);
}

function addressesFor({ servers, settings }: StageRequest, login: string): readonly ServerAddress[] {
  if (!login.includes('@')) {
    const user = parseServer(`${login}@host`, { sshPort: undefined });
    if ('error' in user) throw new DurantError('usage', user.error);
    return servers.map((server) => ({ ...server, user: login }));
  }
  const found = parseServer(login, { sshPort: settings.ssh_port });
  if ('error' in found) throw new DurantError('usage', found.error);
  const named = servers.filter(
    ({ host, port }) => host === found.host && (found.port === undefined || port === found.port),
  );
  return named.length === 0 ? [found] : named.map((server) => ({ ...server, user: found.user }));
}

async function becomeRoot(
  connection: Connection,
  { prompt }: Pick<Host, 'prompt'>,
  addSecrets: (secrets: readonly string[]) => void,
  signal: AbortSignal,
): Promise<Sudo> {
  const { stdout } = await connection.exec({
    script: `if [ "$(id -u)" = 0 ]; then echo none
elif ! command -v sudo >/dev/null 2>&1; then echo missing
elif sudo -n true 2>/dev/null; then echo free
else echo password; fi
id -un`,
    signal,
  });
  const [found = '', user = ''] = stdout.toString('utf8').split('\n');
  return obtainSudo({
    connection,
    found: found === 'none' || found === 'free' || found === 'missing' ? found : 'password',
    user,
    prompt,
    addSecrets,
    signal,
  });
}

async function loginUser(
  { host: name, user, port, local }: ServerAddress,
  { settings }: StageRequest,
  host: Host,
  signal: AbortSignal,
): Promise<string> {
  const written = local ? host.user : (user ?? settings.user);
  if (written !== undefined) return written;
  const query = {
    host: name,
    user,
    port: port ?? settings.ssh_port,
    identity: undefined,
    sshPath: host.sshPath,
  };
  return (await readSettings(query, signal)).user;
}

/** The public half of the stage's key, else of the one that ssh would try first. */
async function publicKey({ settings }: StageRequest, { env }: Host): Promise<string | undefined> {
  const files = settings.ssh_identity === undefined ? DEFAULT_KEYS : [settings.ssh_identity];
  for (const file of files) {
    const text = await readFile(`${expandLocalPath(file, env)}.pub`, 'utf8').catch(() => '');
    const line = text.trim();
    if (/^[a-z0-9@.-]+ [A-Za-z0-9+/=]+( [^\r\n]*)?$/.test(line)) return line;
  }
  return undefined;
}

const DEFAULT_KEYS = ['~/.ssh/id_ed25519', '~/.ssh/id_ecdsa', '~/.ssh/id_rsa'];
