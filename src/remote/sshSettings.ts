/**
 * What ssh would do for a host: the effective settings from `ssh -G` where OpenSSH is installed (so Include, Match, ProxyJump,
 * IdentityAgent … mean what they mean in a terminal), else from `~/.ssh/config` (sshConfigFile.ts).
 */
import { execFile } from 'node:child_process';
import { homedir, hostname as localHostname, userInfo } from 'node:os';
import { cancelled, DurantError } from '../errors.ts';
import { interpretSettings, type SettingsEnvironment, type SshSettings } from './settingsText.ts';
import { readSshConfigFile } from './sshConfigFile.ts';

export type { SshSettings } from './settingsText.ts';

/** What selects the settings: the name, and what a command line would override. */
export interface SettingsQuery {
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** A private key, as `ssh -i`. */
  readonly identity: string | undefined;
  readonly sshPath: string | undefined;
}

export type ReadSettings = (query: SettingsQuery, signal: AbortSignal) => Promise<SshSettings>;

/** Configuration changes are seen after this. */
const cachedMs = 30_000;

/** A reader that asks ssh once for each query (a process and, with `Match exec`, more), and again when half a minute has passed. */
export function createSettingsReader(): ReadSettings {
  const cache = new Map<string, { readonly at: number; readonly settings: Promise<SshSettings> }>();
  return async (query, signal) => {
    const key = JSON.stringify([query.sshPath, query.host, query.user, query.port, query.identity]);
    const known = cache.get(key);
    if (known !== undefined && performance.now() - known.at < cachedMs)
      // Who asked first may have been cancelled; that is not our failure.
      return known.settings.catch((error: unknown) => {
        if (signal.aborted || !(error instanceof DurantError) || error.code !== 'cancelled') throw error;
        return readSettings(query, signal);
      });
    const settings = readSettings(query, signal);
    cache.set(key, { at: performance.now(), settings });
    settings.catch(() => cache.delete(key));
    return settings;
  };
}

/**
 * Settings of one host, uncached.
 * @throws {DurantError} `connection-unsupported` where ssh refuses its own configuration; `usage` for a name unfit for a command line.
 */
export async function readSettings(query: SettingsQuery, signal: AbortSignal): Promise<SshSettings> {
  for (const word of [query.host, query.user])
    if (word !== undefined && !isSafeName(word))
      throw new DurantError(
        'usage',
        `“${word}” is not a valid host or user name; letters, digits and . _ : % - may occur in it, and no - in front.`,
        { remedy: 'Correct the server entry.' },
      );
  const fromSsh = await askSsh(query, signal);
  if (fromSsh !== undefined)
    return withIdentity(interpretSettings(fromSsh, query, environment(userInfo().homedir)), query.identity);
  const lines = await readSshConfigFile(query.host, query.user);
  return interpretSettings(withOverrides(lines, query), query, environment(homedir()));
}

/** ssh leaves a key out that is not there; it is kept, so that a failed login can say so. */
function withIdentity(settings: SshSettings, identity: string | undefined): SshSettings {
  if (identity === undefined || settings.identityFiles.includes(identity)) return settings;
  return {
    ...settings,
    identityFiles: [identity, ...settings.identityFiles],
    identityFilesChosen: true,
  };
}

/** Host and user as engine.md allows them on command lines. */
export function isSafeName(word: string): boolean {
  return /^[A-Za-z0-9._:%][A-Za-z0-9._:%-]*$/.test(word);
}

/** Arguments of `ssh -G` for a query. */
export function settingsArguments(query: SettingsQuery): string[] {
  return [
    '-G',
    ...(query.user === undefined ? [] : ['-l', query.user]),
    ...(query.port === undefined ? [] : ['-p', String(query.port)]),
    ...(query.identity === undefined ? [] : ['-i', query.identity]),
    '--',
    query.host,
  ];
}

/** Lines of `ssh -G`, or undefined where there is no ssh. Cancelled, it has ended when this rejects: no process outlives the run. */
function askSsh(query: SettingsQuery, signal: AbortSignal): Promise<string | undefined> {
  const command = query.sshPath ?? 'ssh';
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      settingsArguments(query),
      { windowsHide: true, timeout: 30_000 },
      (error, stdout, stderr) => {
        signal.removeEventListener('abort', end);
        if (error === null) resolve(stdout);
        else if (error.code === 'ENOENT' && query.sshPath === undefined) resolve(undefined);
        else if (signal.aborted) reject(cancelled());
        else
          reject(
            new DurantError(
              'connection-unsupported',
              `\`${command} -G ${query.host}\` failed: ${stderr.trim() || error.message}.`,
              { remedy: 'Correct the ssh configuration (or the setting that names ssh).', cause: error },
            ),
          );
      },
    );
    const end = (): void => {
      // What its `Match exec` started may hold its output for longer.
      child.once('exit', () => reject(cancelled()));
      child.kill();
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    child.stdin?.end();
  });
}

/** A configuration file knows nothing of what the command line overrides: user and port first, identity in front. */
function withOverrides(lines: string, query: SettingsQuery): string {
  return [
    ...(query.user === undefined ? [] : [`user ${query.user}`]),
    ...(query.port === undefined ? [] : [`port ${query.port}`]),
    ...(query.identity === undefined ? [] : [`identityfile ${query.identity}`]),
    lines,
  ].join('\n');
}

function environment(home: string): SettingsEnvironment {
  return {
    home,
    variables: process.env,
    localUser: userInfo().username,
    localHost: localHostname(),
    platform: process.platform,
  };
}
